// SPDX-License-Identifier: GPL-2.0

//! The match `comment`: text for people, which every packet matches.

use crate::{
    kernel_api::netlink::nest::Text,
    rules::prelude::*, //
};

/// A comment.
pub(crate) struct Comment(Text);

impl PacketMatch for Comment {
    type Attributes = Text;

    fn new<'a>(text: Text, _: &mut DecodeContext<'a, '_>) -> NetlinkResult<'a, Self> {
        Ok(Self(text))
    }

    fn attributes(&self) -> &Text {
        &self.0
    }

    #[inline]
    fn matches(&self, _packet: &Packet<'_>) -> MatchResult {
        MatchResult::Match
    }
}
