// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of floods, at made-up times.

use super::floods::{
    FloodChange,
    FloodState,
    QUIET, //
};
use crate::{
    kernel_api::time::JIFFIES_PER_SECOND,
    token_bucket::Rate, //
};
use kernel::prelude::*;

const HZ: u64 = JIFFIES_PER_SECOND as u64;

const QUIET_TIME: u64 = QUIET as u64;

/// How many handshakes may be open at once, and more per second.
const HALF_OPEN: [u32; 2] = [64, 8];

/// Start times, including some shortly before the low 32 bits of jiffies wrap.
const STARTS: [u64; 4] = [0, 1000, (1 << 32) - 7 * HZ, (1 << 32) - 2];

fn rate(per_second: u32, burst: u32) -> Rate {
    Rate::new(per_second, 1, burst)
}

fn admits(state: &FloodState, rate: &Rate, now: u64) -> bool {
    state.judge(rate, now).0
}

/// How many of `count` SYNs pass at `now`. Either all of the clients complete their handshakes, or
/// none.
fn passing(state: &FloodState, rate: &Rate, count: u32, now: u64, is_crowd: bool) -> u32 {
    let mut passed = 0;
    for _ in 0..count {
        if admits(state, rate, now) {
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
            for (per_second, burst) in [(1, 1), (20, 20), (200, 200), (1000, 2000)] {
                let rate = rate(per_second, burst);
                let state = FloodState::new();
                let passed = passing(&state, &rate, 5000, start, false);
                assert_eq!(passed, burst.min(HALF_OPEN[0]));
                // A minute of 5000 SYNs per second.
                for step in 1..60 * HZ {
                    let now = start + step;
                    assert_eq!(passing(&state, &rate, 5000 / HZ as u32, now, false), 0);
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
            while now - start + HZ < QUIET_TIME {
                now += HZ;
                assert!(!admits(&state, &rate, now));
            }
            now = start + QUIET_TIME + 1;
            assert!(admits(&state, &rate, now));
        }
    }

    #[test]
    fn it_goes_on_while_the_rate_is_exceeded() {
        let (state, rate) = (FloodState::new(), rate(10, 10));
        assert_eq!(passing(&state, &rate, 11, 1000, true), 10);
        // Fifteen SYNs per second.
        let mut now = 1000;
        for _ in 0..10 * QUIET_TIME / HZ {
            now += HZ;
            assert_eq!(passing(&state, &rate, 15, now, true), 0);
        }
        assert!(!admits(&state, &rate, now + QUIET_TIME - 1));
        assert!(admits(&state, &rate, now + 2 * QUIET_TIME));
    }

    #[test]
    fn a_crowd_passes_up_to_the_rate() {
        for start in STARTS {
            let (state, rate) = (FloodState::new(), rate(1000, 2000));
            for step in 0..10 {
                let now = start + step * HZ;
                assert_eq!(passing(&state, &rate, 1000, now, true), 1000);
            }
            assert_eq!(passing(&state, &rate, 3000, start + 11 * HZ, true), 2000);
        }
    }

    #[test]
    fn few_that_never_come_back_pass() {
        for start in STARTS {
            let (state, rate) = (FloodState::new(), rate(1_000_000, 1_000_000));
            assert_eq!(passing(&state, &rate, 1000, start, false), HALF_OPEN[0]);
            assert!(!admits(&state, &rate, start + QUIET_TIME - 1));
            // No more than have timed out meanwhile.
            let later = start + QUIET_TIME;
            let passed = passing(&state, &rate, 1000, later, false);
            assert!(passed <= HALF_OPEN[1] * QUIET / HZ as u32);
        }
    }

    #[test]
    fn a_server_begins_anew() {
        let (state, rate) = (FloodState::new(), rate(5, 5));
        assert_eq!(passing(&state, &rate, 10, 1000, true), 5);
        state.clear();
        assert_eq!(passing(&state, &rate, 10, 1000, true), 5);
        state.clear();
        state.note(1000);
        assert_eq!(passing(&state, &rate, 10, 1000 + HZ, true), 0);
    }

    #[test]
    fn its_beginning_and_its_end_are_told_once() {
        use FloodChange::{Begins, Ends};
        for start in STARTS {
            let (state, rate) = (FloodState::new(), rate(10, 10));
            for _ in 0..10 {
                assert_eq!(state.judge(&rate, start), (true, None));
                state.prove();
            }
            assert_eq!(state.judge(&rate, start), (false, Some(Begins)));
            assert_eq!(state.judge(&rate, start), (false, None));
            assert_eq!(state.judge(&rate, start + 1), (false, None));
            assert!(!state.end(start + 1) && state.is_underway());
            let later = start + 1 + QUIET_TIME;
            assert_eq!(state.judge(&rate, later), (true, Some(Ends)));
            assert_eq!(state.judge(&rate, later), (true, None));
            // Another one, after which no SYN comes.
            assert!(state.note(later) && !state.note(later));
            assert!(state.end(later + QUIET_TIME) && !state.end(later + QUIET_TIME));
        }
    }
}
