// SPDX-License-Identifier: GPL-2.0

//! The target MARK.

use super::{
    Action,
    PacketTarget, //
};
use crate::{
    kernel_api::{
        extended_ack::{
            ExtAckError,
            NetlinkResult, //
        },
        message::Message,
        netlink::Attribute, //
    },
    packet::Packet,
    rules::resources::{
        Resources,
        Surroundings, //
    },
    spec::attribute::{
        mark as attributes,
        target, //
    },
};
use kernel::prelude::*;

/// Changes the mark of a packet: sets bits to zero, and then turns bits round.
#[derive(PartialEq, Eq)]
pub(in crate::rules) struct MarkTarget {
    value: u32,
    mask: u32,
}

impl PacketTarget for MarkTarget {
    const ATTRIBUTE: u16 = target::MARK;

    #[inline]
    fn apply(&self, packet: &Packet<'_>) -> Action {
        let skb = packet.skb();
        skb.set_mark((skb.mark() & !self.mask) ^ self.value);
        Action::Continue
    }

    fn decode<'a>(
        attribute: Attribute<'a>,
        _surroundings: &Surroundings<'_>,
        _resources: &mut Resources<'_>,
    ) -> NetlinkResult<'a, Self> {
        let mark = attribute.nested();
        if let Some(invert) = mark.get(attributes::INVERT) {
            return Err(ExtAckError::new(EINVAL, c"a target cannot be inverted").at(invert));
        }
        let number = |kind| mark.get(kind).and_then(|attribute| attribute.u32());
        Ok(Self {
            value: number(attributes::VALUE)
                .ok_or(ExtAckError::new(EINVAL, c"MARK needs a value"))?,
            mask: number(attributes::MASK).unwrap_or(u32::MAX),
        })
    }

    fn encode(&self, message: &mut Message) -> Result {
        message.nest(Self::ATTRIBUTE, |message| {
            message.put_u32(attributes::VALUE, self.value)?;
            message.put_u32(attributes::MASK, self.mask)
        })
    }
}
