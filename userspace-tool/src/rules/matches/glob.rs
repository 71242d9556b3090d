// SPDX-License-Identifier: GPL-2.0

//! Patterns with wildcards.

use crate::{
    fields::Negatable,
    netlink::spec::GLOB_LENGTH_MAX,
    rules::model::options::parse_text,
    text::quote, //
};

/// A pattern in which a `*` stands for anything.
pub(super) fn glob(text: &str) -> Result<String, String> {
    match text {
        "" => Err("there is nothing to compare with".to_owned()),
        _ => parse_text(text, "a pattern", GLOB_LENGTH_MAX),
    }
}

/// A pattern for the names of hosts, as they are compared.
pub(super) fn host(text: &str) -> Result<String, String> {
    if !text.is_ascii() {
        return Err("names of hosts are sent in ASCII, such as xn--bcher-kva.example".to_owned());
    }
    let (name, port) = text.rsplit_once(':').unwrap_or((text, ""));
    let name = name.strip_suffix('.').unwrap_or(name);
    let text = match port {
        _ if name.is_empty() => return glob(""),
        "" if !text.contains(':') => name.to_owned(),
        _ => format!("{name}:{port}"),
    };
    glob(&text.to_ascii_lowercase())
}

/// What -L shows of an option.
pub(super) fn list(name: &str, pattern: Option<&Negatable<String>>) -> String {
    pattern.map_or_else(String::new, |pattern| {
        format!(" {name}:{}{}", pattern.mark(), quote(&pattern.value))
    })
}
