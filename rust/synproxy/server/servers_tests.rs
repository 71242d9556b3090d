// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of what is known of servers, and of how many SYNs pass to them.

use super::servers::{
    ConnectResult,
    Endpoint,
    Known,
    Said,
    ServerOptions,
    Servers,
    WaitResult, //
};
use crate::{
    kernel_api::{
        net::listeners::Offer,
        time::{
            jiffies32,
            JIFFIES_PER_SECOND, //
        },
    },
    packet::{
        tcp::options::{
            Options,
            Timestamps, //
        },
        Address,
        Family, //
    },
    token_bucket::Rate, //
};
use kernel::prelude::*;

const HZ: u32 = JIFFIES_PER_SECOND;

fn ipv4(number: u32, port: u16) -> Endpoint {
    Endpoint {
        family: Family::Ipv4,
        address: Address::new([number, 0, 0, 0]),
        port,
    }
}

fn ipv6(words: [u32; 4]) -> Endpoint {
    Endpoint {
        family: Family::Ipv6,
        address: Address::new(words),
        port: 80,
    }
}

const EVERYTHING: Options = Options {
    mss: Some(1460),
    scale: Some(7),
    sack: true,
    timestamps: Some(Timestamps { value: 1, echo: 2 }),
    received: None,
};

/// A server that uses everything.
const KNOWN: ServerOptions = ServerOptions {
    mss: 1460,
    scale: Some(7),
    sack: true,
    timestamps: true,
    ecn: false,
    is_local: false,
    window: 65_160,
};

/// A server announces these options.
fn learn(servers: &Servers, endpoint: &Endpoint, announced: &Options) {
    servers.learn(
        endpoint,
        &EVERYTHING,
        &Said {
            ecn: Some(false),
            ..said(announced)
        },
    );
}

/// What a server says that announces these options, and was not asked for ECN.
fn said(options: &Options) -> Said<'_> {
    Said {
        options,
        ecn: None,
        window: 65_160,
        is_local: false,
        was_chosen: false,
    }
}

/// The number of servers, and of connections accepted, refused and not reached.
fn count(servers: &Servers) -> (usize, [u32; 3]) {
    let (mut slot, mut count, mut sums) = (0, 0, [0; 3]);
    while let Some((report, next)) = servers.report_from(slot) {
        let attempts = [report.opened, report.refused, report.unanswered];
        for (sum, attempts) in sums.iter_mut().zip(attempts) {
            *sum += attempts;
        }
        count += 1;
        slot = next;
    }
    (count, sums)
}

fn rate(per_second: u32, burst: u32) -> Rate {
    Rate::new(per_second, 1, burst)
}

#[kunit_tests(palisade_synproxy_servers)]
mod tests {
    use super::*;

    #[test]
    fn what_a_socket_says_is_remembered_for_a_moment() -> Result {
        let (servers, endpoint) = (Servers::new()?, ipv4(1, 80));
        let offer = Offer {
            mss: None,
            space: 1 << 20,
            initial_window: 0,
            scale: Some(14),
            sack: true,
            timestamps: false,
            ecn: true,
            has_room: true,
        };
        assert_eq!(servers.known(&endpoint, 7), Known::Nothing);
        let other = Offer {
            mss: Some(0),
            scale: None,
            sack: false,
            timestamps: true,
            has_room: false,
            ..offer
        };
        for offer in [offer, other] {
            servers.remember(&endpoint, &offer, 7);
            assert_eq!(servers.known(&endpoint, 7), Known::Listener(offer));
            assert_eq!(servers.known(&endpoint, 8), Known::Nothing);
            assert_eq!(servers.known(&endpoint, 6), Known::Nothing);
        }
        // What it says when it answers for itself comes first.
        learn(&servers, &endpoint, &EVERYTHING);
        servers.remember(&endpoint, &offer, 7);
        assert_eq!(servers.known(&endpoint, 7), Known::Server(KNOWN));
        assert!(servers.forget(&endpoint) && !servers.forget(&endpoint));
        Ok(())
    }

