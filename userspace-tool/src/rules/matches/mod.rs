// SPDX-License-Identifier: GPL-2.0

//! The matches that `-m` loads. A new one is a new file and a line in this list.

mod comment;
mod connlimit;
mod conntrack;
mod icmp;
mod icmp_type;
mod icmpv6;
mod limit;
mod mark;
mod multiport;
mod port_range;
mod ports;
mod recent;
mod string;
mod tcp;
mod tcp_flags;
mod udp;

use super::model::extension::ExtensionType;
pub(crate) use recent::parse_list_name as list_name;

pub(crate) static ALL: &[&ExtensionType] = &[
    &tcp::TYPE,
    &udp::TYPE,
    &recent::TYPE,
    &icmp::TYPE,
    &icmpv6::TYPE,
    &icmpv6::LONG,
    &icmpv6::SHORT,
    &conntrack::TYPE,
    &conntrack::STATE,
    &mark::TYPE,
    &multiport::TYPE,
    &comment::TYPE,
    &limit::TYPE,
    &connlimit::TYPE,
    &string::TYPE,
];
