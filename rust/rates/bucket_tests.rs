// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of the buckets, at made-up times, beside xt_hashlimit's credits.

use super::bucket::{
    Bucket,
    ByteRate,
    Limit,
    PacketRate, //
};
use crate::kernel_api::time::JIFFIES_PER_SECOND;
use kernel::prelude::*;

const HZ: u64 = JIFFIES_PER_SECOND as u64;

/// Jiffies are there five minutes before they wrap, when the machine has booted.
const NOW: u64 = (1 << 32) - 300 * HZ;

/// The longest time without packets.
const LONG: u32 = u32::MAX;

fn packets(packets: u32, seconds: u32, burst: u32) -> Result<Limit> {
    let rate = PacketRate {
        packets,
        seconds,
        burst,
    };
    Limit::packets(&rate, LONG).ok_or(EINVAL)
}

/// A new bucket.
fn bucket(now: u64) -> Bucket {
    Bucket {
        seen: now,
        ..Bucket::FULL
    }
}

/// How many packets of that length go at once.
fn burst(limit: &Limit, bucket: &mut Bucket, length: u32, now: u64) -> u32 {
    let mut count = 0;
    while count < 2_000_000 && limit.take(bucket, length, now) {
        count += 1;
    }
    count
}

/// A pseudorandom number below `end`.
fn random(state: &mut u64, end: u64) -> u64 {
    *state = state
        .wrapping_mul(6364136223846793005)
        .wrapping_add(1442695040888963407);
    (*state >> 33) % end
}

/// The credits of xt_hashlimit for bytes (`rateinfo_recalc`, `hashlimit_byte_cost`).
struct Credits {
    credit: u64,
    refills: u64,
    cost: u64,
    seen: u64,
}

impl Credits {
    const PER_JIFFY: u64 = 1 << (u32::MAX / HZ as u32).ilog2();
    const MOST: u64 = Self::PER_JIFFY * HZ;

    fn new(bytes: u64, burst: u64, now: u64) -> Self {
        let average = u64::from(u32::MAX) / (bytes / 16 + 1);
        let second = (u64::from(u32::MAX) / average - 1) * 16;
        Self {
            credit: Self::MOST,
            refills: burst.div_ceil(second),
            cost: (average * Self::MOST) >> 32,
            seen: now,
        }
    }

    fn take(&mut self, length: u32, now: u64) -> bool {
        self.credit = (self.credit + (now - self.seen) * Self::PER_JIFFY).min(Self::MOST);
        self.seen = now;
        let cost = (u64::from(length / 16 + 1) * self.cost).min(Self::MOST);
        if self.credit < cost && self.refills > 0 {
            self.refills -= 1;
            self.credit = Self::MOST;
        }
        let has = self.credit >= cost;
        if has {
            self.credit -= cost;
        }
        has
    }
}

#[kunit_tests(palisade_rate_buckets)]
mod tests {
    use super::*;

    #[test]
    fn bursts_pass_and_then_the_rate() -> Result {
        for (rate, seconds, at_once) in [(1, 1, 5), (3, 60, 1), (100, 1, 1000), (1, 86400, 1000)] {
            let limit = packets(rate, seconds, at_once)?;
            let mut bucket = bucket(NOW);
            assert_eq!(burst(&limit, &mut bucket, 100, NOW), at_once);
            // Rounded up: with a jiffy less there is none yet.
            let next = (u64::from(seconds) * HZ).div_ceil(u64::from(rate));
            assert!(!limit.take(&mut bucket, 100, NOW + next - 1));
            assert!(limit.take(&mut bucket, 100, NOW + next));
            assert!(!limit.take(&mut bucket, 100, NOW + next));
            let later = NOW + u64::from(seconds) * HZ * u64::from(at_once) * 2;
            assert_eq!(burst(&limit, &mut bucket, 100, later), at_once);
        }
        Ok(())
    }

    #[test]
    fn bytes_go_as_by_credits() {
        let mut state = 1;
        for (bytes, at_once) in [
            (16, 0),
            (1000, 0),
            (1000, 5000),
            (524_288, 1 << 20),
            (1 << 30, 0),
        ] {
            let rate = ByteRate {
                bytes,
                burst: at_once,
            };
            let Some(limit) = Limit::bytes(&rate, LONG) else {
                panic!("there is no such limit");
            };
            let (mut now, mut passed) = (NOW, 0);
            let (mut bucket, mut credits) = (bucket(now), Credits::new(bytes, at_once, now));
            for _ in 0..5000 {
                let length = random(&mut state, 1500) as u32;
                let is_under = limit.take(&mut bucket, length, now);
                assert_eq!(is_under, credits.take(length, now));
                passed += u32::from(is_under);
                now += random(&mut state, 10).saturating_sub(5);
            }
            assert!(passed > 0);
        }
    }

    #[test]
    fn who_was_silent_for_so_long_is_new() -> Result {
        let rate = PacketRate {
            packets: 1,
            seconds: 86400,
            burst: 3,
        };
        let limit = Limit::packets(&rate, 10).ok_or(EINVAL)?;
        let mut bucket = bucket(NOW);
        assert_eq!(burst(&limit, &mut bucket, 1, NOW), 3);
        // What does not pass is a packet as well.
        assert!(!limit.take(&mut bucket, 1, NOW + 9));
        assert!(!limit.take(&mut bucket, 1, NOW + 18));
        assert!(!bucket.is_full(&limit, NOW + 27));
        assert!(bucket.is_full(&limit, NOW + 28));
        assert_eq!(burst(&limit, &mut bucket, 1, NOW + 28), 3);
        Ok(())
    }

    #[test]
    fn another_rule_has_its_own_rate() -> Result {
        let (slow, fast) = (packets(1, 86400, 5)?, packets(10, 1, 5)?);
        let mut bucket = bucket(NOW);
        assert_eq!(burst(&slow, &mut bucket, 1, NOW), 5);
        assert_eq!(burst(&fast, &mut bucket, 1, NOW), 0);
        // What the slow one took counts at most as what the fast one can take.
        assert_eq!(burst(&fast, &mut bucket, 1, NOW + HZ), 5);
        Ok(())
    }

    #[test]
    fn clocks_that_differ_do_no_harm() -> Result {
        let limit = packets(1, 1, 2)?;
        let mut bucket = bucket(NOW);
        assert!(limit.take(&mut bucket, 1, NOW));
        assert!(limit.take(&mut bucket, 1, NOW - 1));
        assert!(!limit.take(&mut bucket, 1, NOW - 1));
        Ok(())
    }

    #[test]
    fn what_cannot_be_is_refused() {
        assert!(packets(0, 1, 1).is_err());
        assert!(packets(1_000_001, 1, 1).is_err());
        assert!(packets(1, 86400, 1_000_000).is_err());
        assert!(packets(1, 1, 0).is_err());
        let bytes = |bytes, burst| Limit::bytes(&ByteRate { bytes, burst }, LONG).is_some();
        assert!(bytes(16, 0));
        assert!(!bytes(1_000_000, 1000));
        assert!(!bytes(u64::MAX, 0));
        // A chunk would cost nothing.
        assert!(!bytes(1 << 35, 0));
    }
}
