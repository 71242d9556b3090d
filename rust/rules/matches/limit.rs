// SPDX-License-Identifier: GPL-2.0

//! The match `limit`: matches at a limited rate.

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

/// The default burst, in packets.
const DEFAULT_BURST: u32 = 5;

nest! {
    /// The number of packets per period, and at once.
    #[derive(PartialEq, Eq)]
    pub(crate) struct Rate: attribute::limit {
        packets: u32 = PACKETS, required c"a limit is so many packets in a period";
        /// In seconds.
        period: u32 = PERIOD, required c"a limit is so many packets in a period";
        burst: u32 = BURST, or DEFAULT_BURST;
    }
}

/// Matches `packets` per period in the long run.
///
/// A token bucket of `burst` packets, full at first and refilled at the rate. All its state is the
/// time at which it will be full again, so one atomic word suffices.
pub(crate) struct Limit {
    rate: Rate,
    /// When the bucket will be full, or was. There are as many units per jiffy as packets per
    /// period, so a packet takes a whole number of units.
    full_at: Atomic<u64>,
}

impl Limit {
    /// Takes a packet out of the bucket, if there is one.
    #[inline]
    fn take(&self) -> bool {
        // With at most 10000 packets, 86400 seconds and a burst of 10000, nothing gets near 2^64.
        let now = jiffies64().wrapping_mul(self.rate.packets.into());
        let packet = u64::from(self.rate.period).wrapping_mul(JIFFIES_PER_SECOND.into());
        let bucket = packet.wrapping_mul(self.rate.burst.into());
        let mut full_at = self.full_at.load(Relaxed);
        // Each further iteration means that another CPU took a packet, so there are no more
        // iterations than packets.
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
