// SPDX-License-Identifier: GPL-2.0

//! The match `udp`: ports of a UDP datagram.

use super::{
    ports::Ports,
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
        Packet,
        Pattern,
        Transport,
        IPPROTO_UDP,
        UDP_HEADER_LENGTH, //
    },
    rules::resources::{
        Resources,
        Surroundings, //
    },
    spec::attribute::r#match as attributes, //
};
use kernel::prelude::*;

/// Ports of a UDP datagram.
#[derive(PartialEq, Eq)]
pub(in crate::rules) struct Udp(Ports);

impl PacketMatch for Udp {
    const ATTRIBUTE: u16 = attributes::UDP;

    /// A later fragment has no ports and does not match; a header that is cut off is dropped, as iptables
    /// does.
    #[inline]
    fn matches(&self, packet: &Packet<'_>) -> MatchResult {
        let Transport::Header { offset, .. } = packet.transport() else {
            return MatchResult::Mismatch;
        };
        match packet.read::<UDP_HEADER_LENGTH>(offset) {
            Some(header) => MatchResult::from(self.0.matches(&header)),
            None => MatchResult::Drop,
        }
    }

    fn pattern(&self) -> Pattern {
        self.0.pattern()
    }

    fn is_pattern_all(&self) -> bool {
        self.0.is_pattern_all()
    }

    fn decode<'a>(
        attribute: Attribute<'a>,
        surroundings: &Surroundings<'_>,
        _resources: &mut Resources<'_>,
    ) -> NetlinkResult<'a, Self> {
        Ports::decode(attribute.nested(), surroundings.header, IPPROTO_UDP).map(Self)
    }

    fn encode(&self, message: &mut Message) -> Result {
        message.nest(Self::ATTRIBUTE, |message| self.0.encode(message))
    }
}
