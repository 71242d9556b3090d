// SPDX-License-Identifier: GPL-2.0

//! Which SYNs pass to a server as long as it is not flooded.
//!
//! A server becomes flooded by more SYNs than its rate, or by a few that no handshake followed:
//! those fill its backlog, whatever the rate is. While it is flooded, all SYNs are answered with
//! cookies. That ends once the rate has not been exceeded for some seconds. A crowd of real clients
//! gets a server there as well; it makes no difference to them.

use crate::{
    kernel_api::{
        sync::words::Word,
        time::JIFFIES_PER_SECOND, //
    },
    synproxy::settings::Threshold, //
};
use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};

/// Jiffies that a server has to be quiet: five seconds.
pub(crate) const QUIET: u32 = 5 * JIFFIES_PER_SECOND;

/// How many handshakes that passed may be open: a burst that the shortest backlog in use has room
/// for, and some per second, as there are always clients that leave halfway.
pub(crate) const HALF_OPEN: Rate = Rate {
    per_second: 8,
    burst: 64,
};

/// A rate of SYNs.
#[derive(Clone, Copy)]
pub(crate) struct Rate {
    /// SYNs per second.
    pub(crate) per_second: u32,
    /// SYNs at once.
    pub(crate) burst: u32,
}

impl From<&Threshold> for Rate {
    fn from(threshold: &Threshold) -> Self {
        Self {
            per_second: threshold.rate,
            burst: threshold.burst.unwrap_or(threshold.rate),
        }
    }
}

impl Rate {
    /// Takes one SYN from the token bucket, `None` if it is empty. The state is the time in jiffies
    /// in the upper half, and the tokens in the lower half, in units of 1/HZ SYN.
    pub(crate) fn take(&self, before: u64, now: u32) -> Option<u64> {
        let unit = u64::from(JIFFIES_PER_SECOND);
        let full = u64::from(self.burst).wrapping_mul(unit);
        let (then, left) = ((before >> 32) as u32, before & 0xffff_ffff);
        let (now, left) = match (before, now.wrapping_sub(then)) {
            (0, _) => (now, full),
            // Another CPU may have been here just after `now` was read.
            (_, late) if late > u32::MAX - JIFFIES_PER_SECOND => (then, left),
            (_, passed) => {
                let gained = u64::from(passed).saturating_mul(self.per_second.into());
                (now, left.saturating_add(gained).min(full))
            }
        };
        Some(Self::state(now, left.checked_sub(unit)?))
    }

    /// Puts one back.
    pub(crate) fn give(&self, before: u64) -> u64 {
        let unit = u64::from(JIFFIES_PER_SECOND);
        let full = u64::from(self.burst).wrapping_mul(unit);
        let left = (before & 0xffff_ffff).saturating_add(unit).min(full);
        Self::state((before >> 32) as u32, left)
    }

    /// The state for this time and these tokens, as for [`Rate::take`].
    pub(crate) fn state(now: u32, left: u64) -> u64 {
        // 0 stands for a bucket never used.
        (u64::from(now) << 32 | left & 0xffff_ffff).max(1)
    }
}

/// The flood state of a server.
pub(crate) struct FloodState {
    /// SYNs that may pass, as for [`Rate::take`].
    allowance: Atomic<i64>,
    /// Handshakes that may be open, as for [`Rate::take`].
    half_open: Atomic<i64>,
    /// Jiffies of the latest flood; 0 if there was none.
    last: Word,
}

impl FloodState {
    /// No flood.
    pub(crate) const fn new() -> Self {
        Self {
            allowance: Atomic::new(0),
            half_open: Atomic::new(0),
            last: Word::new(0),
        }
    }

    /// Resets the state to no flood.
    pub(crate) fn clear(&self) {
        self.allowance.store(0, Relaxed);
        self.half_open.store(0, Relaxed);
        self.last.store(0);
    }

    /// Starts out flooded.
    pub(crate) fn start_flooded(&self, now: u32) {
        self.allowance.store(Rate::state(now, 0) as i64, Relaxed);
        self.note(now);
    }

    fn note(&self, now: u32) {
        let now = now.max(1);
        if self.last.load() != now {
            self.last.store(now);
        }
    }

    fn is_flooded(&self, now: u32) -> bool {
        let last = self.last.load();
        if last == 0 {
            return false;
        }
        // Another CPU may have recorded a flood just after `now` was read.
        let is_recent = (now.wrapping_sub(last) as i32) < QUIET as i32;
        if !is_recent {
            self.last.store(0);
        }
        is_recent
    }

    /// Whether a SYN may pass at this rate.
    pub(crate) fn admits(&self, rate: &Rate, now: u32) -> bool {
        if !take(&self.allowance, rate, now) {
            self.note(now);
            return false;
        }
        if self.is_flooded(now) {
            return false;
        }
        if !take(&self.half_open, &HALF_OPEN, now) {
            self.note(now);
            return false;
        }
        true
    }

    /// A handshake that passed was completed. If the update loses a race, one of 64 is not put
    /// back.
    pub(crate) fn prove(&self) {
        let before = self.half_open.load(Relaxed);
        if before != 0 {
            let after = HALF_OPEN.give(before as u64);
            let _ = self.half_open.cmpxchg(before, after as i64, Relaxed);
        }
    }
}

fn take(bucket: &Atomic<i64>, rate: &Rate, now: u32) -> bool {
    let mut before = bucket.load(Relaxed);
    // Losing that many races means a flood.
    for _ in 0..8 {
        let Some(after) = rate.take(before as u64, now) else {
            return false;
        };
        match bucket.cmpxchg(before, after as i64, Relaxed) {
            Ok(_) => return true,
            Err(other) => before = other,
        }
    }
    false
}
