// SPDX-License-Identifier: GPL-2.0

//! The match `icmp`: type and code of an ICMP message.

use super::{
    icmp_type::IcmpMatch,
    MatchResult,
    PacketMatch, //
};
use crate::{
    kernel_api::{
        extended_ack::NetlinkResult,
        message::Message,
        netlink::Attribute, //
    },
    packet::{
        Family,
        Packet, //
    },
    rules::resources::{
        Resources,
        Surroundings, //
    },
    spec::attribute::r#match as attributes, //
};
use kernel::prelude::*;

/// IPPROTO_ICMP.
const PROTOCOL: u8 = 1;

/// Type and code of an ICMP message.
#[derive(PartialEq, Eq)]
pub(in crate::rules) struct Icmp(IcmpMatch);

impl PacketMatch for Icmp {
    const ATTRIBUTE: u16 = attributes::ICMP;

    /// The protocol is one of IPv4 alone; what has its number in IPv6 is something else.
    #[inline(never)]
    fn matches(&self, packet: &Packet<'_>) -> MatchResult {
        match packet.family {
            Family::Ipv4 => self.0.matches(packet),
            Family::Ipv6 => MatchResult::Mismatch,
        }
    }

    fn decode<'a>(
        attribute: Attribute<'a>,
        surroundings: &Surroundings<'_>,
        _resources: &mut Resources<'_>,
    ) -> NetlinkResult<'a, Self> {
        IcmpMatch::decode(attribute.nested(), surroundings.header, PROTOCOL).map(Self)
    }

    fn encode(&self, message: &mut Message) -> Result {
        message.nest(Self::ATTRIBUTE, |message| self.0.encode(message))
    }
}
