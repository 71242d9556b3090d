// SPDX-License-Identifier: GPL-2.0

//! Which SYNs pass to a server as long as it is not flooded.
//!
//! Flooded is a state, into which a server gets by more SYNs than the rate that it has, or by a few that were not
//! followed by the rest of a handshake: those fill its backlog, whatever the rate is. In that state all are answered.
//! It ends when the rate was not exceeded for some seconds. A crowd of real clients gets a server into it, too: for
//! them it makes no difference.

use crate::kernel_api::{
    sync::words::Word,
    time::JIFFIES_PER_SECOND, //
};
use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};

/// For how many jiffies a server has to be quiet: five seconds.
pub(in crate::synproxy) const QUIET: u32 = 5 * JIFFIES_PER_SECOND;

/// How many handshakes may be open that have passed: so many at once, which the shortest backlog in use has room for, and
/// so many a second, as clients go away in the midst of theirs at any time.
pub(in crate::synproxy) const HALF_OPEN: Rate = Rate {
    per_second: 8,
    burst: 64,
};

/// A rate of SYNs.
#[derive(Clone, Copy)]
pub(in crate::synproxy) struct Rate {
    /// So many a second.
    pub(in crate::synproxy) per_second: u32,
    /// So many at once.
    pub(in crate::synproxy) burst: u32,
}

impl Rate {
    /// Takes one SYN from what may pass, or nothing if none may: the time in jiffies in the upper half, and what has come together
    /// since, in units of one SYN by the jiffies of a second, in the lower.
    pub(in crate::synproxy) fn take(&self, before: u64, now: u32) -> Option<u64> {
        let unit = u64::from(JIFFIES_PER_SECOND);
        let full = u64::from(self.burst).wrapping_mul(unit);
        let (then, left) = ((before >> 32) as u32, before & 0xffff_ffff);
        let (now, left) = match (before, now.wrapping_sub(then)) {
            (0, _) => (now, full),
            // Another CPU may have been here a moment later.
            (_, late) if late > u32::MAX - JIFFIES_PER_SECOND => (then, left),
            (_, passed) => {
                let gained = u64::from(passed).saturating_mul(self.per_second.into());
                (now, left.saturating_add(gained).min(full))
            }
        };
        Some(Self::state(now, left.checked_sub(unit)?))
    }

    /// Gives one back.
    pub(in crate::synproxy) fn give(&self, before: u64) -> u64 {
        let unit = u64::from(JIFFIES_PER_SECOND);
        let full = u64::from(self.burst).wrapping_mul(unit);
        let left = (before & 0xffff_ffff).saturating_add(unit).min(full);
        Self::state((before >> 32) as u32, left)
    }

    /// The time, and what is left then, as [`Rate::take`] has it.
    pub(in crate::synproxy) fn state(now: u32, left: u64) -> u64 {
        // Zero stands for who has never been asked.
        (u64::from(now) << 32 | left & 0xffff_ffff).max(1)
    }
}

/// How it stands with the floods for a server.
pub(in crate::synproxy) struct FloodState {
    /// How many SYNs may come, as [`Rate::take`] has it.
    allowance: Atomic<i64>,
    /// How many more handshakes may be open, likewise.
    half_open: Atomic<i64>,
    /// Jiffies when there was a flood last; zero where there was none.
    last: Word,
}

impl FloodState {
    /// No flood.
    pub(in crate::synproxy) const fn new() -> Self {
        Self {
            allowance: Atomic::new(0),
            half_open: Atomic::new(0),
            last: Word::new(0),
        }
    }

    /// No flood any more.
    pub(in crate::synproxy) fn clear(&self) {
        self.allowance.store(0, Relaxed);
        self.half_open.store(0, Relaxed);
        self.last.store(0);
    }

    /// There is a flood.
    pub(in crate::synproxy) fn begin(&self, now: u32) {
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
        // Another CPU may have noted one a moment later.
        let is_recent = (now.wrapping_sub(last) as i32) < QUIET as i32;
        if !is_recent {
            self.last.store(0);
        }
        is_recent
    }

    /// Whether a SYN may pass at that rate.
    pub(in crate::synproxy) fn admits(&self, rate: &Rate, now: u32) -> bool {
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

    /// A handshake that has passed was completed. Where this one is lost among others, so is one of 64.
    pub(in crate::synproxy) fn prove(&self) {
        let before = self.half_open.load(Relaxed);
        if before != 0 {
            let after = HALF_OPEN.give(before as u64);
            let _ = self.half_open.cmpxchg(before, after as i64, Relaxed);
        }
    }
}

fn take(place: &Atomic<i64>, rate: &Rate, now: u32) -> bool {
    let mut before = place.load(Relaxed);
    // Who loses so often against others is in a flood.
    for _ in 0..8 {
        let Some(after) = rate.take(before as u64, now) else {
            return false;
        };
        match place.cmpxchg(before, after as i64, Relaxed) {
            Ok(_) => return true,
            Err(other) => before = other,
        }
    }
    false
}
