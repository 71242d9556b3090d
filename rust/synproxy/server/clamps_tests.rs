// SPDX-License-Identifier: GPL-2.0

//! Tests of [`clamps`](super::clamps).

use super::clamps::Clamps;
use kernel::prelude::*;

#[kunit_tests(palisade_clamps)]
mod tests {
    use super::*;

    #[test]
    fn what_rules_leave_is_known_by_device() {
        let clamps = Clamps::new();
        assert_eq!(clamps.limit(0), u16::MAX);
        assert_eq!(clamps.limit(2), u16::MAX);
        clamps.learn(2, 1460, 1300);
        assert_eq!(clamps.limit(2), 1300);
        // Neither other devices, nor one with the same slot.
        assert_eq!(clamps.limit(3), u16::MAX);
        assert_eq!(clamps.limit(66), u16::MAX);
        clamps.learn(66, 1460, 1460);
        assert_eq!(clamps.limit(2), 1300);
        clamps.learn(66, 1460, 1200);
        assert_eq!((clamps.limit(2), clamps.limit(66)), (u16::MAX, 1200));
    }

    #[test]
    fn a_rule_that_is_gone_is_forgotten() {
        let clamps = Clamps::new();
        clamps.learn(2, 1460, 1300);
        // A route or server with as small an MSS tells nothing about the rule.
        clamps.learn(2, 1300, 1300);
        clamps.learn(2, 1000, 1000);
        assert_eq!(clamps.limit(2), 1300);
        clamps.learn(2, 1460, 1400);
        assert_eq!(clamps.limit(2), 1400);
        clamps.learn(2, 1460, 1460);
        assert_eq!(clamps.limit(2), u16::MAX);
    }
}
