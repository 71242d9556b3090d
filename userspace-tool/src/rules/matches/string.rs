// SPDX-License-Identifier: GPL-2.0

//! `-m string`: whether the packet holds a string.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::{
    error::Error,
    fields::{Negatable, Plain, nest},
    netlink::{
        Nest, Writer,
        spec::{Algorithm, STRING_LENGTH_MAX, attribute::r#match},
    },
    rules::model::{
        extension::{Extension, ExtensionType, RuleContext},
        options::{is, number, options, parsed},
    },
    text::quote,
};

/// The match `string`.
pub(super) static TYPE: ExtensionType = ExtensionType {
    about: "a text in a packet",
    options: options!(StringMatch {
        [!] "string": "TEXT" => pattern: parsed(|text| Pattern::new(text.into(), true)),
            "match if the packet holds the text, of at most 128 bytes";
        [!] "hex-string": "TEXT" => pattern: parsed(|text| Pattern::new(parse_hex(text)?, false)),
            "the same, with bytes between bars in hexadecimal: '|0d 0a|Host:'; a backslash \
             before a bar or a backslash stands for itself";
        [] "algo": "bm|kmp" => algorithm: parsed(parse_algorithm), among || vec!["bm", "kmp"],
            "how it is searched: Boyer-Moore, which may not find what lies across two \
             pieces of a packet's memory, or Knuth-Morris-Pratt";
        [] "from": "N" => from: number(0, LAST),
            "search from this byte of the packet on; its IP header begins at 0";
        [] "to": "N" => to: number(0, LAST),
            "search as far as before this byte: the text has to end there at the latest";
        [] "icase" => ignores_case: is(true), "capital and small letters are the same";
    }),
    required: Some("pattern"),
    notes: "\
Without --algo, as old howtos have it, kmp is taken, and a * at either end of --string is left out: they
write '*.exe' for a text that is anywhere. With --algo a * is a * as in iptables.
A text that is sent in two packets is in neither of them.
",
    examples: &[
        "-A INPUT -p udp -m string --string example --algo bm --to 200 -j DROP",
        "-A INPUT -p udp -m string --hex-string 'x|00 ff|y' --algo kmp -j DROP",
    ],
    ..ExtensionType::nested::<StringMatch>("string", r#match::STRING)
};

/// The end of the search if none is given, and the most that an offset can be.
const LAST: u32 = 65535;

nest! {
    struct StringMatch: string {
        pattern: Negatable<Pattern> = PATTERN ! INVERT, or Negatable::plain(Pattern::default());
        algorithm: Option<Algorithm> = ALGORITHM => "--algo";
        from: u32 = FROM => "--from", unless 0;
        to: u32 = TO => "--to", unless LAST;
        ignores_case: bool = IGNORE_CASE => "--icase";
    }
}

#[derive(Clone, Debug, Default)]
struct Pattern {
    bytes: Vec<u8>,
    /// Whether it came as --string.
    is_text: bool,
}

impl Pattern {
    fn new(bytes: Vec<u8>, is_text: bool) -> Result<Self, String> {
        match bytes.len() {
            0 => Err("there is nothing to search for".to_owned()),
            length if length > STRING_LENGTH_MAX as usize => Err(format!(
                "a string to search for has at most {STRING_LENGTH_MAX} bytes, this one has {length}"
            )),
            _ => Ok(Self { bytes, is_text }),
        }
    }

    /// The pattern as a text, if it can be printed as one.
    fn text(&self) -> Option<&str> {
        let text = std::str::from_utf8(&self.bytes).ok()?;
        // A ! where a value is expected inverts the option.
        (text != "!" && !text.chars().any(char::is_control)).then_some(text)
    }

    fn hexadecimal(&self) -> String {
        let digits: Vec<String> = self
            .bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        digits.concat()
    }

    /// The value of the option that stands for it.
    fn value(&self) -> String {
        match self.text() {
            Some(text) => text.to_owned(),
            None => format!("|{}|", self.hexadecimal()),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let option = self.text().map_or("hex-string", |_| "string");
        write!(out, "--{option} {}", quote(&self.value()))
    }
}

impl Plain for Pattern {
    type Kinds = u16;

    fn read(nest: &Nest<'_>, kind: u16) -> Result<Option<Self>, Error> {
        Ok(nest.get(kind).map(|attribute| Self {
            bytes: attribute.bytes().to_vec(),
            is_text: false,
        }))
    }

    fn write(&self, kind: u16, nest: &mut Writer) {
        nest.bytes(kind, &self.bytes);
    }

    fn json(&self, _key: &str, object: &mut Map<String, Value>) {
        object.insert("text".to_owned(), json!(self.text()));
        object.insert("hexadecimal".to_owned(), json!(self.hexadecimal()));
    }
}

fn parse_hex(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    let mut is_hex = false;
    while let Some(byte) = rest.next() {
        match byte {
            b'|' => is_hex = !is_hex,
            b' ' if is_hex => {}
            high if is_hex => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                let digits = digit(high).zip(rest.next().and_then(digit));
                let (high, low) = digits.ok_or("a byte between bars has two hexadecimal digits")?;
                bytes.push(((high << 4) | low) as u8);
            }
            b'\\' => bytes.push(rest.next().ok_or("a backslash stands at the end")?),
            byte => bytes.push(byte),
        }
    }
    if is_hex {
        return Err("a bar at the end is missing".to_owned());
    }
    Ok(bytes)
}

fn parse_algorithm(text: &str) -> Result<Algorithm, String> {
    let mut known = Algorithm::ALL.into_iter();
    let algorithm = known.find(|algorithm| algorithm.to_string() == text);
    algorithm.ok_or_else(|| "there are bm and kmp".to_owned())
}

/// Leave out the stars at both ends, as old howtos mean them.
fn without_stars(bytes: &[u8]) -> Vec<u8> {
    let is_other = |byte: &u8| *byte != b'*';
    let first = bytes.iter().position(is_other).unwrap_or(bytes.len());
    let end = bytes
        .iter()
        .rposition(is_other)
        .map_or(first, |last| last + 1);
    bytes.get(first..end).unwrap_or_default().to_vec()
}

impl Extension for StringMatch {
    fn kind(&self) -> &'static ExtensionType {
        &TYPE
    }

    fn check(&mut self, _rule: &RuleContext<'_>) -> Result<(), String> {
        let pattern = &mut self.pattern.value;
        if self.algorithm.is_none() && pattern.is_text {
            pattern.bytes = without_stars(&pattern.bytes);
        }
        if pattern.bytes.is_empty() {
            return Err(
                "without --algo a * at the end of --string is left out, and this leaves nothing: \
                 give --algo kmp to search for a *"
                    .to_owned(),
            );
        }
        self.algorithm.get_or_insert(Algorithm::Kmp);
        if self.from > self.to {
            return Err(format!("--from {} is behind --to {}", self.from, self.to));
        }
        Ok(())
    }

    fn list(&self) -> String {
        let (mark, pattern) = (self.pattern.mark(), self.pattern.value.value());
        let mut text = format!(" STRING match {mark}\"{pattern}\"");
        if let Some(algorithm) = self.algorithm {
            text += &format!(" ALGO name {algorithm}");
        }
        if self.from != 0 {
            text += &format!(" FROM {}", self.from);
        }
        if self.to != LAST {
            text += &format!(" TO {}", self.to);
        }
        if self.ignores_case {
            text += " ICASE";
        }
        text
    }
}
