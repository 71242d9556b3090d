// SPDX-License-Identifier: GPL-2.0

//! The match `connlimit`: the number of connections of a host or network.

use crate::{
    kernel_api::conntrack::conncount::ConnectionCounts,
    rules::prelude::*, //
};

nest! {
    /// Whether a host or network has more connections than this.
    #[derive(PartialEq, Eq)]
    pub(crate) struct ConnectionLimit: attribute::connlimit {
        connections: u32 = CONNECTIONS, required c"a connlimit match needs a number";
        invert: bool = INVERT, flag;
        prefix_length: Option<u8> = PREFIX_LENGTH, optional;
        by_destination: bool = DESTINATION, flag;
    }
}

/// Counts the connections of hosts or networks.
pub(crate) struct Connlimit {
    limit: ConnectionLimit,
    mask: Address,
    counts: ConnectionCounts,
}

impl PacketMatch for Connlimit {
    type Attributes = ConnectionLimit;

    const NEEDS_CONNTRACK: bool = true;

    fn new<'a>(
        limit: ConnectionLimit,
        context: &mut DecodeContext<'a, '_>,
    ) -> NetlinkResult<'a, Self> {
        let kind = attribute::connlimit::PREFIX_LENGTH;
        context.check_prefix(limit.prefix_length, context.family, kind)?;
        let mask = match (limit.prefix_length, context.family) {
            // Whole addresses.
            (None, _) | (Some(IPV4_BITS), Some(Family::Ipv4)) => Address::full_mask(Family::Ipv6),
            (Some(length), _) => Address::prefix_mask(length),
        };
        let counts = ConnectionCounts::new(&context.resources.scope)?;
        Ok(Self {
            limit,
            mask,
            counts,
        })
    }

    fn attributes(&self) -> &ConnectionLimit {
        &self.limit
    }

    /// A packet that cannot be counted is dropped, as by iptables.
    #[inline(never)]
    fn matches(&self, packet: &Packet<'_>) -> MatchResult {
        let address = if self.limit.by_destination {
            packet.destination()
        } else {
            packet.source()
        };
        let key = address.masked(&self.mask).words();
        match self.counts.count(packet.skb(), packet.context(), key) {
            Some(count) => MatchResult::from((count > self.limit.connections) != self.limit.invert),
            None => MatchResult::Hotdrop,
        }
    }
}
