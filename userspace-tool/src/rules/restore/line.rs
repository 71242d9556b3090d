// SPDX-License-Identifier: GPL-2.0

//! A line as iptables-save writes it.

use crate::{
    netlink::spec::Verdict,
    rules::{
        model::{family::Family, rule::Counters},
        parser::pasted,
    },
};

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    Nothing,
    Comment(String),
    /// `*TABLE`
    Table(String),
    /// `:CHAIN POLICY [PACKETS:BYTES]`, with `-4` or `-6` if the policy is for one family only. The policy of a
    /// user-defined chain is `-`.
    Chain {
        name: String,
        policy: Option<Verdict>,
        counters: Option<Counters>,
        family: Option<Family>,
    },
    /// `[PACKETS:BYTES] -A CHAIN ...`
    Command {
        counters: Option<Counters>,
        words: Vec<String>,
    },
    Commit,
}

/// Parse a line.
pub(super) fn parse(bytes: &[u8]) -> Result<Line, String> {
    if bytes.ends_with(b"\r") {
        return Err(
            "the line ends with a carriage return, as on Windows: convert the file with dos2unix"
                .to_owned(),
        );
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "this is not UTF-8 text".to_owned())?;
    if text.contains(|character: char| character.is_control() && character != '\t') {
        return Err("this is not text: it has control characters".to_owned());
    }
    let text = text.trim();
    match text.as_bytes().first() {
        None => Ok(Line::Nothing),
        Some(b'#') => Ok(Line::Comment(text.to_owned())),
        Some(b'*') => Ok(Line::Table(text[1..].trim().to_owned())),
        Some(b':') => chain(&text[1..]),
        Some(b'[') => {
            let (counters, rest) = text
                .split_once(']')
                .ok_or("the counters have no end: they are [PACKETS:BYTES]")?;
            Ok(Line::Command {
                counters: Some(bracketed(&format!("{counters}]"))?),
                words: words(rest)?,
            })
        }
        Some(b'-') => Ok(Line::Command {
            counters: None,
            words: words(text)?,
        }),
        _ if text == "COMMIT" => Ok(Line::Commit),
        _ if pasted::starts_with_dash(text) => Ok(Line::Command {
            counters: None,
            words: words(text)?,
        }),
        _ => Err("this is no rule: a line begins with -, [, :, * or #, or it is COMMIT".to_owned()),
    }
}

fn chain(text: &str) -> Result<Line, String> {
    let mut words = words(text)?.into_iter();
    let name = words.next().filter(|name| !name.is_empty());
    let name = name.ok_or("the name of the chain is missing")?;
    let policy = match words.next().as_deref() {
        Some("-") => None,
        Some("ACCEPT") => Some(Verdict::Accept),
        Some("DROP") => Some(Verdict::Drop),
        Some(other) => {
            return Err(format!(
                "{other} is no policy: it is ACCEPT or DROP, or - for a chain that is not built in"
            ));
        }
        None => {
            return Err(
                "the policy is missing: ACCEPT or DROP, or - for a chain that is not built in"
                    .to_owned(),
            );
        }
    };
    let mut word = words.next();
    let counters = word
        .take_if(|word| word.starts_with('['))
        .map(|word| bracketed(&word))
        .transpose()?;
    let mut word = word.or_else(|| words.next());
    let family = word
        .as_deref()
        .and_then(family_of)
        .filter(|_| policy.is_some());
    word.take_if(|_| family.is_some());
    match word.or_else(|| words.next()) {
        Some(word) => Err(format!(
            "{word} is too much: a chain ends with its counters"
        )),
        None => Ok(Line::Chain {
            name,
            policy,
            counters,
            family,
        }),
    }
}

fn family_of(option: &str) -> Option<Family> {
    Family::only(option == "-4", option == "-6")
}

fn bracketed(word: &str) -> Result<Counters, String> {
    word.strip_prefix('[')
        .and_then(|word| word.strip_suffix(']'))
        .and_then(|word| word.split_once(':'))
        .and_then(|(packets, bytes)| Counters::parse(packets, bytes))
        .ok_or_else(|| format!("{word} are no counters: they are [PACKETS:BYTES]"))
}

/// Split a line into words at blanks. Double quotes keep blanks; within them a backslash escapes the next character.
pub(super) fn words(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    let mut rest = line;
    while let Some(index) = rest.find(['"', '\\', ' ', '\t']) {
        let (plain, special) = rest.split_at(index);
        if !plain.is_empty() {
            word.get_or_insert_default().push_str(plain);
        }
        let mut characters = special.chars();
        match characters.next() {
            Some('"') => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            Some('\\') if quoted => word.get_or_insert_default().extend(characters.next()),
            Some(' ' | '\t') if !quoted => words.extend(word.take()),
            other => word.get_or_insert_default().extend(other),
        }
        rest = characters.as_str();
    }
    if !rest.is_empty() {
        word.get_or_insert_default().push_str(rest);
    }
    if quoted {
        return Err("a quotation mark has no partner".to_owned());
    }
    words.extend(word);
    Ok(words)
}
