// SPDX-License-Identifier: GPL-2.0

//! `-j REJECT`: the packet is dropped, and its sender told.

use std::rc::Rc;

use serde_json::{Value, json};

use crate::{
    error::{Error, suggestion},
    netlink::{
        Attribute, Writer,
        spec::attribute::{reject as attribute, target},
    },
    rules::model::{
        extension::{Extension, ExtensionOption, ExtensionType, Given, set_once},
        protocol,
        rule::{Family, Negatable},
    },
};

pub(super) static TYPE: ExtensionType = ExtensionType {
    name: "REJECT",
    help: "\
    --reject-with KIND   what the sender is told; port-unreach (for IPv4 and IPv6) if not given
For TCP (-p tcp): tcp-reset
For IPv4: icmp-net-unreachable, icmp-host-unreachable, icmp-proto-unreachable, icmp-port-unreachable,
          icmp-net-prohibited, icmp-host-prohibited, icmp-admin-prohibited
For IPv6: icmp6-no-route, icmp6-adm-prohibited, icmp6-not-neighbour, icmp6-addr-unreachable,
          icmp6-port-unreachable, icmp6-policy-fail, icmp6-reject-route
A kind of one IP version makes the rule one for that version. The target is for the table filter.
",
    options: &[ExtensionOption::value(&["reject-with"])],
    attribute: target::REJECT,
    new: || Box::new(Reject::default()),
    decode: |nest| Ok(Rc::new(Reject::decode(nest)?)),
};

/// What the sender is told.
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
    /// As in iptables the beginning of a name will do, and capital letters are small ones.
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
                let known: Vec<&str> = KINDS
                    .iter()
                    .filter_map(|(_, names)| names.first().copied())
                    .collect();
                format!("there is no such kind: {}", suggestion(text, &known))
            })
    }

    fn name(self) -> String {
        let names = KINDS.iter().find(|(kind, _)| *kind == self);
        match (names.and_then(|(_, names)| names.first()), self) {
            (Some(name), _) => (*name).to_owned(),
            (None, Self::Icmp(code)) => format!("icmp-{code}"),
            (None, Self::Icmpv6(code)) => format!("icmp6-{code}"),
            (None, _) => String::new(),
        }
    }
}

#[derive(Debug, Default)]
struct Reject {
    kind: Option<Kind>,
}

impl Reject {
    fn decode(nest: &Attribute<'_>) -> Result<Self, Error> {
        let mut kind = None;
        for attribute in nest.nested() {
            let attribute = attribute?;
            match attribute.kind {
                attribute::TCP_RESET => kind = Some(Kind::TcpReset),
                attribute::ICMP_CODE => kind = Some(Kind::Icmp(attribute.u8()?)),
                attribute::ICMPV6_CODE => kind = Some(Kind::Icmpv6(attribute.u8()?)),
                _ => {}
            }
        }
        Ok(Self { kind })
    }

    fn kind(&self) -> Kind {
        self.kind.unwrap_or_default()
    }
}

impl Extension for Reject {
    fn name(&self) -> &'static str {
        TYPE.name
    }

    fn option(&mut self, given: &Given<'_>) -> Result<(), String> {
        set_once(&mut self.kind, Kind::parse(given.value())?)
    }

    fn check(&mut self, protocol: Option<&Negatable<u8>>) -> Result<(), String> {
        let is_tcp =
            protocol.is_some_and(|protocol| protocol.value == protocol::TCP && !protocol.inverted);
        if self.kind() == Kind::TcpReset && !is_tcp {
            return Err("--reject-with tcp-reset needs -p tcp in the same rule".to_owned());
        }
        Ok(())
    }

    fn family(&self) -> Option<Family> {
        match self.kind() {
            Kind::Icmp(_) => Some(Family::Ipv4),
            Kind::Icmpv6(_) => Some(Family::Ipv6),
            Kind::PortUnreachable | Kind::TcpReset => None,
        }
    }

    fn save(&self) -> String {
        match self.kind() {
            Kind::PortUnreachable => String::new(),
            kind => format!(" --reject-with {}", kind.name()),
        }
    }

    fn list(&self) -> String {
        format!(" reject-with {}", self.kind().name())
    }

    fn json(&self) -> Value {
        json!({ "with": self.kind().name() })
    }

    fn encode(&self, request: &mut Writer) {
        let kind = self.kind();
        request.nested(TYPE.attribute, |nest| {
            nest.labelled(
                format_args!("--reject-with {}", kind.name()),
                |nest| match kind {
                    Kind::PortUnreachable => {}
                    Kind::TcpReset => nest.flag(attribute::TCP_RESET),
                    Kind::Icmp(code) => nest.u8(attribute::ICMP_CODE, code),
                    Kind::Icmpv6(code) => nest.u8(attribute::ICMPV6_CODE, code),
                },
            );
        });
    }
}
