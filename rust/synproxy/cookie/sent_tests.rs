// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of when cookies were sent.

use super::sent::SentCookies;
use kernel::prelude::*;

#[kunit_tests(palisade_sent_cookies)]
mod tests {
    use super::*;

    /// Another cookie with the same slot.
    const OTHER: u32 = 1 << 31;

    #[test]
    fn a_cookie_is_known_for_a_second() -> Result {
        let sent = SentCookies::new()?;
        for (cookie, now) in [(7, 5), (8, u32::MAX), (u32::MAX, 1 << 31)] {
            assert_eq!(sent.time(cookie, now), None);
            sent.note(cookie, now);
            for later in [0, 1, 999] {
                assert_eq!(sent.time(cookie, now.wrapping_add(later)), Some(now));
            }
            assert_eq!(sent.time(cookie, now.wrapping_add(1000)), None);
            assert_eq!(sent.time(cookie ^ OTHER, now), None);
        }
        Ok(())
    }

    #[test]
    fn nothing_is_known_of_what_was_sent_twice() -> Result {
        let sent = SentCookies::new()?;
        sent.note(7, 1);
        sent.note(7, 2);
        assert_eq!(sent.time(7, 2), None);
        sent.note(7, 3);
        assert_eq!(sent.time(7, 3), None);
        Ok(())
    }

    #[test]
    fn what_is_forgotten_is_not_known() -> Result {
        let sent = SentCookies::new()?;
        sent.note(7, 1);
        sent.forget(7 ^ OTHER);
        assert_eq!(sent.time(7, 1), Some(1));
        sent.forget(7);
        assert_eq!(sent.time(7, 1), None);
        Ok(())
    }

    #[test]
    fn the_next_one_takes_the_slot() -> Result {
        let sent = SentCookies::new()?;
        sent.note(7, 1);
        sent.note(7 ^ OTHER, 2);
        assert_eq!(sent.time(7, 2), None);
        assert_eq!(sent.time(7 ^ OTHER, 2), Some(2));
        Ok(())
    }
}
