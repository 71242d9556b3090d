// SPDX-License-Identifier: GPL-2.0

//! Types and codes of messages, which ICMP and ICMPv6 match in the same way.

use std::fmt;

use serde_json::{Value, json};

use super::ports::need_protocol;
use crate::{
    error::{Error, suggestion},
    netlink::{Attribute, Writer, spec::attribute::icmp as attribute},
    rules::model::{
        extension::{Extension, Given, set_once},
        rule::Negatable,
    },
};

/// A name of a type or of one of its codes.
#[derive(Debug)]
pub(super) struct Named {
    name: &'static str,
    number: u8,
    code: Option<u8>,
}

/// A type with all its codes.
pub(super) const fn all(name: &'static str, number: u8) -> Named {
    Named {
        name,
        number,
        code: None,
    }
}

/// A code of a type.
pub(super) const fn one(name: &'static str, number: u8, code: u8) -> Named {
    Named {
        name,
        number,
        code: Some(code),
    }
}

/// In what ICMP and ICMPv6 differ.
#[derive(Debug)]
pub(super) struct Protocol {
    /// The name of the match that -S prints.
    pub(super) name: &'static str,
    /// What `-p` has to say.
    pub(super) protocol: (&'static str, u8),
    pub(super) option: &'static str,
    /// What -L calls it.
    pub(super) word: &'static str,
    pub(super) attribute: u16,
    /// The number that stands for all types, if there is one.
    pub(super) any: Option<u8>,
    pub(super) names: &'static [Named],
}

/// A type with a range of codes, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct MessageType {
    number: u8,
    first: u8,
    last: u8,
}

impl MessageType {
    fn new(number: u8, code: Option<u8>) -> Self {
        Self {
            number,
            first: code.unwrap_or(0),
            last: code.unwrap_or(u8::MAX),
        }
    }

    fn has_all_codes(&self) -> bool {
        (self.first, self.last) == (0, u8::MAX)
    }
}

impl fmt::Display for MessageType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.number)?;
        if self.has_all_codes() {
            return Ok(());
        }
        write!(out, "/{}", self.first)?;
        if self.first == self.last {
            Ok(())
        } else {
            write!(out, ":{}", self.last)
        }
    }
}

impl Protocol {
    /// A type; none stands for all of them.
    fn parse(&self, text: &str) -> Result<Option<MessageType>, String> {
        if text.eq_ignore_ascii_case("any") {
            return Ok(None);
        }
        if !text.starts_with(|character: char| character.is_ascii_digit()) {
            return self.parse_name(text).map(Some);
        }
        let (number, codes) = match text.split_once('/') {
            Some((number, codes)) => (number, Some(codes)),
            None => (text, None),
        };
        let mut message_type = MessageType::new(parse_number(number, "type")?, None);
        if self.any == Some(message_type.number) {
            return Ok(None);
        }
        if let Some(codes) = codes {
            let (first, last) = codes.split_once(':').unwrap_or((codes, codes));
            message_type.first = parse_number(first, "code")?;
            message_type.last = parse_number(last, "code")?;
            if message_type.first > message_type.last {
                return Err("the range of codes ends before it starts".to_owned());
            }
        }
        Ok(Some(message_type))
    }

    /// As in iptables, a name may be cut off where it is clear.
    fn parse_name(&self, text: &str) -> Result<MessageType, String> {
        let lower = text.to_lowercase();
        let known = |named: &Named| named.name.to_lowercase();
        let mut candidates: Vec<&Named> = self
            .names
            .iter()
            .filter(|named| !lower.is_empty() && known(named).starts_with(&lower))
            .collect();
        if let Some(exact) = candidates.iter().position(|named| known(named) == lower) {
            candidates = vec![candidates.swap_remove(exact)];
        }
        match candidates.as_slice() {
            [named] => Ok(MessageType::new(named.number, named.code)),
            [] => {
                let names: Vec<&str> = self.names.iter().map(|named| named.name).collect();
                Err(format!(
                    "unknown type: give a number or a name: {}",
                    suggestion(text, &names)
                ))
            }
            several => {
                let names: Vec<&str> = several.iter().map(|named| named.name).collect();
                Err(format!("it may be {}", names.join(" or ")))
            }
        }
    }
}

