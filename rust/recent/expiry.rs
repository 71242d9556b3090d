// SPDX-License-Identifier: GPL-2.0

//! When an entry expires that was told so.
//!
//! Such an entry has a record besides, in memory that only lists with such entries have, and the
//! number of its stamps is there and not with the entry. To whoever does not look at the record, as
//! the fast path, it has no stamps and counts as expired, so that other entries need no look at
//! whether they are of that kind.

use crate::kernel_api::{
    sync::words::Word,
    time::boottime_milliseconds, //
};

/// The words of a record.
pub(super) const EXPIRY_WORDS: usize = 2;

/// The bits of a record that hold the number of stamps; the others hold the time.
const COUNT_BITS: u32 = 16;

/// The longest time until an entry expires, in milliseconds: 4,400 years.
const LONGEST: u64 = 1 << 47;

/// The time at which an entry expires, in milliseconds since boot, which go on while the machine is
/// suspended and do not wrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Expiry(u64);

impl Expiry {
    /// The entry does not expire.
    pub(crate) const NEVER: Self = Self(u64::MAX >> COUNT_BITS);

    /// So many milliseconds from now; `None` if that is more than 4,400 years.
    pub(crate) fn after(milliseconds: u64) -> Option<Self> {
        let is_valid = milliseconds <= LONGEST;
        is_valid.then(|| Self::at(boottime_milliseconds().saturating_add(milliseconds)))
    }

    /// At that time.
    pub(super) fn at(milliseconds: u64) -> Self {
        Self(milliseconds.min(Self::NEVER.0))
    }

    /// The milliseconds that are left, 0 once it has expired; `None` if it never does.
    pub(crate) fn left(self) -> Option<u64> {
        (self != Self::NEVER).then(|| self.0.saturating_sub(boottime_milliseconds()))
    }

    /// Whether it has expired.
    pub(super) fn is_over(self) -> bool {
        self.left() == Some(0)
    }
}

/// The record of an entry that was told when to expire.
#[derive(Clone, Copy)]
pub(super) struct ExpiryRecord<'a>(pub(super) &'a [Word; EXPIRY_WORDS]);

impl ExpiryRecord<'_> {
    fn load(&self) -> u64 {
        let [low, high] = self.0;
        u64::from(high.load()) << 32 | u64::from(low.load())
    }

    /// When the entry expires.
    pub(super) fn expiry(&self) -> Expiry {
        Expiry(self.load() >> COUNT_BITS)
    }

    /// The number of its stamps.
    pub(super) fn count(&self) -> u32 {
        self.load() as u32 & u32::from(u16::MAX)
    }

    /// Stores both; `count` is below 2^16.
    pub(super) fn store(&self, expiry: Expiry, count: u32) {
        let value = expiry.0 << COUNT_BITS | u64::from(count);
        let [low, high] = self.0;
        low.store(value as u32);
        high.store((value >> 32) as u32);
    }
}