    #[test]
    fn what_was_learned_is_known() -> Result {
        let servers = Servers::new()?;
        assert!(servers.report_from(0).is_none());
        let one = ipv4(1, 80);
        assert!(servers.options(&one).is_none());
        learn(&servers, &one, &EVERYTHING);
        assert!(servers.options(&one) == Some(KNOWN));
        // Other servers are unknown, whatever they have in common with it.
        let others = [ipv4(1, 81), ipv4(2, 80), ipv6([1, 0, 0, 0])];
        assert!(others.iter().all(|other| servers.options(other).is_none()));
        let (report, next) = servers.report_from(0).ok_or(EINVAL)?;
        assert!((report.family, report.address, report.port) == (one.family, one.address, 80));
        assert!(report.options == Some(KNOWN) && report.age < 60 * HZ);
        assert!(servers.report_from(next).is_none());
        assert!(servers.report_from(usize::MAX).is_none());
        Ok(())
    }

    #[test]
    fn the_last_window_is_kept() -> Result {
        let servers = Servers::new()?;
        let one = ipv4(1, 80);
        for window in [0, 1, u16::MAX, 64_240] {
            let said = Said {
                window,
                ..said(&EVERYTHING)
            };
            servers.learn(&one, &EVERYTHING, &said);
            assert!(servers
                .options(&one)
                .is_some_and(|known| known.window == window));
        }
        Ok(())
    }

    #[test]
    fn early_data_that_was_dropped_is_counted() -> Result {
        let servers = Servers::new()?;
        let one = ipv4(1, 80);
        servers.count_dropped(&one);
        servers.count_dropped(&one);
        let (report, _) = servers.report_from(0).ok_or(EINVAL)?;
        assert!((report.dropped, report.opened, report.options) == (2, 0, None));
        Ok(())
    }

    #[test]
    fn every_set_of_options_is_kept() -> Result {
        let servers = Servers::new()?;
        for scale in (0..16).map(|scale| (scale < 15).then_some(scale)) {
            for number in 0..8_u16 {
                let announced = Options {
                    mss: Some(number * 9362),
                    scale,
                    sack: number & 1 != 0,
                    timestamps: EVERYTHING.timestamps.filter(|_| number & 2 != 0),
                    received: None,
                };
                let one = ipv6([u32::from(number), 2, 3, 4]);
                let said = Said {
                    ecn: Some(number & 4 != 0),
                    ..said(&announced)
                };
                servers.learn(&one, &EVERYTHING, &said);
                let expected = ServerOptions {
                    mss: number * 9362,
                    scale,
                    sack: announced.sack,
                    timestamps: announced.timestamps.is_some(),
                    ecn: number & 4 != 0,
                    is_local: false,
                    window: 65_160,
                };
                assert!(servers.options(&one) == Some(expected));
            }
        }
        Ok(())
    }

    #[test]
    fn only_what_was_asked_for_is_learned() -> Result {
        let servers = Servers::new()?;
        let one = ipv4(1, 80);
        // A server that was asked for nothing tells its MSS only.
        let bare = Options::default();
        servers.learn(&one, &bare, &said(&bare));
        let assumed = ServerOptions { mss: 536, ..KNOWN };
        assert!(servers.options(&one) == Some(assumed));
        // Then it is known to lack them all, and remains so.
        let uses_ecn = Said {
            ecn: Some(true),
            ..said(&bare)
        };
        servers.learn(&one, &EVERYTHING, &uses_ecn);
        let lacking = ServerOptions {
            mss: 536,
            scale: None,
            sack: false,
            timestamps: false,
            ecn: true,
            is_local: false,
            window: 65_160,
        };
        assert!(servers.options(&one) == Some(lacking));
        servers.learn(&one, &bare, &said(&bare));
        assert!(servers.options(&one) == Some(lacking));
        Ok(())
    }

    #[test]
    fn clients_are_told_what_all_servers_can_do_that_they_may_get_to() -> Result {
        let servers = Servers::new()?;
        let one = ipv4(1, 80);
        let small = Options {
            mss: Some(1400),
            scale: Some(9),
            sack: true,
            timestamps: None,
            received: None,
        };
        let chosen = |options| Said {
            was_chosen: true,
            ..said(options)
        };
        for options in [&EVERYTHING, &small, &EVERYTHING] {
            servers.learn(&one, &EVERYTHING, &chosen(options));
        }
        let common = ServerOptions {
            mss: 1400,
            timestamps: false,
            ..KNOWN
        };
        assert!(servers.options(&one) == Some(common));
        // A server that is the only one may have changed.
        learn(&servers, &one, &EVERYTHING);
        assert!(servers.options(&one) == Some(KNOWN));
        Ok(())
    }

