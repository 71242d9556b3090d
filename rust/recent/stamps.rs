// SPDX-License-Identifier: GPL-2.0

//! Time in 32-bit jiffies, which wrap, and what can be asked of it.

use crate::kernel_api::time::JIFFIES_PER_SECOND;

/// The greatest age that stamps can tell, in jiffies: 86 days at HZ=250.
///
/// An older stamp could be taken for one from the future. What is left up to 2^31 is the time that the
/// ageing has to find it.
pub(crate) const AGE_MAX: u32 = (1 << 31) - (1 << 28);

/// How long ago `stamp` was, in jiffies.
///
/// Another CPU may have stamped after `now` was read: that is an age of zero.
#[inline]
pub(super) fn age(now: u32, stamp: u32) -> u32 {
    let age = now.wrapping_sub(stamp);
    if age > u32::MAX / 2 {
        0
    } else {
        age
    }
}

/// Whether `stamp` was at most `limit` jiffies ago, as [`age`] tells it. The limit is one that stamps can tell, or
/// [`ANY_AGE`].
#[inline(always)]
pub(super) fn is_within(limit: u32, now: u32, stamp: u32) -> bool {
    // What is newer than now is negative.
    now.wrapping_sub(stamp) as i32 <= limit as i32
}

/// Jiffies as milliseconds, rounded down.
pub(crate) fn milliseconds(jiffies: u32) -> u64 {
    u64::from(jiffies).wrapping_mul(1000) / u64::from(JIFFIES_PER_SECOND)
}

/// Milliseconds as jiffies, rounded up; none if stamps cannot tell that long a time.
pub(crate) fn jiffies(milliseconds: u64) -> Option<u32> {
    let jiffies = milliseconds
        .checked_mul(JIFFIES_PER_SECOND.into())?
        .div_ceil(1000);
    u32::try_from(jiffies)
        .ok()
        .filter(|&jiffies| jiffies <= AGE_MAX)
}

/// The age of a packet from milliseconds, rounded down as [`milliseconds`] does; none if stamps cannot tell it.
pub(crate) fn jiffies_of_age(milliseconds: u64) -> Option<u32> {
    let jiffies = milliseconds.checked_mul(JIFFIES_PER_SECOND.into())? / 1000;
    u32::try_from(jiffies)
        .ok()
        .filter(|&jiffies| jiffies <= AGE_MAX)
}

/// The age of a window in which all packets count: no stamp is older.
pub(crate) const ANY_AGE: u32 = i32::MAX as u32;

/// How often and how recently an address has to have been seen for a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// Only packets count that are at most so many jiffies old; all count if it is [`ANY_AGE`].
    pub(crate) age: u32,
    /// At least so many packets have to count; at least 1.
    pub(crate) hits: u32,
    /// Whether to forget addresses that were not seen for that long.
    pub(crate) reap: bool,
}

impl Window {
    /// The window of the last so many seconds; none if stamps cannot tell that long a time.
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

    /// The window that any address meets that was seen at all.
    pub(crate) const fn any() -> Self {
        Self {
            age: ANY_AGE,
            hits: 1,
            reap: false,
        }
    }

    /// The age in jiffies above which an address is to be forgotten, if it is.
    #[inline]
    pub(super) fn reaped_age(&self) -> Option<u32> {
        self.reap.then_some(self.age)
    }
}
