// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of time in 32-bit jiffies.

use super::stamps::{
    age,
    is_within,
    jiffies,
    Window,
    AGE_MAX,
    ANY_AGE, //
};
use crate::kernel_api::time::{
    milliseconds,
    JIFFIES_PER_SECOND, //
};
use kernel::prelude::*;

#[kunit_tests(palisade_recent_stamps)]
mod tests {
    use super::*;

    #[test]
    fn ages_wrap() {
        assert_eq!(age(5, 5), 0);
        assert_eq!(age(6, 5), 1);
        assert_eq!(age(2, u32::MAX), 3);
        assert_eq!(age(AGE_MAX, 0), AGE_MAX);
        assert_eq!(age((1 << 31) - 1, 0), (1 << 31) - 1);
    }

    #[test]
    fn what_is_newer_has_no_age() {
        assert_eq!(age(5, 6), 0);
        assert_eq!(age(u32::MAX, 0), 0);
        assert_eq!(age(1 << 31, 0), 0);
    }

    #[test]
    fn limits_are_compared_as_ages() {
        let moments = [0, 1, 5, AGE_MAX, ANY_AGE, ANY_AGE + 1, u32::MAX];
        for now in moments {
            for stamp in moments {
                for limit in [0, 1, 5, AGE_MAX, ANY_AGE] {
                    assert_eq!(is_within(limit, now, stamp), age(now, stamp) <= limit);
                }
                assert!(is_within(ANY_AGE, now, stamp));
            }
        }
    }

    #[test]
    fn milliseconds_and_jiffies_agree() {
        assert_eq!(milliseconds(JIFFIES_PER_SECOND), 1000);
        assert_eq!(
            milliseconds(u32::MAX),
            u64::from(u32::MAX) * 1000 / u64::from(JIFFIES_PER_SECOND)
        );
        assert!(jiffies(1000) == Some(JIFFIES_PER_SECOND));
        assert!(jiffies(1) == Some(1));
        assert!(jiffies(0) == Some(0));
        assert!(jiffies(u64::MAX).is_none());
        assert!(jiffies(milliseconds(AGE_MAX)).is_some());
        assert!(jiffies(milliseconds(AGE_MAX) + 1000).is_none());
    }

    #[test]
    fn windows_are_limited() {
        assert!(Window::new(None, 0).is_some_and(|window| window.hits == 1));
        assert!(Window::new(Some(60), 3).is_some_and(|window| window.hits == 3));
        assert!(Window::new(Some(u32::MAX), 1).is_none());
    }
}
