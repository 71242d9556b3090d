// SPDX-License-Identifier: GPL-2.0

//! Files with names of hosts.

use std::{
    fmt::{self, Display},
    fs::File,
    io::{self, Read},
    path,
    rc::Rc,
};

use serde_json::{Map, Value, json};

use crate::{
    error::Error,
    fields::Plain,
    netlink::{
        Nest, Writer,
        spec::{
            FILE_NAME_LENGTH_MAX, HOST_NAMES_MAX,
            attribute::{hosts, ruleset},
        },
    },
    text::quote,
};

/// The longest name, and the longest part of one between dots, in bytes (RFC 1035, section 2.3.4).
const NAME_MAX: usize = 253;
const LABEL_MAX: usize = 63;

/// As much as so many names can take up.
const FILE_MAX: u64 = (HOST_NAMES_MAX as u64) * (NAME_MAX as u64 + 1);

/// How many bytes of names go into one attribute, whose length is a number of 16 bits.
const PIECE: usize = 32 * 1024;

/// A file of which the module has the names.
#[derive(Clone, Debug)]
pub(super) struct HostsFile {
    path: String,
    /// The names, a line each; empty if the rule was read from the module, which does not tell them.
    names: Rc<[String]>,
}

impl HostsFile {
    /// Read a file.
    pub(super) fn parse(path: &str) -> Result<Self, String> {
        let failed = |error: io::Error| format!("cannot be read: {error}");
        // The rule may be restored by somebody who is in another folder.
        let absolute = path::absolute(path).map_err(failed)?;
        let path = absolute.to_str().ok_or("its name is not in UTF-8")?;
        if path.len() > FILE_NAME_LENGTH_MAX as usize || path.chars().any(char::is_control) {
            return Err(format!(
                "the name of a file has at most {FILE_NAME_LENGTH_MAX} bytes, and no control characters"
            ));
        }
        // Whatever else it is may never end, or have other names the next time.
        if !absolute.metadata().map_err(failed)?.is_file() {
            return Err("this is no regular file".to_owned());
        }
        let file = File::open(&absolute).map_err(failed)?;
        let mut text = String::new();
        let length = file.take(FILE_MAX + 1).read_to_string(&mut text);
        if length.map_err(failed)? as u64 > FILE_MAX {
            return Err(format!("this is longer than {HOST_NAMES_MAX} names can be"));
        }
        let names = parse_names(&text)?;
        Ok(Self {
            path: path.to_owned(),
            names: names.into(),
        })
    }

    /// Write the names, which are no part of the rule, in front of the change that has the rule.
    pub(super) fn write_names(&self, request: &mut Writer) {
        let mut names = self.names.iter().peekable();
        while names.peek().is_some() {
            let mut piece = String::new();
            while let Some(name) = names.next_if(|name| piece.len() + name.len() < PIECE) {
                piece += name;
                piece.push('\n');
            }
            request.nested(ruleset::HOSTS, |nest| {
                nest.string(hosts::FILE, &self.path);
                nest.bytes(hosts::NAMES, piece.as_bytes());
            });
        }
    }
}

/// Read the names in a file: one a line; what comes behind a # is a comment.
fn parse_names(text: &str) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let name = parse_name(line)
            .map_err(|reason| format!("line {number}: {}: {reason}", quote(line)))?;
        names.push(name);
    }
    match names.len() {
        0 => Err("there is no name in it".to_owned()),
        count if count > HOST_NAMES_MAX as usize => Err(format!(
            "a file has at most {HOST_NAMES_MAX} names, this one has {count}"
        )),
        _ => Ok(names),
    }
}

/// Read a name, or `*.` and one.
fn parse_name(text: &str) -> Result<String, String> {
    if !text.is_ascii() {
        return Err("names of hosts are sent in ASCII, such as xn--bcher-kva.example".to_owned());
    }
    let name = text.strip_prefix("*.").unwrap_or(text);
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_right = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let is_label = |label: &str| {
        (1..=LABEL_MAX).contains(&label.len()) && label.bytes().all(is_right) //
    };
    if name.len() > NAME_MAX || !name.split('.').all(is_label) {
        return Err("a line has a name such as example.org, or *.example.org".to_owned());
    }
    let star = if text.starts_with("*.") { "*." } else { "" };
    Ok(format!("{star}{}", name.to_ascii_lowercase()))
}

impl Display for HostsFile {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&quote(&self.path))
    }
}

impl Plain for HostsFile {
    type Kinds = u16;

    fn read(nest: &Nest<'_>, kind: u16) -> Result<Option<Self>, Error> {
        let path: Option<String> = Plain::read(nest, kind)?;
        let names = Rc::new([]);
        Ok(path.map(|path| Self { path, names }))
    }

    fn write(&self, kind: u16, nest: &mut Writer) {
        nest.string(kind, &self.path);
    }

    fn json(&self, key: &str, object: &mut Map<String, Value>) {
        object.insert(key.to_owned(), json!(self.path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_a_line() {
        let text = "# a list\n\nExample.org.\n *.example.NET # and what is below\nxn--a_b-c\r\n";
        let names = parse_names(text).unwrap();
        assert_eq!(names, ["example.org", "*.example.net", "xn--a_b-c"]);
    }

    #[test]
    fn a_bad_line_is_named() {
        let long = format!("{}.org", "a".repeat(64));
        for bad in [
            "*",
            "*.",
            "a..b",
            ".",
            "a b",
            "a*.b",
            "*.*.b",
            "a/b",
            "0.0.0.0\ta",
            &long,
        ] {
            let error = parse_names(&format!("good\n{bad}\n")).unwrap_err();
            let expected = "a line has a name such as example.org, or *.example.org";
            assert_eq!(error, format!("line 2: {}: {expected}", quote(bad.trim())));
        }
        let error = parse_names("bücher.example").unwrap_err();
        assert!(error.starts_with("line 1: bücher.example: names of hosts are sent in ASCII"));
        assert_eq!(parse_names("#").unwrap_err(), "there is no name in it");
        let many = "a\n".repeat(HOST_NAMES_MAX as usize + 1);
        let expected = "a file has at most 65536 names, this one has 65537";
        assert_eq!(parse_names(&many).unwrap_err(), expected);
    }

    #[test]
    fn names_fit_into_attributes() {
        let names: Vec<String> = (0..10_000)
            .map(|number| format!("host-{number}.example.org"))
            .collect();
        let file = HostsFile {
            path: "/hosts".to_owned(),
            names: names.into(),
        };
        let mut request = Writer::default();
        file.write_names(&mut request);
        assert!(!request.too_long());
        assert!(request.len() > 10_000 * "host-.example.org".len());
    }
}
