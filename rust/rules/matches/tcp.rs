// SPDX-License-Identifier: GPL-2.0

//! The match `tcp`: ports and flags of a TCP segment.

use super::ports::Ports;
use crate::{
    packet::{
        tcp::segment::flags,
        IPPROTO_TCP,
        TCP_FLAGS_OFFSET,
        TCP_HEADER_LENGTH, //
    },
    rules::prelude::*, //
};

nest! {
    /// Ports and flags of a TCP segment.
    #[derive(PartialEq, Eq)]
    pub(crate) struct Tcp: attribute::tcp {
        ports: Ports = SOURCE_FIRST, group;
        /// The flags that count, and those of them that must be set.
        mask: Option<u8> = FLAGS_MASK, optional;
        set: Option<u8> = FLAGS_SET, optional;
        invert: bool = FLAGS_INVERT, flag;
    }
}

impl PacketMatch for Tcp {
    type Attributes = Self;

    fn new<'a>(tcp: Self, context: &mut DecodeContext<'a, '_>) -> NetlinkResult<'a, Self> {
        use attribute::tcp::{FLAGS_INVERT, FLAGS_MASK, FLAGS_SET};
        context.require_protocol(IPPROTO_TCP, Ports::WRONG_PROTOCOL)?;
        match (tcp.mask, tcp.set) {
            (None, None) if !tcp.invert => Ok(tcp),
            (Some(mask), Some(set)) if set & !mask == 0 => {
                context.is_syn |= set & flags::SYN != 0 && !tcp.invert;
                Ok(tcp)
            }
            _ => {
                let mut kinds = [FLAGS_SET, FLAGS_MASK, FLAGS_INVERT].into_iter();
                let kind = kinds.find(|kind| context.nest.has(*kind));
                let message = c"flags have a mask, and those that are set are within it";
                Err(context.refuse(kind.unwrap_or(FLAGS_MASK), message))
            }
        }
    }

    fn attributes(&self) -> &Self {
        self
    }

    /// A later fragment has no ports and does not match; one that would overwrite the flags of the
    /// first is dropped, and so is a packet with a truncated header, as by iptables.
    #[inline]
    fn matches(&self, packet: &Packet<'_>) -> MatchResult {
        let offset = match packet.transport() {
            Transport::Header { offset, .. } => offset,
            Transport::Fragment { position: 8, .. } => return MatchResult::Hotdrop,
            Transport::Fragment { .. } | Transport::Malformed => return MatchResult::Mismatch,
        };
        let Some(header) = packet.read::<TCP_HEADER_LENGTH>(offset) else {
            return MatchResult::Hotdrop;
        };
        let has_flags = self
            .mask
            .is_none_or(|mask| (Some(header[TCP_FLAGS_OFFSET] & mask) == self.set) != self.invert);
        MatchResult::from(self.ports.matches(&header) && has_flags)
    }

    fn pattern(&self) -> Pattern {
        self.ports.pattern()
    }

    fn is_pattern_exact(&self) -> bool {
        self.ports.is_pattern_exact() && self.mask.is_none()
    }
}
