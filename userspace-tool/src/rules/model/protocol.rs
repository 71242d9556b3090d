// SPDX-License-Identifier: GPL-2.0

//! Upper-layer protocols.

use super::{family::Family, names::Names};
use crate::text::is_number;

/// IPPROTO_ICMP
pub(crate) const ICMP: u8 = 1;
/// IPPROTO_TCP
pub(crate) const TCP: u8 = 6;
/// IPPROTO_UDP
pub(crate) const UDP: u8 = 17;
/// IPPROTO_ICMPV6
pub(crate) const ICMPV6: u8 = 58;

/// The protocols that have ports, with the names that /etc/services has for them.
pub(crate) const WITH_PORTS: [(&str, u8); 5] = [
    ("tcp", TCP),
    ("udp", UDP),
    ("udplite", 136),
    ("sctp", 132),
    ("dccp", 33),
];

/// The names that need no file. The first name of a number is the one that is printed.
const NAMES: &[(&str, u8)] = &[
    ("tcp", TCP),
    ("udp", UDP),
    ("udplite", 136),
    ("icmp", ICMP),
    ("ipv6-icmp", ICMPV6),
    ("icmpv6", ICMPV6),
    ("esp", 50),
    ("ah", 51),
    ("sctp", 132),
    ("ipv6-mh", 135),
    ("mh", 135),
    ("all", 0),
];

/// The number of a protocol; 0 stands for all.
pub(crate) fn parse(text: &str, names: &dyn Names) -> Result<u8, String> {
    if !text.is_empty() && is_number(text) {
        return text
            .parse()
            .map_err(|_| "the number of a protocol is at most 255".to_owned());
    }
    let lower = text.to_lowercase();
    number(&lower)
        .or_else(|| names.protocol(&lower))
        .ok_or_else(|| {
            let candidates: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
            format!(
                "unknown protocol: {}",
                crate::error::suggestion(&lower, &candidates)
            )
        })
}

/// The number of a protocol whose name needs no file.
pub(crate) fn number(name: &str) -> Option<u8> {
    let mut names = NAMES.iter();
    names
        .find(|(known, _)| *known == name)
        .map(|(_, number)| *number)
}

/// The name that iptables prints for a protocol, or its number.
pub(crate) fn name(number: u8) -> String {
    NAMES
        .iter()
        .find(|(_, candidate)| *candidate == number)
        .map_or_else(|| number.to_string(), |(name, _)| (*name).to_owned())
}

/// The family of the protocol, if it belongs to one only.
pub(crate) fn family(number: u8) -> Option<Family> {
    match number {
        ICMP => Some(Family::Ipv4),
        ICMPV6 => Some(Family::Ipv6),
        _ => None,
    }
}
