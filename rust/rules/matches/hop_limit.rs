// SPDX-License-Identifier: GPL-2.0

//! The matches `ttl` and `hl`: the TTL of an IPv4 packet, and the hop limit of an IPv6 one.

use crate::{
    rules::prelude::*,
    spec::Comparison, //
};

nest! {
    /// What a TTL or hop limit is compared with.
    #[derive(PartialEq, Eq)]
    pub(crate) struct HopLimitMatch: attribute::hop_limit {
        value: u8 = VALUE, required c"a TTL or hop limit is compared with a value";
        comparison: Comparison = COMPARISON, or Comparison::Equal;
        invert: bool = INVERT, flag;
    }
}

/// The TTL, or the hop limit if `IS_IPV6`.
pub(crate) struct HopLimit<const IS_IPV6: bool>(HopLimitMatch);

impl<const IS_IPV6: bool> HopLimit<IS_IPV6> {
    const FAMILY: Family = match IS_IPV6 {
        true => Family::Ipv6,
        false => Family::Ipv4,
    };
}

impl<const IS_IPV6: bool> PacketMatch for HopLimit<IS_IPV6> {
    type Attributes = HopLimitMatch;

    fn new<'a>(hop_limit: HopLimitMatch, _: &mut DecodeContext<'a, '_>) -> NetlinkResult<'a, Self> {
        Ok(Self(hop_limit))
    }

    fn attributes(&self) -> &HopLimitMatch {
        &self.0
    }

    /// A packet of the other IP version does not match, inverted or not.
    #[inline(never)]
    fn matches(&self, packet: &Packet<'_>) -> MatchResult {
        if packet.family != Self::FAMILY {
            return MatchResult::Mismatch;
        }
        let agrees = match self.0.comparison {
            Comparison::Equal => packet.time_to_live == self.0.value,
            Comparison::Less => packet.time_to_live < self.0.value,
            Comparison::Greater => packet.time_to_live > self.0.value,
        };
        MatchResult::from(agrees != self.0.invert)
    }
}
