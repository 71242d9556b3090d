// SPDX-License-Identifier: GPL-2.0

//! The match `limit`: true at a limited rate.

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
        netlink::Attribute,
        time::{
            jiffies64,
            JIFFIES_PER_SECOND, //
        },
    },
    packet::Packet,
    rules::resources::{
        Resources,
        Surroundings, //
    },
    spec::attribute::{
        limit as attributes,
        r#match, //
    },
};
use kernel::{
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
};

/// How many packets match at once where the rule does not say.
const DEFAULT_BURST: u32 = 5;

/// True for so many packets in a period, in the long run.
///
/// It is a bucket of `burst` packets, full at first, that is filled up at the rate. All there is to remember
/// of it is when it will be full again, so that one atomic word will do.
pub(in crate::rules) struct Limit {
    packets: u32,
    /// In seconds.
    period: u32,
    burst: u32,
    /// When the bucket will be full, or was. A jiffy has as many units as the period has packets: so the time
    /// that a packet takes is a whole number of them.
    full_at: Atomic<u64>,
}

impl PartialEq for Limit {
    fn eq(&self, other: &Self) -> bool {
        (self.packets, self.period, self.burst) == (other.packets, other.period, other.burst)
    }
}

impl Limit {
    /// Takes a packet out of the bucket, if there is one.
    #[inline]
    fn take(&self) -> bool {
        // With at most 10000 packets, 86400 seconds and a burst of 10000 none of it comes near to 64 bits.
        let now = jiffies64().wrapping_mul(self.packets.into());
        let packet = u64::from(self.period).wrapping_mul(JIFFIES_PER_SECOND.into());
        let bucket = packet.wrapping_mul(self.burst.into());
        let mut full_at = self.full_at.load(Relaxed);
        // Each further round means that another CPU took a packet: there are no more rounds than packets.
        loop {
            let then = full_at.max(now).wrapping_add(packet);
            if then.wrapping_sub(now) > bucket {
                return false;
            }
            match self.full_at.cmpxchg(full_at, then, Relaxed) {
                Ok(_) => return true,
                Err(changed) => full_at = changed,
            }
        }
    }
}

impl PacketMatch for Limit {
    const ATTRIBUTE: u16 = r#match::LIMIT;

    #[inline(never)]
    fn matches(&self, _packet: &Packet<'_>) -> MatchResult {
        MatchResult::from(self.take())
    }

    fn decode<'a>(
        attribute: Attribute<'a>,
        _surroundings: &Surroundings<'_>,
        _resources: &mut Resources<'_>,
    ) -> NetlinkResult<'a, Self> {
        let limit = attribute.nested();
        let number = |kind| limit.get(kind).and_then(|attribute| attribute.u32());
        let (Some(packets), Some(period)) =
            (number(attributes::PACKETS), number(attributes::PERIOD))
        else {
            return Err(ExtAckError::new(
                EINVAL,
                c"a limit is so many packets in a period",
            ));
        };
        Ok(Self {
            packets,
            period,
            burst: number(attributes::BURST).unwrap_or(DEFAULT_BURST),
            full_at: Atomic::new(0),
        })
    }

    fn encode(&self, message: &mut Message) -> Result {
        message.nest(Self::ATTRIBUTE, |message| {
            message.put_u32(attributes::PACKETS, self.packets)?;
            message.put_u32(attributes::PERIOD, self.period)?;
            message.put_u32(attributes::BURST, self.burst)
        })
    }
}
