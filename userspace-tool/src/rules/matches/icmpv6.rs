// SPDX-License-Identifier: GPL-2.0

//! `-m icmp6`: type and code of an ICMPv6 message. iptables knows the match by the protocol's names, too.

use std::rc::Rc;

use super::icmp_type::{Icmp, Protocol, all, one};
use crate::{
    netlink::spec::attribute::r#match,
    rules::model::{
        extension::{ExtensionOption, ExtensionType},
        protocol,
    },
};

pub(super) static TYPE: ExtensionType = extension_type("icmpv6");
pub(super) static LONG: ExtensionType = extension_type("ipv6-icmp");
pub(super) static SHORT: ExtensionType = extension_type("icmp6");

static OPTIONS: [ExtensionOption; 1] = [ExtensionOption::value(&["icmpv6-type"]).negatable()];

const fn extension_type(name: &'static str) -> ExtensionType {
    ExtensionType {
        name,
        help: "\
[!] --icmpv6-type TYPE[/CODE]                 a type by number or name, such as 128, 1/4, echo-request,
                                              port-unreachable; any stands for all
",
        options: &OPTIONS,
        attribute: r#match::ICMPV6,
        new: || Box::new(Icmp::new(&PROTOCOL)),
        decode: |nest| Ok(Rc::new(Icmp::decode(&PROTOCOL, nest)?)),
    }
}

static PROTOCOL: Protocol = Protocol {
    name: "icmp6",
    protocol: ("icmpv6", protocol::ICMPV6),
    option: "icmpv6-type",
    word: "ipv6-icmptype",
    attribute: r#match::ICMPV6,
    any: None,
    names: &[
        all("destination-unreachable", 1),
        one("no-route", 1, 0),
        one("communication-prohibited", 1, 1),
        one("beyond-scope", 1, 2),
        one("address-unreachable", 1, 3),
        one("port-unreachable", 1, 4),
        one("failed-policy", 1, 5),
        one("reject-route", 1, 6),
        all("packet-too-big", 2),
        all("time-exceeded", 3),
        all("ttl-exceeded", 3),
        one("ttl-zero-during-transit", 3, 0),
        one("ttl-zero-during-reassembly", 3, 1),
        all("parameter-problem", 4),
        one("bad-header", 4, 0),
        one("unknown-header-type", 4, 1),
        one("unknown-option", 4, 2),
        all("echo-request", 128),
        all("ping", 128),
        all("echo-reply", 129),
        all("pong", 129),
        all("mld-listener-query", 130),
        all("mld-listener-report", 131),
        all("mld-listener-done", 132),
        all("mld-listener-reduction", 132),
        all("router-solicitation", 133),
        all("router-advertisement", 134),
        all("neighbour-solicitation", 135),
        all("neighbor-solicitation", 135),
        all("neighbour-advertisement", 136),
        all("neighbor-advertisement", 136),
        all("redirect", 137),
    ],
};
