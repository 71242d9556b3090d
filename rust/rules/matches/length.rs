// SPDX-License-Identifier: GPL-2.0

//! The match `length`: how long a packet is.

use crate::rules::prelude::*;

nest! {
    /// A range of lengths, in bytes.
    #[derive(PartialEq, Eq)]
    pub(crate) struct Length: attribute::length {
        first: u16 = FIRST, or 0;
        last: u16 = LAST, or u16::MAX;
        invert: bool = INVERT, flag;
    }
}

impl PacketMatch for Length {
    type Attributes = Self;

    fn new<'a>(length: Self, context: &mut DecodeContext<'a, '_>) -> NetlinkResult<'a, Self> {
        if length.first > length.last {
            let message = c"the range of lengths ends before it starts";
            return Err(context.refuse(attribute::length::LAST, message));
        }
        Ok(length)
    }

    fn attributes(&self) -> &Self {
        self
    }

    /// Looks at the length from the IP header on, as iptables does; a GSO packet is one long packet.
    #[inline(never)]
    fn matches(&self, packet: &Packet<'_>) -> MatchResult {
        let range = u32::from(self.first)..=u32::from(self.last);
        MatchResult::from(range.contains(&packet.len()) != self.invert)
    }
}
