// SPDX-License-Identifier: GPL-2.0

//! `-m string`: whether the packet holds a string.

use std::rc::Rc;

use serde_json::{Value, json};

use crate::{
    error::Error,
    netlink::{
        Attribute, Writer,
        spec::{
            Algorithm, STRING_LENGTH_MAX,
            attribute::{r#match, string as attribute},
        },
    },
    rules::model::{
        extension::{Extension, ExtensionOption, ExtensionType, Given, set_once},
        rule::Negatable,
    },
    text::quote,
};

pub(super) static TYPE: ExtensionType = ExtensionType {
    name: "string",
    help: "\
[!] --string TEXT       match if the packet holds the text, of at most 128 bytes
[!] --hex-string TEXT   the same, with bytes between bars in hexadecimal: '|0d 0a|Host:'; a backslash
                        before a bar or a backslash stands for itself
    --algo bm|kmp       how it is searched: Boyer-Moore, which may not find what lies across two
                        pieces of a packet's memory, or Knuth-Morris-Pratt
    --from N            search from this byte of the packet on; its IP header begins at 0
    --to N              search as far as before this byte: the text has to end there at the latest
    --icase             capital and small letters are the same
Without --algo, as old howtos have it, kmp is taken, and a * at either end of --string is left out: they
write '*.exe' for a text that is anywhere. With --algo a * is a * as in iptables.
A text that is sent in two packets is in neither of them.
",
    options: &[
        ExtensionOption::value(&["string"]).negatable(),
        ExtensionOption::value(&["hex-string"]).negatable(),
        ExtensionOption::value(&["algo"]),
        ExtensionOption::value(&["from"]),
        ExtensionOption::value(&["to"]),
        ExtensionOption::flag(&["icase"]),
    ],
    attribute: r#match::STRING,
    new: || Box::new(StringMatch::default()),
    decode: |nest| Ok(Rc::new(StringMatch::decode(nest)?)),
};

/// The end of the search if none is given, and the most that an offset can be.
const LAST: u32 = 65535;

#[derive(Debug, Default)]
struct StringMatch {
    pattern: Option<Negatable<Vec<u8>>>,
    /// Whether the pattern came as --string.
    is_text: bool,
    algorithm: Option<Algorithm>,
    from: Option<u32>,
    to: Option<u32>,
    ignores_case: Option<()>,
}

impl StringMatch {
    fn decode(nest: &Attribute<'_>) -> Result<Self, Error> {
        let mut string = Self::default();
        let (mut value, mut inverted) = (Vec::new(), false);
        for attribute in nest.nested() {
            let attribute = attribute?;
            match attribute.kind {
                attribute::PATTERN => value = attribute.bytes().to_vec(),
                attribute::ALGORITHM => {
                    string.algorithm = Some(attribute.one_of(Algorithm::from_number)?);
                }
                attribute::FROM => string.from = Some(attribute.u32()?),
                attribute::TO => string.to = Some(attribute.u32()?),
                attribute::IGNORE_CASE => string.ignores_case = Some(()),
                attribute::INVERT => inverted = true,
                _ => {}
            }
        }
        string.pattern = Some(Negatable { inverted, value });
        Ok(string)
    }

    fn algorithm(&self) -> Algorithm {
        self.algorithm.unwrap_or(Algorithm::Kmp)
    }

    fn from(&self) -> u32 {
        self.from.unwrap_or(0)
    }

    fn to(&self) -> u32 {
        self.to.unwrap_or(LAST)
    }

    fn pattern(&self) -> &[u8] {
        self.pattern.as_ref().map_or(&[], |pattern| &pattern.value)
    }

    fn is_inverted(&self) -> bool {
        self.pattern
            .as_ref()
            .is_some_and(|pattern| pattern.inverted)
    }

    /// The option that stands for the pattern, and its value.
    fn option_and_value(&self) -> (&'static str, String) {
        match text(self.pattern()) {
            Some(text) => ("string", text.to_owned()),
            None => ("hex-string", hexadecimal(self.pattern())),
        }
    }

    fn set_pattern(&mut self, given: &Given<'_>, value: Vec<u8>) -> Result<(), String> {
        if value.len() > STRING_LENGTH_MAX as usize {
            return Err(format!(
                "a string to search for has at most {STRING_LENGTH_MAX} bytes, this one has {}",
                value.len()
            ));
        }
        if value.is_empty() {
            return Err("there is nothing to search for".to_owned());
        }
        self.is_text = given.name == "string";
        let pattern = Negatable {
            inverted: given.inverted,
            value,
        };
        set_once(&mut self.pattern, pattern)
            .map_err(|_| "--string or --hex-string was given before".to_owned())
    }
}

/// The pattern as a text, if it can be printed as one.
fn text(pattern: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(pattern).ok()?;
    // A ! where a value is expected inverts the option.
    (text != "!" && !text.chars().any(char::is_control)).then_some(text)
}

fn hexadecimal(pattern: &[u8]) -> String {
    let digits: Vec<String> = pattern.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("|{}|", digits.concat())
}

fn parse_hexadecimal(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    let mut is_hexadecimal = false;
    while let Some(byte) = rest.next() {
        match byte {
            b'|' => is_hexadecimal = !is_hexadecimal,
            b' ' if is_hexadecimal => {}
            high if is_hexadecimal => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                let digits = digit(high).zip(rest.next().and_then(digit));
                let (high, low) = digits.ok_or("a byte between bars has two hexadecimal digits")?;
                bytes.push(((high << 4) | low) as u8);
            }
            b'\\' => bytes.push(rest.next().ok_or("a backslash stands at the end")?),
            byte => bytes.push(byte),
        }
    }
    if is_hexadecimal {
        return Err("a bar at the end is missing".to_owned());
    }
    Ok(bytes)
}