    #[test]
    fn clients_that_wait_are_counted() -> Result {
        let servers = Servers::new()?;
        let results = [
            WaitResult::Begun,
            WaitResult::ByData,
            WaitResult::ByTimeout,
            WaitResult::GivenUp,
        ];
        for (number, result) in (1..).zip(results) {
            for _ in 0..number {
                servers.count_waited(&ipv4(1, 80), result);
            }
        }
        let report = servers.report_from(0).ok_or(EINVAL)?.0;
        assert_eq!(report.waited, [1, 2, 3, 4]);
        Ok(())
    }

    #[test]
    fn attempts_are_counted() -> Result {
        let servers = Servers::new()?;
        let attempts = [
            (ConnectResult::Opened, 3),
            (ConnectResult::Refused, 2),
            (ConnectResult::Unanswered, 1),
        ];
        for (attempt, times) in attempts {
            for _ in 0..times {
                servers.count(&ipv4(1, 80), attempt);
            }
        }
        servers.count(&ipv4(2, 80), ConnectResult::Refused);
        assert!(count(&servers) == (2, [3, 3, 1]));
        // Attempts tell nothing about its options.
        assert!(servers.options(&ipv4(1, 80)).is_none());
        Ok(())
    }

    #[test]
    fn the_table_does_not_grow() -> Result {
        let servers = Servers::new()?;
        for number in 0..20_000 {
            let one = ipv4(number, 80);
            learn(&servers, &one, &EVERYTHING);
            servers.count(&one, ConnectResult::Opened);
            // The latest is there, whichever was replaced.
            assert!(servers.options(&one) == Some(KNOWN));
        }
        let (found, sums) = count(&servers);
        assert!(found <= 4096 && found > 3000);
        // A new entry starts with counters of 0.
        assert!(sums == [found as u32, 0, 0]);
        Ok(())
    }

    #[test]
    fn a_few_servers_have_room() -> Result {
        let servers = Servers::new()?;
        for number in 0..256 {
            learn(&servers, &ipv4(number << 24, 443), &EVERYTHING);
        }
        let established =
            (0..256).filter(|number| servers.options(&ipv4(number << 24, 443)).is_some());
        assert!(established.count() >= 250);
        Ok(())
    }

    #[test]
    fn nobody_can_choose_whose_place_to_take() -> Result {
        let servers = Servers::new()?;
        // Addresses of one network, whose words cancel out if a hash just adds them up.
        let address = |number: u32| {
            ipv6([
                0x2001_0db8,
                0,
                number.rotate_right(16),
                number.rotate_right(24),
            ])
        };
        for number in 0..64 {
            learn(&servers, &address(number), &EVERYTHING);
        }
        let established = (0..64).filter(|number| servers.options(&address(*number)).is_some());
        assert!(established.count() >= 60);
        Ok(())
    }

    #[test]
    fn who_takes_a_place_over_has_no_options() -> Result {
        let servers = Servers::new()?;
        for number in 0..10_000 {
            learn(&servers, &ipv4(number, 80), &EVERYTHING);
        }
        for number in 0..10_000 {
            let one = ipv4(number, 81);
            servers.count(&one, ConnectResult::Refused);
            assert!(servers.options(&one).is_none());
        }
        Ok(())
    }

    #[test]
    fn a_flood_for_many_servers_is_one() -> Result {
        let servers = Servers::new()?;
        let rate = rate(1, 1);
        let start = jiffies32();
        let admitted = (0..12_000).filter(|number| servers.judge(&ipv4(*number, 80), &rate).0);
        let admitted = admitted.count() as u32;
        // As many servers as there are slots may start with their burst, and again when they are
        // forgotten.
        let seconds = jiffies32().wrapping_sub(start) / HZ;
        assert!(admitted <= 4096 * (1 + seconds));
        Ok(())
    }

    #[test]
    fn servers_have_rates_of_their_own() -> Result {
        let servers = Servers::new()?;
        let rate = rate(1, 2);
        let admitted = |one: &Endpoint| (0..5).filter(|_| servers.judge(one, &rate).0).count();
        for one in [ipv4(1, 80), ipv4(1, 81), ipv6([1, 0, 0, 0])] {
            // The clock keeps running.
            assert!((2..=3).contains(&admitted(&one)));
        }
        Ok(())
    }
}
