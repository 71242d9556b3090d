// SPDX-License-Identifier: GPL-2.0

//! `-m addrtype`: what the packet's addresses are to this host.

use std::fmt;

use super::named_bits::{self, NamedBit};
use crate::{
    fields::{Negatable, nest, plain},
    netlink::spec::attribute::r#match,
    rules::model::{
        extension::{Extension, ExtensionType, RuleContext},
        family::Family,
        options::{is, options, parsed},
    },
};

/// The match `addrtype`.
pub(super) static TYPE: ExtensionType = ExtensionType {
    about: "what addresses are to this host",
    options: options!(Addrtype {
        [!] "src-type": "TYPE,.." => source: parsed(Types::parse), among || named_bits::names(u32::MAX, &TYPES),
            "the source address is of one of these types";
        [!] "dst-type": "TYPE,.." => destination: parsed(Types::parse),
            among || named_bits::names(u32::MAX, &TYPES), "the destination address is of one of these types";
        [] "limit-iface-in" => limit_in: is(true),
            "addresses count for the incoming interface only; in PREROUTING, INPUT and FORWARD";
        [] "limit-iface-out" => limit_out: is(true),
            "addresses count for the outgoing interface only; in FORWARD, OUTPUT and POSTROUTING";
    }),
    notes: "\
With BROADCAST, BLACKHOLE, PROHIBIT, THROW, NAT or XRESOLVE the rule is for IPv4. An IPv6 address has to be of
each of the types UNSPEC, UNICAST and MULTICAST that are given, and of one of the others.
",
    examples: &["-A INPUT -m addrtype --dst-type BROADCAST -j DROP"],
    ..ExtensionType::nested::<Addrtype>("addrtype", r#match::ADDRTYPE)
};

nest! {
    struct Addrtype: addrtype {
        source: Option<Negatable<Types>> = SOURCE ! SOURCE_INVERT => "--src-type";
        destination: Option<Negatable<Types>> = DESTINATION ! DESTINATION_INVERT => "--dst-type";
        limit_in: bool = LIMIT_IFACE_IN => "--limit-iface-in";
        limit_out: bool = LIMIT_IFACE_OUT => "--limit-iface-out";
    }
}

/// `1 << RTN_*`, in the order in which iptables prints them.
static TYPES: [NamedBit; 12] = [
    ("UNSPEC", 0x1),
    ("UNICAST", 0x2),
    ("LOCAL", 0x4),
    ("BROADCAST", 0x8),
    ("ANYCAST", 0x10),
    ("MULTICAST", 0x20),
    ("BLACKHOLE", 0x40),
    ("UNREACHABLE", 0x80),
    ("PROHIBIT", 0x100),
    ("THROW", 0x200),
    ("NAT", 0x400),
    ("XRESOLVE", 0x800),
];

/// The types that no IPv6 address is of: BROADCAST, BLACKHOLE and from PROHIBIT on.
const IPV4_ONLY: u32 = 0xf48;

/// The bits of types.
#[derive(Clone, Copy, Debug)]
struct Types(u32);

impl Types {
    fn parse(text: &str) -> Result<Self, String> {
        named_bits::parse(text, "address type", &TYPES).map(Self)
    }

    fn names(self) -> Vec<&'static str> {
        named_bits::names(self.0, &TYPES)
    }
}

impl fmt::Display for Types {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.names().join(","))
    }
}

plain! {
    Types: u32() as Types, |this| u32(this.0), this.names();
}

impl Addrtype {
    fn types(&self) -> impl Iterator<Item = Types> {
        let types = self.source.iter().chain(&self.destination);
        types.map(|types| types.value)
    }
}

impl Extension for Addrtype {
    fn kind(&self) -> &'static ExtensionType {
        &TYPE
    }

    fn check(&mut self, _rule: &RuleContext<'_>) -> Result<(), String> {
        if self.types().next().is_none() {
            return Err("needs --src-type or --dst-type".to_owned());
        }
        if self.limit_in && self.limit_out {
            return Err("--limit-iface-in and --limit-iface-out exclude each other".to_owned());
        }
        Ok(())
    }

    fn family(&self) -> Option<Family> {
        let mut types = self.types();
        (types.any(|types| types.0 & IPV4_ONLY != 0)).then_some(Family::Ipv4)
    }

    fn list(&self) -> String {
        let mut text = " ADDRTYPE match".to_owned();
        for (side, types) in [("src", &self.source), ("dst", &self.destination)] {
            if let Some(types) = types {
                text += &format!(" {side}-type {}{}", types.mark(), types.value);
            }
        }
        for (side, is_limit) in [("in", self.limit_in), ("out", self.limit_out)] {
            if is_limit {
                text += &format!(" limit-{side}");
            }
        }
        text
    }
}
