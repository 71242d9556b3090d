// SPDX-License-Identifier: GPL-2.0

//! The matches that `-m` loads. A new one is a new file and a line in this list.

mod addrtype;
mod comment;
mod connlimit;
mod conntrack;
mod glob;
mod hashlimit;
mod hop_limit;
mod hosts_file;
mod http;
mod icmp;
mod iprange;
mod length;
mod limit;
mod mark;
mod multiport;
mod named_bits;
mod per;
mod port_range;
mod recent;
mod string;
mod tcp;
mod tcp_flags;
mod tls;
mod udp;

use super::model::extension::ExtensionType;
pub(crate) use comment::comment;
pub(crate) use recent::{Visits, parse_list_name as list_name};

/// All matches, by all of their names.
pub(crate) static ALL: &[&ExtensionType] = &[
    &tcp::TYPE,
    &udp::TYPE,
    &recent::TYPE,
    &icmp::TYPE,
    &icmp::ICMPV6_TYPE,
    &icmp::IPV6_ICMP,
    &icmp::ICMP6,
    &conntrack::TYPE,
    &conntrack::STATE,
    &mark::TYPE,
    &multiport::TYPE,
    &comment::TYPE,
    &limit::TYPE,
    &connlimit::TYPE,
    &string::TYPE,
    &length::TYPE,
    &hop_limit::TTL,
    &hop_limit::HL,
    &iprange::TYPE,
    &addrtype::TYPE,
    &tls::TYPE,
    &http::TYPE,
    &hashlimit::TYPE,
];
