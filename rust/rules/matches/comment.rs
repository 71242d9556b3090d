// SPDX-License-Identifier: GPL-2.0

//! The match `comment`: words for people, which every packet matches.

use super::{
    MatchResult,
    PacketMatch, //
};
use crate::{
    kernel_api::{
        extended_ack::NetlinkResult,
        message::Message,
        netlink::Attribute, //
    },
    packet::Packet,
    rules::resources::{
        Resources,
        Surroundings, //
    },
    spec::attribute::r#match as attributes, //
};
use kernel::prelude::*;

/// Words for people.
#[derive(PartialEq, Eq)]
pub(in crate::rules) struct Comment(KVec<u8>);

impl PacketMatch for Comment {
    const ATTRIBUTE: u16 = attributes::COMMENT;

    #[inline]
    fn matches(&self, _packet: &Packet<'_>) -> MatchResult {
        MatchResult::Match
    }

    fn decode<'a>(
        attribute: Attribute<'a>,
        _surroundings: &Surroundings<'_>,
        _resources: &mut Resources<'_>,
    ) -> NetlinkResult<'a, Self> {
        let mut words = KVec::new();
        words.extend_from_slice(attribute.string(), GFP_KERNEL_ACCOUNT)?;
        Ok(Self(words))
    }

    fn encode(&self, message: &mut Message) -> Result {
        message.put_string(Self::ATTRIBUTE, &self.0)
    }
}
