// SPDX-License-Identifier: GPL-2.0

//! `-j REJECT`: drop a packet and tell its sender.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::{
    error::{Error, suggestion},
    fields::{Plain, nest},
    netlink::{Nest, Writer, spec::attribute::target},
    rules::model::{
        extension::{Extension, ExtensionType, RuleContext},
        family::Family,
        options::{options, parsed},
        protocol,
    },
};

/// The target `REJECT`.
pub(super) static TYPE: ExtensionType = ExtensionType {
    about: "drop the packet, and tell its sender",
    options: options!(Reject {
        [] "reject-with": "KIND" => with: parsed(Kind::parse), among Kind::names,
            "what the sender is told; port-unreach (for IPv4 and IPv6) if not given";
    }),
    notes: "\
The kinds that begin with icmp- are for IPv4, those with icmp6- for IPv6, and make the rule one for that
version; tcp-reset needs -p tcp. The target is for the table filter.
",
    examples: &[
        "-A INPUT -j REJECT",
        "-A INPUT -p tcp --dport 113 -j REJECT --reject-with tcp-reset",
    ],
    ..ExtensionType::nested::<Reject>("REJECT", target::REJECT)
};

nest! {
    struct Reject: reject {
        with: Kind = (TCP_RESET, ICMP_CODE, ICMPV6_CODE) => "--reject-with",
            unless Kind::PortUnreachable;
    }
}

/// The answer to the sender.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    /// That the port is unreachable, in IPv4 and in IPv6.
    #[default]
    PortUnreachable,
    TcpReset,
    /// A code of ICMP.
    Icmp(u8),
    /// A code of ICMPv6.
    Icmpv6(u8),
}

/// The kinds with iptables' names for them, of which the first is printed.
const KINDS: &[(Kind, &[&str])] = &[
    (Kind::PortUnreachable, &["port-unreach"]),
    (Kind::Icmp(0), &["icmp-net-unreachable", "net-unreach"]),
    (Kind::Icmp(1), &["icmp-host-unreachable", "host-unreach"]),
    (Kind::Icmp(2), &["icmp-proto-unreachable", "proto-unreach"]),
    (Kind::Icmp(3), &["icmp-port-unreachable"]),
    (Kind::Icmp(9), &["icmp-net-prohibited", "net-prohib"]),
    (Kind::Icmp(10), &["icmp-host-prohibited", "host-prohib"]),
    (Kind::TcpReset, &["tcp-reset", "tcp-rst"]),
    (Kind::Icmp(13), &["icmp-admin-prohibited", "admin-prohib"]),
    (Kind::Icmpv6(0), &["icmp6-no-route", "no-route"]),
    (Kind::Icmpv6(1), &["icmp6-adm-prohibited", "adm-prohibited"]),
    (
        Kind::Icmpv6(2),
        &[
            "icmp6-not-neighbour",
            "not-neighbour",
            "icmp6-not-neighbor",
            "not-neighbor",
        ],
    ),
    (Kind::Icmpv6(3), &["icmp6-addr-unreachable", "addr-unreach"]),
    (Kind::Icmpv6(4), &["icmp6-port-unreachable"]),
    (Kind::Icmpv6(5), &["icmp6-policy-fail", "policy-fail"]),
    (Kind::Icmpv6(6), &["icmp6-reject-route", "reject-route"]),
];

impl Kind {
    /// The names that are printed.
    fn names() -> Vec<&'static str> {
        KINDS
            .iter()
            .filter_map(|(_, names)| names.first().copied())
            .collect()
    }

    /// As in iptables, the start of a name is enough, in any case.
    fn parse(text: &str) -> Result<Self, String> {
        let lower = text.to_ascii_lowercase();
        let find = |fits: &dyn Fn(&str) -> bool| {
            let mut kinds = KINDS.iter();
            let kind = kinds.find(|(_, names)| names.iter().any(|name| fits(name)));
            kind.map(|(kind, _)| *kind)
        };
        find(&|name| name == lower)
            .or_else(|| find(&|name| !lower.is_empty() && name.starts_with(&lower)))
            .ok_or_else(|| {
                format!(
                    "there is no such kind: {}",
                    suggestion(text, &Self::names())
                )
            })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = KINDS.iter().find(|(kind, _)| kind == self);
        match (names.and_then(|(_, names)| names.first()), self) {
            (Some(name), _) => out.write_str(name),
            (None, Self::Icmp(code)) => write!(out, "icmp-{code}"),
            (None, Self::Icmpv6(code)) => write!(out, "icmp6-{code}"),
            (None, _) => Ok(()),
        }
    }
}

impl Plain for Kind {
    type Kinds = (u16, u16, u16);

    fn read(nest: &Nest<'_>, (reset, icmp, icmpv6): Self::Kinds) -> Result<Option<Self>, Error> {
        if nest.has(reset) {
            return Ok(Some(Self::TcpReset));
        }
        let icmp = Plain::read(nest, icmp)?.map(Self::Icmp);
        let icmpv6 = Plain::read(nest, icmpv6)?.map(Self::Icmpv6);
        Ok(icmp.or(icmpv6))
    }

    fn write(&self, (reset, icmp, icmpv6): Self::Kinds, nest: &mut Writer) {
        match self {
            Self::PortUnreachable => {}
            Self::TcpReset => nest.flag(reset),
            Self::Icmp(code) => nest.u8(icmp, *code),
            Self::Icmpv6(code) => nest.u8(icmpv6, *code),
        }
    }

    fn json(&self, key: &str, object: &mut Map<String, Value>) {
        object.insert(key.to_owned(), json!(self.to_string()));
    }
}

impl Extension for Reject {
    fn kind(&self) -> &'static ExtensionType {
        &TYPE
    }

    fn check(&mut self, rule: &RuleContext<'_>) -> Result<(), String> {
        if self.with == Kind::TcpReset && rule.only_protocol() != Some(protocol::TCP) {
            return Err("--reject-with tcp-reset needs -p tcp in the same rule".to_owned());
        }
        Ok(())
    }

    fn family(&self) -> Option<Family> {
        match self.with {
            Kind::Icmp(_) => Some(Family::Ipv4),
            Kind::Icmpv6(_) => Some(Family::Ipv6),
            Kind::PortUnreachable | Kind::TcpReset => None,
        }
    }

    fn list(&self) -> String {
        format!(" reject-with {}", self.with)
    }
}
