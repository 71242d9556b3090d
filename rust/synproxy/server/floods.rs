// SPDX-License-Identifier: GPL-2.0

//! Which SYNs pass to a server as long as it is not flooded.
//!
//! A server becomes flooded by more SYNs than its rate, or by a few that no handshake followed:
//! those fill its backlog, whatever the rate is. While it is flooded, all SYNs are answered with
//! cookies. That ends once the rate has not been exceeded for some seconds. A crowd of real clients
//! gets a server there as well; it makes no difference to them.

use crate::{
    synproxy::prelude::*,
    token_bucket::TokenBucket, //
};

/// Jiffies that a server has to be quiet: five seconds.
pub(crate) const QUIET: u32 = 5 * JIFFIES_PER_SECOND;

/// How many handshakes that passed may be open: a burst that the shortest backlog in use has room
/// for, and some per second, as there are always clients that leave halfway.
const HALF_OPEN: Rate = Rate::new(8, 1, 64);

/// The flood state of a server.
pub(crate) struct FloodState {
    /// SYNs that may pass.
    allowance: TokenBucket,
    /// Handshakes that may be open.
    half_open: TokenBucket,
    /// Jiffies of the latest flood; 0 if there was none.
    last: Word,
}

impl FloodState {
    /// No flood.
    pub(crate) const fn new() -> Self {
        Self {
            allowance: TokenBucket::new(),
            half_open: TokenBucket::new(),
            last: Word::new(0),
        }
    }

    /// Resets the state to no flood.
    pub(crate) fn clear(&self) {
        self.allowance.fill();
        self.half_open.fill();
        self.last.store(0);
    }

    /// There is a flood.
    pub(crate) fn note(&self, now: u64) {
        let now = (now as u32).max(1);
        if self.last.load() != now {
            self.last.store(now);
        }
    }

    fn is_flooded(&self, now: u64) -> bool {
        let last = self.last.load();
        if last == 0 {
            return false;
        }
        // Another CPU may have recorded a flood just after `now` was read.
        let is_recent = ((now as u32).wrapping_sub(last) as i32) < QUIET as i32;
        if !is_recent {
            self.last.store(0);
        }
        is_recent
    }

    /// Whether a SYN may pass at this rate. `now` is in jiffies.
    pub(crate) fn admits(&self, rate: &Rate, now: u64) -> bool {
        if !self.allowance.take_at(rate, now) {
            self.note(now);
            return false;
        }
        if self.is_flooded(now) {
            return false;
        }
        if !self.half_open.take_at(&HALF_OPEN, now) {
            self.note(now);
            return false;
        }
        true
    }

    /// A handshake that passed was completed.
    pub(crate) fn prove(&self) {
        self.half_open.give(&HALF_OPEN);
    }
}
