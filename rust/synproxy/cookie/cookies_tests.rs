// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of cookies: what comes back, from whom, and when.

use super::cookies::{
    CookieOptions,
    Cookies,
    ValidCookie,
    NO_SCALE, //
};
use crate::{
    kernel_api::conntrack::connections::Endpoints,
    packet::{
        tcp::options_tests::Numbers,
        Family, //
    },
};
use kernel::prelude::*;

const MINUTE: u64 = 1_000_001;

const MSS: [u16; 8] = [256, 536, 1220, 1300, 1420, 1440, 1460, 8940];

const FAMILIES: [Family; 2] = [Family::Ipv4, Family::Ipv6];

const KINDS: [CookieOptions; 4] = [
    CookieOptions::Nothing,
    CookieOptions::Options {
        scale: 0,
        sack: true,
    },
    CookieOptions::Options {
        scale: 14,
        sack: false,
    },
    CookieOptions::Options {
        scale: NO_SCALE,
        sack: true,
    },
];

/// A client.
#[derive(Clone, Copy)]
struct Who {
    family: Family,
    source: [u32; 4],
    destination: [u32; 4],
    ports: u32,
}

impl Who {
    fn new(family: Family) -> Self {
        let words = |first| match family {
            Family::Ipv4 => [first, 0, 0, 0],
            Family::Ipv6 => [first, 2, 3, 4],
        };
        Self {
            family,
            source: words(0x0a00_0002),
            destination: words(0x0a00_0001),
            ports: 0x5000_9c40,
        }
    }

    fn endpoints(&self) -> Endpoints {
        let [a, b, c, d] = self.ports.to_ne_bytes();
        Endpoints {
            family: self.family,
            addresses: (self.source, self.destination),
            ports: ([a, b], [c, d]),
        }
    }

    /// Checks in the minute `now`.
    fn check(
        &self,
        cookies: &Cookies,
        now: u64,
        (sequence, acknowledgement): (u32, u32),
        has_timestamps: bool,
    ) -> Option<ValidCookie> {
        cookies.check_in(
            now,
            &self.endpoints(),
            sequence,
            acknowledgement,
            has_timestamps,
        )
    }

    fn make(&self, cookies: &Cookies, sequence: u32, mss: u16, carried: CookieOptions) -> u32 {
        cookies.make_in(MINUTE, &self.endpoints(), sequence, mss, carried)
    }
}

fn has_timestamps(carried: CookieOptions) -> bool {
    carried == CookieOptions::Nothing
}

/// The numbers of a segment that acknowledges the cookie.
fn answer(sequence: u32, cookie: u32) -> (u32, u32) {
    (sequence.wrapping_add(1), cookie.wrapping_add(1))
}

#[kunit_tests(palisade_synproxy_cookies)]
mod tests {
    use super::*;

    #[test]
    fn everything_comes_back() {
        let cookies = Cookies::new();
        for (who, carried) in FAMILIES
            .iter()
            .flat_map(|one| KINDS.map(|kind| (Who::new(*one), kind)))
        {
            for mss in MSS {
                for sequence in [0, 1, 0x7fff_ffff, 0xdead_beef, u32::MAX] {
                    let cookie = who.make(&cookies, sequence, mss, carried);
                    let numbers = answer(sequence, cookie);
                    // Valid in this minute and the next.
                    for now in [MINUTE, MINUTE + 1] {
                        let returned = who.check(&cookies, now, numbers, has_timestamps(carried));
                        let expected = ValidCookie {
                            mss,
                            carried,
                            is_keep_alive: false,
                        };
                        assert!(returned == Some(expected));
                    }
                }
            }
        }
    }

    #[test]
    fn sizes_are_rounded_down() {
        let cookies = Cookies::new();
        let who = Who::new(Family::Ipv4);
        let cases = [
            (0, 256),
            (1, 256),
            (256, 256),
            (535, 256),
            (536, 536),
            (537, 536),
            (1219, 536),
            (1220, 1220),
            (1299, 1220),
            (1379, 1300),
            (1419, 1300),
            (1439, 1420),
            (1459, 1440),
            (1460, 1460),
            (8939, 1460),
            (8940, 8940),
            (u16::MAX, 8940),
        ];
        for (mss, rounded) in cases {
            for carried in KINDS {
                let numbers = answer(9, who.make(&cookies, 9, mss, carried));
                let returned = who.check(&cookies, MINUTE, numbers, has_timestamps(carried));
                assert!(returned.is_some_and(|returned| returned.mss == rounded));
            }
        }
    }

    #[test]
    fn no_other_minute_will_do() {
        let cookies = Cookies::new();
        let mut accepted = 0;
        for (who, carried) in FAMILIES
            .iter()
            .flat_map(|one| KINDS.map(|kind| (Who::new(*one), kind)))
        {
            let numbers = answer(7, who.make(&cookies, 7, 1460, carried));
            for late in [2, 3, 4, 5, 100, 1 << 31, 1 << 32, -1, -2, -1000, -1_000_000] {
                let now = MINUTE.wrapping_add_signed(late);
                let returned = who.check(&cookies, now, numbers, has_timestamps(carried));
                accepted += u32::from(returned.is_some());
            }
        }
        // One may be right by chance, in one of 50,000 runs.
        assert!(accepted <= 1);
    }

