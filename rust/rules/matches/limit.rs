// SPDX-License-Identifier: GPL-2.0

//! The match `limit`: true at a limited rate.

use crate::{
    kernel_api::time::{
        jiffies64,
        JIFFIES_PER_SECOND, //
    },
    rules::prelude::*, //
};
use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};

/// How many packets match at once where the rule does not say.
const DEFAULT_BURST: u32 = 5;

nest! {
    /// So many packets in a period, and so many at once.
    #[derive(PartialEq, Eq)]
    pub(in crate::rules) struct Rate: attribute::limit {
        packets: u32 = PACKETS, required c"a limit is so many packets in a period";
        /// In seconds.
        period: u32 = PERIOD, required c"a limit is so many packets in a period";
        burst: u32 = BURST, or DEFAULT_BURST;
    }
}

/// True for so many packets in a period, in the long run.
///
/// It is a bucket of `burst` packets, full at first, that is filled up at the rate. All there is to remember
/// of it is when it will be full again, so that one atomic word will do.
pub(in crate::rules) struct Limit {
    rate: Rate,
    /// When the bucket will be full, or was. A jiffy has as many units as the period has packets: so the time
    /// that a packet takes is a whole number of them.
    full_at: Atomic<u64>,
}

impl Limit {
    /// Takes a packet out of the bucket, if there is one.
    #[inline]
    fn take(&self) -> bool {
        // With at most 10000 packets, 86400 seconds and a burst of 10000 none of it comes near to 64 bits.
        let now = jiffies64().wrapping_mul(self.rate.packets.into());
        let packet = u64::from(self.rate.period).wrapping_mul(JIFFIES_PER_SECOND.into());
        let bucket = packet.wrapping_mul(self.rate.burst.into());
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
    type Attributes = Rate;

    fn new<'a>(
        rate: Rate,
        _nest: Attributes<'a>,
        _context: &mut DecodeContext<'_, '_>,
    ) -> NetlinkResult<'a, Self> {
        let full_at = Atomic::new(0);
        Ok(Self { rate, full_at })
    }

    fn attributes(&self) -> &Rate {
        &self.rate
    }

    #[inline(never)]
    fn matches(&self, _packet: &Packet<'_>) -> MatchResult {
        MatchResult::from(self.take())
    }
}
