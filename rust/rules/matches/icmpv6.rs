// SPDX-License-Identifier: GPL-2.0

//! The match `icmpv6`: type and code of an ICMPv6 message.

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
        Packet,
        IPPROTO_ICMPV6, //
    },
    rules::resources::{
        Resources,
        Surroundings, //
    },
    spec::attribute::r#match as attributes, //
};
use kernel::prelude::*;

/// Type and code of an ICMPv6 message.
#[derive(PartialEq, Eq)]
pub(in crate::rules) struct Icmpv6(IcmpMatch);

impl PacketMatch for Icmpv6 {
    const ATTRIBUTE: u16 = attributes::ICMPV6;

    /// The protocol is one of IPv6 alone; what has its number in IPv4 is something else.
    #[inline(never)]
    fn matches(&self, packet: &Packet<'_>) -> MatchResult {
        match packet.family {
            Family::Ipv6 => self.0.matches(packet),
            Family::Ipv4 => MatchResult::Mismatch,
        }
    }

    fn decode<'a>(
        attribute: Attribute<'a>,
        surroundings: &Surroundings<'_>,
        _resources: &mut Resources<'_>,
    ) -> NetlinkResult<'a, Self> {
        IcmpMatch::decode(attribute.nested(), surroundings.header, IPPROTO_ICMPV6).map(Self)
    }

    fn encode(&self, message: &mut Message) -> Result {
        message.nest(Self::ATTRIBUTE, |message| self.0.encode(message))
    }
}
