// SPDX-License-Identifier: GPL-2.0

//! The match `udp`: ports of a UDP datagram.

use super::ports::Ports;
use crate::{
    packet::{
        IPPROTO_UDP,
        UDP_HEADER_LENGTH, //
    },
    rules::prelude::*, //
};

nest! {
    /// Ports of a UDP datagram.
    #[derive(PartialEq, Eq)]
    pub(crate) struct Udp: attribute::ports {
        ports: Ports = SOURCE_FIRST, group;
    }
}

impl PacketMatch for Udp {
    type Attributes = Self;

    fn new<'a>(udp: Self, context: &mut DecodeContext<'a, '_>) -> NetlinkResult<'a, Self> {
        context.require_protocol(IPPROTO_UDP, Ports::WRONG_PROTOCOL)?;
        Ok(udp)
    }

    fn attributes(&self) -> &Self {
        self
    }

    /// A later fragment has no ports and does not match; a packet with a truncated header is
    /// dropped, as by iptables.
    #[inline]
    fn matches(&self, packet: &Packet<'_>) -> MatchResult {
        let Transport::Header { offset, .. } = packet.transport() else {
            return MatchResult::Mismatch;
        };
        match packet.read::<UDP_HEADER_LENGTH>(offset) {
            Some(header) => MatchResult::from(self.ports.matches(&header)),
            None => MatchResult::Hotdrop,
        }
    }

    fn pattern(&self) -> Pattern {
        self.ports.pattern()
    }

    fn is_pattern_exact(&self) -> bool {
        self.ports.is_pattern_exact()
    }
}
