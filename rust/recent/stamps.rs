// SPDX-License-Identifier: GPL-2.0

//! Timestamps in 32-bit jiffies, which wrap, and comparisons between them.

use crate::kernel_api::time::JIFFIES_PER_SECOND;

/// The greatest age that stamps can express, in jiffies: 86 days at HZ=250.
///
/// An older stamp could be mistaken for one in the future. The ageing has the rest, up to 2^31, to
/// find it.
pub(crate) const AGE_MAX: u32 = (1 << 31) - (1 << 28);

/// The age of `stamp` in jiffies.
///
/// Another CPU may have stamped after `now` was read: that is an age of 0.
#[inline]
pub(super) fn age(now: u32, stamp: u32) -> u32 {
    let age = now.wrapping_sub(stamp);
    if age > u32::MAX / 2 {
        0
    } else {
        age
    }
}

/// Whether [`age`] of `stamp` is at most `limit` jiffies. `limit` is at most [`AGE_MAX`], or
/// [`ANY_AGE`].
#[inline]
pub(super) fn is_within(limit: u32, now: u32, stamp: u32) -> bool {
    // A stamp newer than `now` gives a negative difference.
    now.wrapping_sub(stamp) as i32 <= limit as i32
}

/// Milliseconds to jiffies, rounded up; `None` above [`AGE_MAX`].
pub(crate) fn jiffies(milliseconds: u64) -> Option<u32> {
    let jiffies = milliseconds
        .checked_mul(JIFFIES_PER_SECOND.into())?
        .div_ceil(1000);
    u32::try_from(jiffies)
        .ok()
        .filter(|&jiffies| jiffies <= AGE_MAX)
}

/// The age of a packet from milliseconds to jiffies, rounded down as in [`milliseconds`]; `None`
/// above [`AGE_MAX`].
pub(crate) fn jiffies_of_age(milliseconds: u64) -> Option<u32> {
    let jiffies = milliseconds.checked_mul(JIFFIES_PER_SECOND.into())? / 1000;
    u32::try_from(jiffies)
        .ok()
        .filter(|&jiffies| jiffies <= AGE_MAX)
}

/// The age of a window in which all packets count: no stamp is older.
pub(crate) const ANY_AGE: u32 = i32::MAX as u32;

/// How often and how recently an address must have been seen to match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// Only packets at most this many jiffies old count; all do if it is [`ANY_AGE`].
    pub(crate) age: u32,
    /// At least this many packets have to count; at least 1.
    pub(crate) hits: u32,
    /// Whether to remove addresses not seen within `age`.
    pub(crate) reap: bool,
}

impl Window {
    /// A window of the last `seconds` seconds; `None` if stamps cannot express that long a time.
    pub(crate) fn new(seconds: Option<u32>, hits: u32) -> Option<Self> {
        let age = match seconds {
            Some(seconds) => jiffies(u64::from(seconds).checked_mul(1000)?)?,
            None => ANY_AGE,
        };
        Some(Self {
            age,
            hits: hits.max(1),
            reap: false,
        })
    }

    /// The window that matches any address ever seen.
    pub(crate) const fn any() -> Self {
        Self {
            age: ANY_AGE,
            hits: 1,
            reap: false,
        }
    }

    /// The age in jiffies above which an address is reaped, if the window reaps.
    #[inline]
    pub(super) fn reaped_age(&self) -> Option<u32> {
        self.reap.then_some(self.age)
    }
}
