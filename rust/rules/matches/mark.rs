// SPDX-License-Identifier: GPL-2.0

//! The match `mark`: bits of a packet's mark.

use crate::rules::prelude::*;

nest! {
    /// Bits of a packet's mark.
    #[derive(PartialEq, Eq)]
    pub(crate) struct MarkMatch: attribute::mark {
        value: u32 = VALUE, required c"a mark match needs a value";
        mask: u32 = MASK, or u32::MAX;
        invert: bool = INVERT, flag;
    }
}

impl PacketMatch for MarkMatch {
    type Attributes = Self;

    fn new<'a>(mark: Self, _: &mut DecodeContext<'a, '_>) -> NetlinkResult<'a, Self> {
        Ok(mark)
    }

    fn attributes(&self) -> &Self {
        self
    }

    #[inline(never)]
    fn matches(&self, packet: &Packet<'_>) -> MatchResult {
        let agrees = packet.skb().mark() & self.mask == self.value;
        MatchResult::from(agrees != self.invert)
    }
}
