// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of floods, at made-up times.

use super::floods::{
    FloodState,
    Rate,
    HALF_OPEN,
    QUIET, //
};
use crate::kernel_api::time::JIFFIES_PER_SECOND;
use kernel::prelude::*;

const HZ: u32 = JIFFIES_PER_SECOND;

/// Start times, including some shortly before jiffies wrap.
const STARTS: [u32; 4] = [0, 1000, u32::MAX - 7 * HZ, u32::MAX - 1];

fn rate(per_second: u32, burst: u32) -> Rate {
    Rate { per_second, burst }
}

/// How many of `count` SYNs pass at `now`. Either all of the clients complete their handshakes, or
/// none.
fn passing(state: &FloodState, rate: &Rate, count: u32, now: u32, is_crowd: bool) -> u32 {
    let mut passed = 0;
    for _ in 0..count {
        if state.admits(rate, now) {
            passed += 1;
            if is_crowd {
                state.prove();
            }
        }
    }
    passed
}

#[kunit_tests(palisade_floods)]
mod tests {
    use super::*;

    #[test]
    fn nothing_passes_in_a_flood() {
        for start in STARTS {
            for rate in [rate(1, 1), rate(20, 20), rate(200, 200), rate(1000, 2000)] {
                let state = FloodState::new();
                let passed = passing(&state, &rate, 5000, start, false);
                assert_eq!(passed, rate.burst.min(HALF_OPEN.burst));
                // A minute of 5000 SYNs per second.
                for step in 1..60 * HZ {
                    let now = start.wrapping_add(step);
                    assert_eq!(passing(&state, &rate, 5000 / HZ, now, false), 0);
                }
            }
        }
    }

    #[test]
    fn it_is_over_after_some_quiet_seconds() {
        for start in STARTS {
            let (state, rate) = (FloodState::new(), rate(10, 10));
            assert_eq!(passing(&state, &rate, 11, start, true), 10);
            // One SYN per second is below the rate, but the flood is not over.
            let mut now = start;
            while now.wrapping_sub(start) + HZ < QUIET {
                now = now.wrapping_add(HZ);
                assert!(!state.admits(&rate, now));
            }
            now = start.wrapping_add(QUIET + 1);
            assert!(state.admits(&rate, now));
        }
    }

    #[test]
    fn it_goes_on_while_the_rate_is_exceeded() {
        let (state, rate) = (FloodState::new(), rate(10, 10));
        assert_eq!(passing(&state, &rate, 11, 1000, true), 10);
        // Fifteen SYNs per second.
        let mut now = 1000;
        for _ in 0..10 * QUIET / HZ {
            now += HZ;
            assert_eq!(passing(&state, &rate, 15, now, true), 0);
        }
        assert!(!state.admits(&rate, now + QUIET - 1));
        assert!(state.admits(&rate, now + 2 * QUIET));
    }

    #[test]
    fn a_crowd_passes_up_to_the_rate() {
        for start in STARTS {
            let (state, rate) = (FloodState::new(), rate(1000, 2000));
            for step in 0..10 {
                let now = start.wrapping_add(step * HZ);
                assert_eq!(passing(&state, &rate, 1000, now, true), 1000);
            }
            assert_eq!(
                passing(&state, &rate, 3000, start.wrapping_add(11 * HZ), true),
                2000
            );
        }
    }

    #[test]
    fn few_that_never_come_back_pass() {
        for start in STARTS {
            let (state, rate) = (FloodState::new(), rate(1_000_000, 1_000_000));
            assert_eq!(passing(&state, &rate, 1000, start, false), HALF_OPEN.burst);
            assert!(!state.admits(&rate, start.wrapping_add(QUIET - 1)));
            // No more than have timed out meanwhile.
            let later = start.wrapping_add(QUIET);
            let passed = passing(&state, &rate, 1000, later, false);
            assert!(passed <= HALF_OPEN.per_second * QUIET / HZ);
        }
    }

    #[test]
    fn a_server_begins_anew() {
        let (state, rate) = (FloodState::new(), rate(5, 5));
        assert_eq!(passing(&state, &rate, 10, 1000, true), 5);
        state.clear();
        assert_eq!(passing(&state, &rate, 10, 1000, true), 5);
        state.clear();
        state.start_flooded(1000);
        assert_eq!(passing(&state, &rate, 10, 1000 + HZ, true), 0);
    }
}
