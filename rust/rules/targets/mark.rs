// SPDX-License-Identifier: GPL-2.0

//! The target MARK.

use crate::rules::prelude::*;

nest! {
    /// Changes the packet's mark: clears the bits of the mask, then XORs the value.
    #[derive(PartialEq, Eq)]
    pub(crate) struct MarkTarget: attribute::mark {
        value: u32 = VALUE, required c"MARK needs a value";
        mask: u32 = MASK, or u32::MAX;
    }
}

impl PacketTarget for MarkTarget {
    type Attributes = Self;

    fn new<'a>(mark: Self, context: &mut DecodeContext<'a, '_>) -> NetlinkResult<'a, Self> {
        match context.nest.has(attribute::mark::INVERT) {
            true => Err(context.refuse(attribute::mark::INVERT, c"a target cannot be inverted")),
            false => Ok(mark),
        }
    }

    fn attributes(&self) -> &Self {
        self
    }

    #[inline]
    fn apply(&self, packet: &mut Packet<'_>) -> Decision {
        let skb = packet.skb_mut();
        skb.set_mark((skb.mark() & !self.mask) ^ self.value);
        Decision::Continue
    }
}