    #[test]
    fn no_one_else_may_use_it() {
        let cookies = Cookies::new();
        let mut accepted = 0;
        for (who, carried) in FAMILIES
            .iter()
            .flat_map(|one| KINDS.map(|kind| (Who::new(*one), kind)))
        {
            let (sequence, acknowledgement) = answer(7, who.make(&cookies, 7, 1460, carried));
            let has_timestamps = has_timestamps(carried);
            let mut others = [who; 12];
            let length = match who.family {
                Family::Ipv4 => 1,
                Family::Ipv6 => 4,
            };
            for index in 0..length {
                others[index].source[index] ^= 1 << 24;
                others[index + 4].destination[index] ^= 1;
            }
            others[8].ports ^= 1;
            others[9].ports ^= 1 << 31;
            others[10].ports = who.ports.rotate_left(16);
            (others[11].source, others[11].destination) = (who.destination, who.source);
            for other in others {
                let is_other = (other.source, other.destination, other.ports)
                    != (who.source, who.destination, who.ports);
                let returned = other.check(
                    &cookies,
                    MINUTE,
                    (sequence, acknowledgement),
                    has_timestamps,
                );
                accepted += u32::from(is_other && returned.is_some());
            }
            // Other sequence numbers; one less would be a keep-alive.
            for shift in [1, 2, 1000, u32::MAX - 1, 1 << 31] {
                let numbers = (sequence.wrapping_add(shift), acknowledgement);
                accepted += u32::from(
                    who.check(&cookies, MINUTE, numbers, has_timestamps)
                        .is_some(),
                );
            }
            // The other kind of cookie.
            let numbers = (sequence, acknowledgement);
            accepted += u32::from(
                who.check(&cookies, MINUTE, numbers, !has_timestamps)
                    .is_some(),
            );
            // Another namespace, or another boot.
            let key = Cookies::new();
            accepted += u32::from(who.check(&key, MINUTE, numbers, has_timestamps).is_some());
        }
        assert!(accepted <= 1);
    }

    #[test]
    fn keep_alives_are_known() {
        let cookies = Cookies::new();
        for (who, carried) in FAMILIES
            .iter()
            .flat_map(|one| KINDS.map(|kind| (Who::new(*one), kind)))
        {
            for sequence in [0, 5, u32::MAX] {
                let cookie = who.make(&cookies, sequence, 1300, carried);
                let (next, acknowledgement) = answer(sequence, cookie);
                let numbers = (next.wrapping_sub(1), acknowledgement);
                let returned = who.check(&cookies, MINUTE, numbers, has_timestamps(carried));
                let expected = ValidCookie {
                    mss: 1300,
                    carried,
                    is_keep_alive: true,
                };
                // If the code is all ones, one more overflows: such a keep-alive has to be sent
                // again.
                assert!(returned.is_none_or(|returned| returned == expected));
                let ones = (1 << 23) - 1;
                assert!(returned.is_some() || cookie.wrapping_sub(sequence) & ones == ones);
            }
        }
    }

    #[test]
    fn no_bit_may_differ() {
        let cookies = Cookies::new();
        let mut accepted = 0;
        for (who, carried) in FAMILIES
            .iter()
            .flat_map(|one| KINDS.map(|kind| (Who::new(*one), kind)))
        {
            for mss in MSS {
                let cookie = who.make(&cookies, 0, mss, carried);
                for bit in 0..32 {
                    let other = cookie ^ 1 << bit;
                    let returned =
                        who.check(&cookies, MINUTE, answer(0, other), has_timestamps(carried));
                    // One more looks like a keep-alive, which gains a forger nothing.
                    let is_next = other == cookie.wrapping_add(1);
                    accepted +=
                        u32::from(returned.is_some_and(|one| !is_next || !one.is_keep_alive));
                }
            }
        }
        assert!(accepted <= 1);
    }

    #[test]
    fn what_is_forged_is_refused() {
        let cookies = Cookies::new();
        let mut numbers = Numbers(0x9e37_79b9);
        let mut accepted = [0; 2];
        for _ in 0..50_000 {
            let mut who = Who::new(Family::Ipv4);
            who.source[0] = numbers.next();
            let guess = (numbers.next(), numbers.next());
            for (count, has_timestamps) in accepted.iter_mut().zip([false, true]) {
                *count += u32::from(who.check(&cookies, MINUTE, guess, has_timestamps).is_some());
            }
        }
        // Two of 2^23 codes are valid, or two of 2^28.
        assert!(accepted[0] <= 2 && accepted[1] <= 1);
    }

    #[test]
    fn codes_differ() {
        let cookies = Cookies::new();
        let mut seen: KVec<u32> = KVec::new();
        let mut same = 0;
        for number in 0..256 {
            let mut who = Who::new(Family::Ipv4);
            who.source[0] = number;
            let cookie = who.make(&cookies, 0, 1460, CookieOptions::Nothing) << 4;
            same += seen.iter().filter(|other| **other == cookie).count();
            assert!(seen.push(cookie, GFP_KERNEL).is_ok());
        }
        // 32,640 pairs of 28-bit codes.
        assert!(same <= 1);
    }
}
