// SPDX-License-Identifier: GPL-2.0

//! `-m icmp` and `-m icmp6`: type and code of an ICMP message. iptables knows the latter by the protocol's names, too.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::{
    error::{Error, suggestion},
    fields::{Negatable, Plain, nest},
    netlink::{Nest, Writer, spec::attribute::r#match},
    rules::model::{
        extension::{Extension, ExtensionType},
        options::{ExtensionOption, options, parsed},
        protocol::{ICMP, ICMPV6},
    },
    text::number,
};

/// The match `icmp`.
pub(super) static TYPE: ExtensionType = ExtensionType {
    about: "type and code of an ICMP message",
    options: options!(Icmp {
        [!] "icmp-type": "TYPE[/CODE]" => messages: parsed(|text| match Messages::parse(text, NAMES)? {
            // As in iptables, this number stands for all types.
            Messages { number: Some(255), .. } => Ok(Messages::ANY),
            messages => Ok(messages),
        }),
            among || names(NAMES), "a type by number or name, such as 8, 3/4, ping; any stands for all";
    }),
    required: Some("messages"),
    protocols: &[("icmp", ICMP)],
    examples: &["-A INPUT -p icmp --icmp-type echo-request -j ACCEPT"],
    ..ExtensionType::nested::<Icmp>("icmp", r#match::ICMP)
};

/// The match `icmp6`.
pub(super) static ICMP6: ExtensionType = icmpv6("icmp6", "another name of icmpv6");
/// The match `ipv6-icmp`.
pub(super) static IPV6_ICMP: ExtensionType = icmpv6("ipv6-icmp", "another name of icmpv6");
/// The match `icmpv6`.
pub(super) static ICMPV6_TYPE: ExtensionType =
    icmpv6("icmpv6", "type and code of an ICMPv6 message");

static OPTIONS_V6: &[ExtensionOption] = options!(Icmpv6 {
    [!] "icmpv6-type": "TYPE[/CODE]" => messages: parsed(|text| Messages::parse(text, NAMES_V6)),
        among || names(NAMES_V6), "a type by number or name, such as 128, 1/4, ping; any stands for all";
});

const fn icmpv6(name: &'static str, about: &'static str) -> ExtensionType {
    ExtensionType {
        about,
        options: OPTIONS_V6,
        required: Some("messages"),
        protocols: &[("icmpv6", ICMPV6)],
        examples: &["-A INPUT -p icmpv6 --icmpv6-type 128 -j ACCEPT"],
        ..ExtensionType::nested::<Icmpv6>(name, r#match::ICMPV6)
    }
}

nest! {
    struct Icmp: icmp {
        messages: Negatable<Messages> = (TYPE, CODE_FIRST, CODE_LAST) ! INVERT => "--icmp-type",
            or Negatable::plain(Messages::ANY);
    }
}

nest! {
    struct Icmpv6: icmp {
        messages: Negatable<Messages> = (TYPE, CODE_FIRST, CODE_LAST) ! INVERT => "--icmpv6-type",
            or Negatable::plain(Messages::ANY);
    }
}

impl Extension for Icmp {
    fn kind(&self) -> &'static ExtensionType {
        &TYPE
    }

    fn list(&self) -> String {
        list("icmptype", &self.messages)
    }
}

impl Extension for Icmpv6 {
    fn kind(&self) -> &'static ExtensionType {
        &ICMP6
    }

    fn list(&self) -> String {
        list("ipv6-icmptype", &self.messages)
    }
}

fn list(word: &str, messages: &Negatable<Messages>) -> String {
    let start = format!(" {word} {}", messages.mark());
    match messages.value {
        Messages { number: None, .. } => start + "any",
        Messages {
            number: Some(number),
            first,
            last,
        } => match (first, last) {
            _ if first == last => format!("{start}{number} code {first}"),
            (0, u8::MAX) => format!("{start}{number}"),
            _ => format!("{start}{number} codes {first}-{last}"),
        },
    }
}

/// Messages of a type, or of all types, with a range of codes, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Messages {
    number: Option<u8>,
    first: u8,
    last: u8,
}

/// A name with its type and its code; without a code it stands for all codes.
type Name = (&'static str, u8, Option<u8>);

impl Messages {
    const ANY: Self = Self {
        number: None,
        first: 0,
        last: u8::MAX,
    };

    fn parse(text: &str, names: &[Name]) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("any") {
            return Ok(Self::ANY);
        }
        if !text.starts_with(|character: char| character.is_ascii_digit()) {
            return Self::parse_name(text, names);
        }
        let (number, codes) = match text.split_once('/') {
            Some((number, codes)) => (number, Some(codes)),
            None => (text, None),
        };
        let mut messages = Self {
            number: Some(parse_number(number, "type")?),
            ..Self::ANY
        };
        if let Some(codes) = codes {
            let (first, last) = codes.split_once(':').unwrap_or((codes, codes));
            messages.first = parse_number(first, "code")?;
            messages.last = parse_number(last, "code")?;
            if messages.first > messages.last {
                return Err("the range of codes ends before it starts".to_owned());
            }
        }
        Ok(messages)
    }

    /// As in iptables, a name may be cut off where it is clear.
    fn parse_name(text: &str, names: &[Name]) -> Result<Self, String> {
        let lower = text.to_lowercase();
        let known = |(name, ..): &Name| name.to_lowercase();
        let is_meant = |name: &&Name| !lower.is_empty() && known(name).starts_with(&lower);
        let mut candidates: Vec<&Name> = names.iter().filter(is_meant).collect();
        if let Some(exact) = candidates.iter().position(|name| known(name) == lower) {
            candidates = vec![candidates.swap_remove(exact)];
        }
        match candidates.as_slice() {
            [(_, number, code)] => Ok(Self {
                number: Some(*number),
                first: code.unwrap_or(0),
                last: code.unwrap_or(u8::MAX),
            }),
            [] => {
                let suggestion = suggestion(text, &self::names(names));
                Err(format!(
                    "unknown type: give a number or a name: {suggestion}"
                ))
            }
            several => {
                let names: Vec<&str> = several.iter().map(|(name, ..)| *name).collect();
                Err(format!("it may be {}", names.join(" or ")))
            }
        }
    }
}

