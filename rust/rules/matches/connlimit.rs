// SPDX-License-Identifier: GPL-2.0

//! The match `connlimit`: how many connections a host or a network has.

use super::{
    MatchResult,
    PacketMatch, //
};
use crate::{
    kernel_api::{
        conncount::ConnectionCounts,
        extended_ack::{
            ExtAckError,
            NetlinkResult, //
        },
        message::Message,
        netlink::Attribute, //
    },
    packet::{
        Address,
        Family,
        Packet, //
    },
    rules::resources::{
        Resources,
        Surroundings, //
    },
    spec::attribute::{
        connlimit as attributes,
        r#match, //
    },
};
use kernel::prelude::*;

/// How many bits an IPv4 address has.
const IPV4_BITS: u8 = 32;

/// Whether a host or a network has more connections than that.
pub(in crate::rules) struct Connlimit {
    counts: ConnectionCounts,
    connections: u32,
    invert: bool,
    prefix_length: Option<u8>,
    mask: Address,
    by_destination: bool,
}

impl PartialEq for Connlimit {
    fn eq(&self, other: &Self) -> bool {
        self.connections == other.connections
            && self.invert == other.invert
            && self.mask == other.mask
            && self.by_destination == other.by_destination
    }
}

/// The mask of a prefix. Of an IPv4 address the first word counts.
fn prefix_mask(length: u8) -> Address {
    let mut left = u32::from(length);
    Address::new([(); 4].map(|()| {
        let bits = left.min(u32::BITS);
        left = left.saturating_sub(bits);
        let zeroes = u32::BITS.wrapping_sub(bits);
        u32::MAX.checked_shl(zeroes).unwrap_or(0).to_be()
    }))
}

impl PacketMatch for Connlimit {
    const ATTRIBUTE: u16 = r#match::CONNLIMIT;

    const NEEDS_CONNTRACK: bool = true;

    /// A packet that cannot be counted is dropped, as by iptables.
    #[inline(never)]
    fn matches(&self, packet: &Packet<'_>) -> MatchResult {
        let address = if self.by_destination {
            packet.destination()
        } else {
            packet.source()
        };
        let key = address.masked(&self.mask).words();
        match self.counts.count(packet.skb(), packet.context(), key) {
            Some(count) => MatchResult::from((count > self.connections) != self.invert),
            None => MatchResult::Drop,
        }
    }

    fn decode<'a>(
        attribute: Attribute<'a>,
        surroundings: &Surroundings<'_>,
        resources: &mut Resources<'_>,
    ) -> NetlinkResult<'a, Self> {
        let connlimit = attribute.nested();
        let connections = connlimit
            .get(attributes::CONNECTIONS)
            .and_then(|attribute| attribute.u32())
            .ok_or(ExtAckError::new(
                EINVAL,
                c"a connlimit match needs a number",
            ))?;
        let prefix = connlimit.get(attributes::PREFIX_LENGTH);
        let prefix_length = prefix.and_then(|attribute| attribute.u8());
        let family = surroundings.header.family();
        if let (Some(at), Some(length)) = (prefix, prefix_length) {
            if length > IPV4_BITS && family != Some(Family::Ipv6) {
                let message = c"only a rule for IPv6 can have a prefix of more than 32 bits";
                return Err(ExtAckError::new(EINVAL, message).at(at));
            }
        }
        let mask = match (prefix_length, family) {
            // Whole addresses, in other words.
            (None, _) | (Some(IPV4_BITS), Some(Family::Ipv4)) => Address::full_mask(Family::Ipv6),
            (Some(length), _) => prefix_mask(length),
        };
        Ok(Self {
            counts: ConnectionCounts::new(resources.scope)?,
            connections,
            invert: connlimit.has(attributes::INVERT),
            prefix_length,
            mask,
            by_destination: connlimit.has(attributes::DESTINATION),
        })
    }

    fn encode(&self, message: &mut Message) -> Result {
        message.nest(Self::ATTRIBUTE, |message| {
            message.put_u32(attributes::CONNECTIONS, self.connections)?;
            message.put_flag(attributes::INVERT, self.invert)?;
            if let Some(length) = self.prefix_length {
                message.put_u8(attributes::PREFIX_LENGTH, length)?;
            }
            message.put_flag(attributes::DESTINATION, self.by_destination)
        })
    }
}
