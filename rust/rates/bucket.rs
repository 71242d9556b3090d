// SPDX-License-Identifier: GPL-2.0

//! Token buckets that count as those of xt_hashlimit do.
//!
//! All that a bucket holds is when it will be full again, so it does not depend on the rate, which
//! differs between rules. xt_hashlimit counts credits instead, which come to the same.

use crate::kernel_api::time::JIFFIES_PER_SECOND;

/// Units of time in a jiffy, a power of two: as many as let a second have fewer than 2^32
/// (`CREDITS_PER_JIFFY_BYTES`).
const JIFFY: u64 = 1 << (u32::MAX / JIFFIES_PER_SECOND).ilog2();

/// Units of time in a second.
const SECOND: u64 = JIFFY.wrapping_mul(JIFFIES_PER_SECOND as u64);

/// The microseconds in a second.
const MICROSECONDS: u64 = 1_000_000;

/// Bytes are counted in chunks of so many (`XT_HASHLIMIT_BYTE_SHIFT`).
const CHUNK: u32 = 16;

/// So many packets in so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PacketRate {
    /// The packets, a million in a second at most.
    pub(crate) packets: u32,
    /// The seconds.
    pub(crate) seconds: u32,
    /// Packets at once.
    pub(crate) burst: u32,
}

/// So many bytes in a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ByteRate {
    /// The bytes.
    pub(crate) bytes: u64,
    /// Bytes at once beyond those of a second, until the bucket is forgotten; 0, or those of a second
    /// at least.
    pub(crate) burst: u64,
}

/// What a packet takes from a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cost {
    /// So many units of time.
    Packet(u64),
    /// So many units of time for each chunk of bytes.
    Chunk(u64),
}

/// How fast buckets fill, how much they hold, and when they are forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    cost: Cost,
    /// The time in which an empty bucket gets full.
    capacity: u64,
    /// How often a bucket is filled at once when it is empty, until it is forgotten.
    refills: u32,
    /// The time without packets after which a bucket is forgotten, in jiffies.
    expiry: u32,
}

impl Limit {
    /// The limit of packets; `None` if the numbers are too great, or there are no packets.
    pub(crate) fn packets(rate: &PacketRate, expiry: u32) -> Option<Self> {
        let period = u64::from(rate.seconds).checked_mul(MICROSECONDS)?;
        // User space counts in microseconds, rounded down (`XT_HASHLIMIT_SCALE_v2`).
        let token = units(period.checked_div(rate.packets.into())?)?;
        Some(Self {
            cost: Cost::Packet(token),
            capacity: token
                .checked_mul(rate.burst.into())
                .filter(|&all| all > 0)?,
            refills: 0,
            expiry,
        })
    }

    /// The limit of bytes; `None` if there are too many, or the burst is less than a second has.
    pub(crate) fn bytes(rate: &ByteRate, expiry: u32) -> Option<Self> {
        let chunks = u32::try_from(rate.bytes / u64::from(CHUNK)).ok()?;
        // As user space rounds, and then the kernel.
        let average = u32::MAX.checked_div(chunks.checked_add(1)?)?;
        let refills = match rate.burst {
            0 => 0,
            burst => {
                let second = u64::from(u32::MAX / average).checked_sub(1)?;
                let second = second.checked_mul(CHUNK.into()).filter(|&one| one > 0)?;
                Some(burst.div_ceil(second)).filter(|_| burst >= second)?
            }
        };
        let cost = u64::from(average).wrapping_mul(SECOND) >> 32;
        Some(Self {
            cost: Some(Cost::Chunk(cost)).filter(|_| cost > 0)?,
            capacity: SECOND,
            refills: u32::try_from(refills).ok()?,
            expiry,
        })
    }

    /// What a packet of so many bytes takes.
    #[inline]
    fn cost(&self, length: u32) -> u64 {
        match self.cost {
            Cost::Packet(cost) => cost,
            Cost::Chunk(cost) => {
                let chunks = u64::from(length / CHUNK).wrapping_add(1);
                chunks.wrapping_mul(cost).min(SECOND)
            }
        }
    }

    /// Takes a packet of so many bytes from a bucket. Returns whether there was enough in it.
    #[inline]
    pub(super) fn take(&self, bucket: &mut Bucket, length: u32, jiffies: u64) -> bool {
        if bucket.is_expired(self, jiffies) {
            *bucket = Bucket::FULL;
        }
        // Another CPU may have read its clock later, and had the lock sooner.
        bucket.seen = bucket.seen.max(jiffies);
        let now = bucket.seen.wrapping_mul(JIFFY);
        let cost = self.cost(length);
        let most = now.saturating_add(self.capacity);
        // What the last rule took may be more than a bucket of this one holds.
        bucket.full_at = bucket.full_at.min(most).max(now);
        let full_at = bucket.full_at.saturating_add(cost);
        if full_at <= most {
            bucket.full_at = full_at;
            return true;
        }
        if bucket.refilled >= self.refills {
            return false;
        }
        bucket.refilled = bucket.refilled.wrapping_add(1);
        bucket.full_at = now.saturating_add(cost);
        true
    }
}

/// Microseconds as units of time; `None` if there are too many.
fn units(microseconds: u64) -> Option<u64> {
    let whole = (microseconds / MICROSECONDS).checked_mul(SECOND)?;
    whole.checked_add((microseconds % MICROSECONDS).wrapping_mul(SECOND) / MICROSECONDS)
}

/// A token bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bucket {
    /// When it will be full, or was, in units of time.
    pub(super) full_at: u64,
    /// When the last packet came, in jiffies.
    pub(super) seen: u64,
    /// How often it was filled at once.
    pub(super) refilled: u32,
}

impl Bucket {
    /// One that no packet has taken from.
    pub(super) const FULL: Self = Self {
        full_at: 0,
        seen: 0,
        refilled: 0,
    };

    #[inline]
    fn is_expired(&self, limit: &Limit, jiffies: u64) -> bool {
        self.age(jiffies) >= limit.expiry.into()
    }

    /// Jiffies since the last packet. Another CPU may have read its clock later.
    pub(super) fn age(&self, jiffies: u64) -> u64 {
        jiffies.saturating_sub(self.seen)
    }

    /// Jiffies until it is full.
    pub(super) fn missing(&self, jiffies: u64) -> u64 {
        let now = jiffies.wrapping_mul(JIFFY);
        self.full_at.saturating_sub(now).div_ceil(JIFFY)
    }

    /// Whether nothing is lost with it, for rules with that limit.
    pub(super) fn is_full(&self, limit: &Limit, jiffies: u64) -> bool {
        self.is_expired(limit, jiffies) || self.refilled == 0 && self.missing(jiffies) == 0
    }
}
