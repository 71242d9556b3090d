// SPDX-License-Identifier: GPL-2.0

//! Token buckets: so many at once, and so many per second in the long run.

use crate::kernel_api::time::{
    jiffies64,
    JIFFIES_PER_SECOND, //
};
use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};

/// Nanoseconds in a second.
const SECOND: u64 = 1_000_000_000;

/// How fast a bucket fills, and how many tokens it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    /// Nanoseconds until another token is there.
    token: u64,
    /// Nanoseconds until an empty bucket is full.
    bucket: u64,
}

impl Rate {
    /// `tokens` in so many seconds, and `burst` at once. With at most a day and a million tokens,
    /// nothing gets near 2^64 nanoseconds.
    pub(crate) const fn new(tokens: u32, seconds: u32, burst: u32) -> Self {
        let period = (seconds as u64).saturating_mul(SECOND);
        let token = match period.checked_div(tokens as u64) {
            Some(token) => token,
            None => u64::MAX,
        };
        Self {
            token,
            bucket: token.saturating_mul(burst as u64),
        }
    }
}

/// A token bucket, full at first.
///
/// All its state is the time at which it will be full again, or was, in nanoseconds of jiffies: so
/// one atomic word suffices, and it does not depend on the rate, which may change.
pub(crate) struct TokenBucket(Atomic<u64>);

impl TokenBucket {
    /// A full bucket.
    pub(crate) const fn new() -> Self {
        Self(Atomic::new(0))
    }

    /// Fills it.
    pub(crate) fn fill(&self) {
        self.0.store(0, Relaxed);
    }

    /// Takes a token, if there is one.
    #[inline]
    pub(crate) fn take(&self, rate: &Rate) -> bool {
        self.take_at(rate, jiffies64())
    }

    /// As [`TokenBucket::take`] at that time, in jiffies.
    #[inline]
    pub(crate) fn take_at(&self, rate: &Rate, jiffies: u64) -> bool {
        let now = jiffies.wrapping_mul(SECOND / u64::from(JIFFIES_PER_SECOND));
        let mut full_at = self.0.load(Relaxed);
        // Each further iteration means that another CPU took a token, so there are no more
        // iterations than tokens.
        loop {
            let then = full_at.max(now).saturating_add(rate.token);
            let missing = then.saturating_sub(now);
            if missing > rate.bucket {
                // Less than a second is a CPU that read its clock late. Otherwise the last rule had
                // a slower rate.
                let more = missing.saturating_sub(rate.bucket);
                if more > rate.token.saturating_add(SECOND) {
                    self.0.store(now.saturating_add(rate.bucket), Relaxed);
                }
                return false;
            }
            match self.0.cmpxchg(full_at, then, Relaxed) {
                Ok(_) => return true,
                Err(changed) => full_at = changed,
            }
        }
    }

    /// Puts a token back. If that loses a race, the token is lost.
    pub(crate) fn give(&self, rate: &Rate) {
        let full_at = self.0.load(Relaxed);
        let before = full_at.saturating_sub(rate.token);
        let _ = self.0.cmpxchg(full_at, before, Relaxed);
    }
}