fn parse_number(text: &str, what: &str) -> Result<u8, String> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|_| digits)
        .ok_or_else(|| format!("a {what} is a number up to 255"))
}

/// Which messages of a protocol match.
#[derive(Debug)]
pub(super) struct Icmp {
    protocol: &'static Protocol,
    /// Without a type, all match.
    wanted: Option<Negatable<Option<MessageType>>>,
}

impl Icmp {
    pub(super) fn new(protocol: &'static Protocol) -> Self {
        Self {
            protocol,
            wanted: None,
        }
    }

    pub(super) fn decode(protocol: &'static Protocol, nest: &Attribute<'_>) -> Result<Self, Error> {
        let (mut number, mut first, mut last, mut inverted) = (None, 0, u8::MAX, false);
        for attribute in nest.nested() {
            let attribute = attribute?;
            match attribute.kind {
                attribute::TYPE => number = Some(attribute.u8()?),
                attribute::CODE_FIRST => first = attribute.u8()?,
                attribute::CODE_LAST => last = attribute.u8()?,
                attribute::INVERT => inverted = true,
                _ => {}
            }
        }
        let value = number.map(|number| MessageType {
            number,
            first,
            last,
        });
        Ok(Self {
            protocol,
            wanted: Some(Negatable { inverted, value }),
        })
    }

    fn wanted(&self) -> Negatable<Option<MessageType>> {
        self.wanted.unwrap_or(Negatable {
            inverted: false,
            value: None,
        })
    }

    fn option_value(&self) -> String {
        let any = || "any".to_owned();
        self.wanted().value.map_or_else(any, |one| one.to_string())
    }
}

impl Extension for Icmp {
    fn name(&self) -> &'static str {
        self.protocol.name
    }

    fn option(&mut self, given: &Given<'_>) -> Result<(), String> {
        let value = self.protocol.parse(given.value())?;
        let wanted = Negatable {
            inverted: given.inverted,
            value,
        };
        set_once(&mut self.wanted, wanted)
    }

    fn check(&mut self, protocol: Option<&Negatable<u8>>) -> Result<(), String> {
        let (name, number) = self.protocol.protocol;
        need_protocol(protocol, number, name)?;
        match self.wanted {
            Some(_) => Ok(()),
            None => Err(format!("needs --{}", self.protocol.option)),
        }
    }

    fn save(&self) -> String {
        let (prefix, value) = (self.wanted().prefix(), self.option_value());
        format!(" {prefix}--{} {value}", self.protocol.option)
    }

    fn list(&self) -> String {
        let wanted = self.wanted();
        let mut text = format!(" {} {}", self.protocol.word, wanted.mark());
        let Some(message_type) = wanted.value else {
            return text + "any";
        };
        text += &message_type.number.to_string();
        let MessageType { first, last, .. } = message_type;
        if first == last {
            text += &format!(" code {first}");
        } else if !message_type.has_all_codes() {
            text += &format!(" codes {first}-{last}");
        }
        text
    }

    fn json(&self) -> Value {
        let wanted = self.wanted();
        json!({
            "type": wanted.value.map(|one| one.number),
            "codes": wanted.value.map(|one| json!({ "first": one.first, "last": one.last })),
            "inverted": wanted.inverted,
        })
    }

    fn encode(&self, request: &mut Writer) {
        let wanted = self.wanted();
        request.nested(self.protocol.attribute, |nest| {
            let label = format!("--{} {}", self.protocol.option, self.option_value());
            nest.labelled(label, |nest| {
                if let Some(message_type) = wanted.value {
                    nest.u8(attribute::TYPE, message_type.number);
                    nest.u8(attribute::CODE_FIRST, message_type.first);
                    nest.u8(attribute::CODE_LAST, message_type.last);
                }
                if wanted.inverted {
                    nest.flag(attribute::INVERT);
                }
            });
        });
    }
}
