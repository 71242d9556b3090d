// SPDX-License-Identifier: GPL-2.0

//! The match `mark`: bits of a packet's mark.

use super::{
    MatchResult,
    PacketMatch, //
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
        r#match, //
    },
};
use kernel::prelude::*;

/// Bits of a packet's mark.
#[derive(PartialEq, Eq)]
pub(in crate::rules) struct Mark {
    value: u32,
    mask: u32,
    invert: bool,
}

impl PacketMatch for Mark {
    const ATTRIBUTE: u16 = r#match::MARK;

    #[inline(never)]
    fn matches(&self, packet: &Packet<'_>) -> MatchResult {
        let agrees = packet.skb().mark() & self.mask == self.value;
        MatchResult::from(agrees != self.invert)
    }

    fn decode<'a>(
        attribute: Attribute<'a>,
        _surroundings: &Surroundings<'_>,
        _resources: &mut Resources<'_>,
    ) -> NetlinkResult<'a, Self> {
        let mark = attribute.nested();
        let number = |kind| mark.get(kind).and_then(|attribute| attribute.u32());
        Ok(Self {
            value: number(attributes::VALUE)
                .ok_or(ExtAckError::new(EINVAL, c"a mark match needs a value"))?,
            mask: number(attributes::MASK).unwrap_or(u32::MAX),
            invert: mark.has(attributes::INVERT),
        })
    }

    fn encode(&self, message: &mut Message) -> Result {
        message.nest(Self::ATTRIBUTE, |message| {
            message.put_u32(attributes::VALUE, self.value)?;
            message.put_u32(attributes::MASK, self.mask)?;
            message.put_flag(attributes::INVERT, self.invert)
        })
    }
}
