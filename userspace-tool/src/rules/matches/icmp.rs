// SPDX-License-Identifier: GPL-2.0

//! `-m icmp`: type and code of an ICMP message.

use std::rc::Rc;

use super::icmp_type::{Icmp, Protocol, all, one};
use crate::{
    netlink::spec::attribute::r#match,
    rules::model::{
        extension::{ExtensionOption, ExtensionType},
        protocol,
    },
};

pub(super) static TYPE: ExtensionType = ExtensionType {
    name: PROTOCOL.name,
    help: "\
[!] --icmp-type TYPE[/CODE]                   a type by number or name, such as 8, 3/4, echo-request,
                                              fragmentation-needed; any stands for all
",
    options: &[ExtensionOption::value(&[PROTOCOL.option]).negatable()],
    attribute: PROTOCOL.attribute,
    new: || Box::new(Icmp::new(&PROTOCOL)),
    decode: |nest| Ok(Rc::new(Icmp::decode(&PROTOCOL, nest)?)),
};

static PROTOCOL: Protocol = Protocol {
    name: "icmp",
    protocol: ("icmp", protocol::ICMP),
    option: "icmp-type",
    word: "icmptype",
    attribute: r#match::ICMP,
    any: Some(255),
    names: &[
        all("echo-reply", 0),
        all("pong", 0),
        all("destination-unreachable", 3),
        one("network-unreachable", 3, 0),
        one("host-unreachable", 3, 1),
        one("protocol-unreachable", 3, 2),
        one("port-unreachable", 3, 3),
        one("fragmentation-needed", 3, 4),
        one("source-route-failed", 3, 5),
        one("network-unknown", 3, 6),
        one("host-unknown", 3, 7),
        one("network-prohibited", 3, 9),
        one("host-prohibited", 3, 10),
        one("TOS-network-unreachable", 3, 11),
        one("TOS-host-unreachable", 3, 12),
        one("communication-prohibited", 3, 13),
        one("host-precedence-violation", 3, 14),
        one("precedence-cutoff", 3, 15),
        all("source-quench", 4),
        all("redirect", 5),
        one("network-redirect", 5, 0),
        one("host-redirect", 5, 1),
        one("TOS-network-redirect", 5, 2),
        one("TOS-host-redirect", 5, 3),
        all("echo-request", 8),
        all("ping", 8),
        all("router-advertisement", 9),
        all("router-solicitation", 10),
        all("time-exceeded", 11),
        all("ttl-exceeded", 11),
        one("ttl-zero-during-transit", 11, 0),
        one("ttl-zero-during-reassembly", 11, 1),
        all("parameter-problem", 12),
        one("ip-header-bad", 12, 0),
        one("required-option-missing", 12, 1),
        all("timestamp-request", 13),
        all("timestamp-reply", 14),
        all("address-mask-request", 17),
        all("address-mask-reply", 18),
    ],
};