fn parse_offset(text: &str) -> Result<u32, String> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(number) if digits && number <= LAST => Ok(number),
        _ => Err(format!("this has to be a number from 0 to {LAST}")),
    }
}

impl Extension for StringMatch {
    fn name(&self) -> &'static str {
        TYPE.name
    }

    fn option(&mut self, given: &Given<'_>) -> Result<(), String> {
        match given.name {
            "string" => self.set_pattern(given, given.value().as_bytes().to_vec()),
            "hex-string" => self.set_pattern(given, parse_hexadecimal(given.value())?),
            "algo" => {
                let mut known = Algorithm::ALL.into_iter();
                let algorithm = known
                    .find(|algorithm| algorithm.to_string() == given.value())
                    .ok_or("there are bm and kmp")?;
                set_once(&mut self.algorithm, algorithm)
            }
            "from" => set_once(&mut self.from, parse_offset(given.value())?),
            "to" => set_once(&mut self.to, parse_offset(given.value())?),
            _ => set_once(&mut self.ignores_case, ()),
        }
    }

    fn check(&mut self, _protocol: Option<&Negatable<u8>>) -> Result<(), String> {
        let is_loose = self.algorithm.is_none() && self.is_text;
        let Some(pattern) = &mut self.pattern else {
            return Err("needs --string or --hex-string".to_owned());
        };
        if is_loose {
            let star = |byte: &u8| *byte == b'*';
            let start = pattern.value.iter().take_while(|byte| star(byte)).count();
            pattern.value.drain(..start);
            while pattern.value.last().is_some_and(star) {
                pattern.value.pop();
            }
            if pattern.value.is_empty() {
                return Err(
                    "without --algo a * at the end of --string is left out, and this leaves nothing: \
                     give --algo kmp to search for a *"
                        .to_owned(),
                );
            }
        }
        if self.from() > self.to() {
            return Err(format!(
                "--from {} is behind --to {}",
                self.from(),
                self.to()
            ));
        }
        Ok(())
    }

    fn save(&self) -> String {
        let mark = if self.is_inverted() { "! " } else { "" };
        let (option, value) = self.option_and_value();
        let algorithm = self.algorithm();
        let mut text = format!(" {mark}--{option} {} --algo {algorithm}", quote(&value));
        if self.from() != 0 {
            text += &format!(" --from {}", self.from());
        }
        if self.to() != LAST {
            text += &format!(" --to {}", self.to());
        }
        if self.ignores_case.is_some() {
            text += " --icase";
        }
        text
    }

    fn list(&self) -> String {
        let mark = if self.is_inverted() { "!" } else { "" };
        let (_, value) = self.option_and_value();
        let mut text = format!(
            " STRING match {mark}\"{value}\" ALGO name {}",
            self.algorithm()
        );
        if self.from() != 0 {
            text += &format!(" FROM {}", self.from());
        }
        if self.to() != LAST {
            text += &format!(" TO {}", self.to());
        }
        if self.ignores_case.is_some() {
            text += " ICASE";
        }
        text
    }

    fn json(&self) -> Value {
        json!({
            "text": text(self.pattern()),
            "hexadecimal": hexadecimal(self.pattern()).trim_matches('|'),
            "inverted": self.is_inverted(),
            "algorithm": self.algorithm().to_string(),
            "from": self.from(),
            "to": self.to(),
            "ignores_case": self.ignores_case.is_some(),
        })
    }

    fn encode(&self, request: &mut Writer) {
        let (option, value) = self.option_and_value();
        request.nested(TYPE.attribute, |nest| {
            nest.labelled(format_args!("--{option} {value}"), |nest| {
                nest.bytes(attribute::PATTERN, self.pattern());
                if self.is_inverted() {
                    nest.flag(attribute::INVERT);
                }
            });
            nest.labelled(format_args!("--algo {}", self.algorithm()), |nest| {
                nest.u32(attribute::ALGORITHM, self.algorithm().number());
            });
            nest.u32(attribute::FROM, self.from());
            nest.u32(attribute::TO, self.to());
            if self.ignores_case.is_some() {
                nest.flag(attribute::IGNORE_CASE);
            }
        });
    }
}
