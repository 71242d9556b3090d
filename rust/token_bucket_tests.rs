// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of token buckets, at made-up times.

use super::token_bucket::{
    Rate,
    TokenBucket, //
};
use crate::kernel_api::time::JIFFIES_PER_SECOND;
use kernel::prelude::*;

const HZ: u32 = JIFFIES_PER_SECOND;

/// The time when 32 bits of jiffies wrap.
const WRAP: u64 = 1 << 32;

fn rate(per_second: u32, burst: u32) -> Rate {
    Rate::new(per_second, 1, burst)
}

/// How many tokens there are.
fn tokens(rate: &Rate, bucket: &TokenBucket, now: u64) -> u32 {
    let mut count = 0;
    while bucket.take_at(rate, now) {
        count += 1;
        if count > 2_000_000 {
            break;
        }
    }
    count
}

#[kunit_tests(palisade_token_bucket)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_given_back_than_the_burst() {
        for (burst, now) in [(1, 1000), (64, WRAP - 1)] {
            let (rate, bucket) = (rate(8, burst), TokenBucket::new());
            bucket.give(&rate);
            assert_eq!(tokens(&rate, &bucket, now), burst);
            bucket.give(&rate);
            assert_eq!(tokens(&rate, &bucket, now), 1);
            for _ in 0..2 * burst {
                bucket.give(&rate);
            }
            assert_eq!(tokens(&rate, &bucket, now), burst);
        }
    }

    #[test]
    fn bursts_pass() {
        for burst in [1, 2, 100, 5000] {
            for now in [0, 1, WRAP - 1, WRAP] {
                let bucket = TokenBucket::new();
                assert_eq!(tokens(&rate(10, burst), &bucket, now), burst);
                assert_eq!(tokens(&rate(10, burst), &bucket, now), 0);
                bucket.fill();
                assert_eq!(tokens(&rate(10, burst), &bucket, now), burst);
            }
        }
    }

    #[test]
    fn a_rate_is_kept() {
        for per_second in [1, 7, HZ, 1000, 1_000_000] {
            let (rate, bucket) = (rate(per_second, per_second), TokenBucket::new());
            let start = WRAP - u64::from(2 * HZ);
            tokens(&rate, &bucket, start);
            // Four seconds give four seconds' worth, whenever they are taken.
            let mut taken = 0_u64;
            for step in 1..=4 * HZ {
                if per_second <= 1000 || step % HZ == 0 {
                    taken += u64::from(tokens(&rate, &bucket, start + u64::from(step)));
                }
            }
            assert_eq!(taken, 4 * u64::from(per_second));
        }
    }

    #[test]
    fn one_a_second() {
        let (rate, bucket) = (rate(1, 1), TokenBucket::new());
        let mut now = 1000;
        assert_eq!(tokens(&rate, &bucket, now), 1);
        for step in 1..HZ {
            assert_eq!(tokens(&rate, &bucket, now + u64::from(step)), 0);
        }
        // However long it was quiet, no more than the burst accumulates.
        for later in [HZ, 1 << 20, 1 << 31, u32::MAX] {
            now += u64::from(later);
            assert_eq!(tokens(&rate, &bucket, now), 1);
        }
    }

    #[test]
    fn ten_thousand_a_day() {
        let (rate, bucket) = (Rate::new(10_000, 86_400, 10_000), TokenBucket::new());
        assert_eq!(tokens(&rate, &bucket, WRAP), 10_000);
        let day = u64::from(86_400 * HZ);
        assert_eq!(tokens(&rate, &bucket, WRAP + day / 2), 5000);
        assert_eq!(tokens(&rate, &bucket, WRAP + 3 * day), 10_000);
    }

    #[test]
    fn a_million_a_second() {
        let (rate, bucket) = (rate(1_000_000, 1_000_000), TokenBucket::new());
        assert_eq!(tokens(&rate, &bucket, WRAP), 1_000_000);
        assert_eq!(tokens(&rate, &bucket, WRAP + 1), 1_000_000 / HZ);
        assert_eq!(tokens(&rate, &bucket, WRAP + 11), 1_000_000 / HZ * 10);
    }

    #[test]
    fn a_clock_that_is_late_gives_nothing() {
        // Another CPU emptied the bucket in the next jiffy.
        let (rate, bucket) = (rate(10, 1000), TokenBucket::new());
        tokens(&rate, &bucket, WRAP + 1);
        assert_eq!(tokens(&rate, &bucket, WRAP), 0);
        assert_eq!(tokens(&rate, &bucket, WRAP + 1), 0);
    }

    #[test]
    fn a_slow_rate_does_not_outlast_its_rule() {
        let bucket = TokenBucket::new();
        // This one would take eleven days to fill again.
        assert_eq!(tokens(&rate(1, 1_000_000), &bucket, WRAP), 1_000_000);
        let rate = rate(10, 10);
        assert_eq!(tokens(&rate, &bucket, WRAP), 0);
        assert_eq!(tokens(&rate, &bucket, WRAP + u64::from(HZ)), 10);
    }
}
