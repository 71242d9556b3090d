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

/// What a SYN may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FloodChange {
    /// A flood begins.
    Begins,
    /// A flood is over.
    Ends,
}

/// The flood state of a server.
pub(crate) struct FloodState {
    /// SYNs that may pass.
    allowance: TokenBucket,
    /// Handshakes that may be open.
    half_open: TokenBucket,
    /// Jiffies of the latest flood; 0 if there is none.
    last: Atomic<u32>,
}

impl FloodState {
    /// No flood.
    pub(crate) const fn new() -> Self {
        Self {
            allowance: TokenBucket::new(),
            half_open: TokenBucket::new(),
            last: Atomic::new(0),
        }
    }

    /// Resets the state to no flood.
    pub(crate) fn clear(&self) {
        self.allowance.fill();
        self.half_open.fill();
        self.last.store(0, Relaxed);
    }

    /// There is a flood. Returns whether it begins.
    pub(crate) fn note(&self, now: u64) -> bool {
        let now = (now as u32).max(1);
        let before = self.last.load(Relaxed);
        before != now && self.last.cmpxchg(before, now, Relaxed).is_ok() && before == 0
    }

    fn is_flooded(&self, now: u64) -> bool {
        let last = self.last.load(Relaxed);
        // Another CPU may have recorded a flood just after `now` was read.
        last != 0 && ((now as u32).wrapping_sub(last) as i32) < QUIET as i32
    }

    /// Ends a flood that is over. Returns whether it ends here.
    pub(crate) fn end(&self, now: u64) -> bool {
        let last = self.last.load(Relaxed);
        last != 0 && !self.is_flooded(now) && self.last.cmpxchg(last, 0, Relaxed).is_ok()
    }

    /// Whether there is a flood that was not ended.
    pub(crate) fn is_underway(&self) -> bool {
        self.last.load(Relaxed) != 0
    }

    /// Whether a SYN may pass at this rate, and whether a flood begins or ends with it. `now` is in
    /// jiffies.
    pub(crate) fn judge(&self, rate: &Rate, now: u64) -> (bool, Option<FloodChange>) {
        let flooded = || {
            let begins = self.note(now);
            (false, begins.then_some(FloodChange::Begins))
        };
        if !self.allowance.take_at(rate, now) {
            return flooded();
        }
        if self.is_flooded(now) {
            return (false, None);
        }
        if !self.half_open.take_at(&HALF_OPEN, now) {
            return flooded();
        }
        (true, self.end(now).then_some(FloodChange::Ends))
    }

    /// A handshake that passed was completed.
    pub(crate) fn prove(&self) {
        self.half_open.give(&HALF_OPEN);
    }
}