fn names(names: &[Name]) -> Vec<&'static str> {
    names.iter().map(|(name, ..)| *name).collect()
}

fn parse_number(text: &str, what: &str) -> Result<u8, String> {
    number(text).ok_or_else(|| format!("a {what} is a number up to 255"))
}

impl fmt::Display for Messages {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(number) = self.number else {
            return out.write_str("any");
        };
        match (self.first, self.last) {
            (0, u8::MAX) => write!(out, "{number}"),
            (first, last) if first == last => write!(out, "{number}/{first}"),
            (first, last) => write!(out, "{number}/{first}:{last}"),
        }
    }
}

impl Plain for Messages {
    type Kinds = (u16, u16, u16);

    fn read(nest: &Nest<'_>, (number, first, last): Self::Kinds) -> Result<Option<Self>, Error> {
        Ok(Some(Self {
            number: Plain::read(nest, number)?,
            first: Plain::read(nest, first)?.unwrap_or(0),
            last: Plain::read(nest, last)?.unwrap_or(u8::MAX),
        }))
    }

    fn write(&self, (number, first, last): Self::Kinds, nest: &mut Writer) {
        if let Some(value) = self.number {
            nest.u8(number, value);
            nest.u8(first, self.first);
            nest.u8(last, self.last);
        }
    }

    fn json(&self, _key: &str, object: &mut Map<String, Value>) {
        let codes = json!({ "first": self.first, "last": self.last });
        object.insert("type".to_owned(), json!(self.number));
        object.insert("codes".to_owned(), json!(self.number.map(|_| codes)));
    }
}

const NAMES: &[Name] = &[
    ("echo-reply", 0, None),
    ("pong", 0, None),
    ("destination-unreachable", 3, None),
    ("network-unreachable", 3, Some(0)),
    ("host-unreachable", 3, Some(1)),
    ("protocol-unreachable", 3, Some(2)),
    ("port-unreachable", 3, Some(3)),
    ("fragmentation-needed", 3, Some(4)),
    ("source-route-failed", 3, Some(5)),
    ("network-unknown", 3, Some(6)),
    ("host-unknown", 3, Some(7)),
    ("network-prohibited", 3, Some(9)),
    ("host-prohibited", 3, Some(10)),
    ("TOS-network-unreachable", 3, Some(11)),
    ("TOS-host-unreachable", 3, Some(12)),
    ("communication-prohibited", 3, Some(13)),
    ("host-precedence-violation", 3, Some(14)),
    ("precedence-cutoff", 3, Some(15)),
    ("source-quench", 4, None),
    ("redirect", 5, None),
    ("network-redirect", 5, Some(0)),
    ("host-redirect", 5, Some(1)),
    ("TOS-network-redirect", 5, Some(2)),
    ("TOS-host-redirect", 5, Some(3)),
    ("echo-request", 8, None),
    ("ping", 8, None),
    ("router-advertisement", 9, None),
    ("router-solicitation", 10, None),
    ("time-exceeded", 11, None),
    ("ttl-exceeded", 11, None),
    ("ttl-zero-during-transit", 11, Some(0)),
    ("ttl-zero-during-reassembly", 11, Some(1)),
    ("parameter-problem", 12, None),
    ("ip-header-bad", 12, Some(0)),
    ("required-option-missing", 12, Some(1)),
    ("timestamp-request", 13, None),
    ("timestamp-reply", 14, None),
    ("address-mask-request", 17, None),
    ("address-mask-reply", 18, None),
];

const NAMES_V6: &[Name] = &[
    ("destination-unreachable", 1, None),
    ("no-route", 1, Some(0)),
    ("communication-prohibited", 1, Some(1)),
    ("beyond-scope", 1, Some(2)),
    ("address-unreachable", 1, Some(3)),
    ("port-unreachable", 1, Some(4)),
    ("failed-policy", 1, Some(5)),
    ("reject-route", 1, Some(6)),
    ("packet-too-big", 2, None),
    ("time-exceeded", 3, None),
    ("ttl-exceeded", 3, None),
    ("ttl-zero-during-transit", 3, Some(0)),
    ("ttl-zero-during-reassembly", 3, Some(1)),
    ("parameter-problem", 4, None),
    ("bad-header", 4, Some(0)),
    ("unknown-header-type", 4, Some(1)),
    ("unknown-option", 4, Some(2)),
    ("echo-request", 128, None),
    ("ping", 128, None),
    ("echo-reply", 129, None),
    ("pong", 129, None),
    ("mld-listener-query", 130, None),
    ("mld-listener-report", 131, None),
    ("mld-listener-done", 132, None),
    ("mld-listener-reduction", 132, None),
    ("router-solicitation", 133, None),
    ("router-advertisement", 134, None),
    ("neighbour-solicitation", 135, None),
    ("neighbor-solicitation", 135, None),
    ("neighbour-advertisement", 136, None),
    ("neighbor-advertisement", 136, None),
    ("redirect", 137, None),
];
