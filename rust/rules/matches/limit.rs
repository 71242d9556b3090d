// SPDX-License-Identifier: GPL-2.0

//! The match `limit`: matches at a limited rate.

use crate::{
    rules::prelude::*,
    token_bucket::{
        Rate,
        TokenBucket, //
    },
};

/// The default burst, in packets.
const DEFAULT_BURST: u32 = 5;

nest! {
    /// The number of packets per period, and at once.
    #[derive(PartialEq, Eq)]
    pub(crate) struct LimitAttributes: attribute::limit {
        packets: u32 = PACKETS, required c"a limit is so many packets in a period";
        /// In seconds.
        period: u32 = PERIOD, required c"a limit is so many packets in a period";
        burst: u32 = BURST, or DEFAULT_BURST;
    }
}

/// Matches `packets` per period in the long run.
pub(crate) struct LimitMatch {
    attributes: LimitAttributes,
    rate: Rate,
    bucket: TokenBucket,
}

impl PacketMatch for LimitMatch {
    type Attributes = LimitAttributes;

    fn new<'a>(
        attributes: LimitAttributes,
        _: &mut DecodeContext<'a, '_>,
    ) -> NetlinkResult<'a, Self> {
        Ok(Self {
            rate: Rate::new(attributes.packets, attributes.period, attributes.burst),
            bucket: TokenBucket::new(),
            attributes,
        })
    }

    fn attributes(&self) -> &LimitAttributes {
        &self.attributes
    }

    #[inline(never)]
    fn matches(&self, _packet: &Packet<'_>) -> MatchResult {
        MatchResult::from(self.bucket.take(&self.rate))
    }
}
