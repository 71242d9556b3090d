// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of SYN-ACKs for known servers, unknown servers, and rules with options of their own.

use super::{
    announcement::{
        Agreement,
        Announcement, //
    },
    CookieOptions,
    NO_SCALE, //
};
use crate::{
    kernel_api::{
        net::listeners::Offer,
        time::now_milliseconds, //
    },
    packet::{
        tcp::{
            options::{
                Options,
                Timestamps, //
            },
            segment::{
                flags,
                Segment, //
            },
        },
        Family, //
    },
    synproxy::{
        server::servers::{
            Known,
            ServerOptions, //
        },
        settings::SynproxySettings, //
    },
};
use kernel::prelude::*;

/// A SYN with additional flags.
fn syn(more: u8) -> Segment {
    Segment {
        offset: 20,
        ports: ([0x9c, 0x40], [0, 80]),
        sequence: 1,
        acknowledgement: 0,
        header_length: 40,
        flags: flags::SYN | more,
        window: 64240,
    }
}

const LEARNED: SynproxySettings = SynproxySettings {
    mss: None,
    scale: None,
    sack: None,
    timestamps: None,
    ecn: None,
    window: None,
    patience: None,
    threshold: None,
};

/// A rule with these options.
fn chosen(scale: Option<u8>, sack: bool, timestamps: bool, ecn: bool) -> SynproxySettings {
    SynproxySettings {
        mss: Some(1400),
        scale,
        sack: Some(sack),
        timestamps: Some(timestamps),
        ecn: Some(ecn),
        window: None,
        patience: None,
        threshold: None,
    }
}

const CLIENT: Options = Options {
    mss: Some(1452),
    scale: Some(9),
    sack: true,
    timestamps: Some(Timestamps { value: 77, echo: 0 }),
    received: None,
};

const SERVER: ServerOptions = ServerOptions {
    mss: 1380,
    scale: Some(5),
    sack: true,
    timestamps: true,
    ecn: true,
    is_local: false,
    window: 64_240,
};

const CONGESTION: u8 = flags::ECE | flags::CWR;

/// What a socket of this host says.
const OFFER: Offer = Offer {
    mss: None,
    space: 43210,
    initial_window: 0,
    scale: Some(6),
    sack: true,
    timestamps: true,
    ecn: true,
    has_room: true,
};

fn known(server: Option<&ServerOptions>) -> Known {
    server.map_or(Known::Nothing, |server| Known::Server(*server))
}

fn announce(
    settings: &SynproxySettings,
    client: &Options,
    server: Option<&ServerOptions>,
    more: u8,
) -> Announcement {
    let server = known(server);
    Announcement::new(
        settings,
        Family::Ipv4,
        &syn(more),
        client,
        &server,
        u16::MAX,
    )
}

/// What comes back with the timestamp of an answer.
fn agreement(answer: &Announcement) -> Result<Agreement> {
    let stamps = answer.options.timestamps.ok_or(EINVAL)?;
    Ok(Agreement::from_stamp(stamps.value))
}

fn without_timestamps(options: Options) -> Options {
    Options {
        timestamps: None,
        ..options
    }
}

#[kunit_tests(palisade_synproxy_announcements)]
mod tests {
    use super::*;

    #[test]
    fn the_way_bounds_the_segment_size() {
        let local = ServerOptions {
            is_local: true,
            ..SERVER
        };
        let chosen = chosen(None, true, true, true);
        for way in [536, 1000, 1300, 1400, 1460, u16::MAX] {
            let told = |settings: &SynproxySettings, server: Option<&ServerOptions>| {
                let (syn, server) = (syn(0), known(server));
                Announcement::new(settings, Family::Ipv4, &syn, &CLIENT, &server, way)
                    .options
                    .mss
            };
            assert_eq!(told(&LEARNED, Some(&SERVER)), Some(way.min(1380)));
            assert_eq!(told(&LEARNED, Some(&local)), Some(way));
            assert_eq!(told(&LEARNED, None), Some(way.min(1460)));
            assert_eq!(told(&chosen, Some(&SERVER)), Some(way.min(1400)));
        }
    }

    #[test]
    fn a_server_that_is_not_known_is_like_most() -> Result {
        for (family, mss) in [(Family::Ipv4, 1460), (Family::Ipv6, 1440)] {
            let answer = Announcement::new(
                &LEARNED,
                family,
                &syn(CONGESTION),
                &CLIENT,
                &Known::Nothing,
                u16::MAX,
            );
            let options = &answer.options;
            assert!((options.mss, options.scale, options.sack) == (Some(mss), Some(7), true));
            assert!(options.timestamps.is_some_and(|stamps| stamps.echo == 77));
            assert!(answer.carried == CookieOptions::Nothing);
            // ECN is not assumed: many servers lack it.
            assert_eq!(answer.flags, flags::SYN | flags::ACK);
            let expected = Agreement {
                client_scale: 9,
                advertised_wscale: 7,
                sack: true,
                ecn: false,
            };
            assert!(agreement(&answer)? == expected);
        }
        Ok(())
    }

    #[test]
    fn known_servers_are_announced_with_their_window() {
        let at_most = |window| SynproxySettings {
            window: Some(window),
            ..LEARNED
        };
        let chosen = chosen(None, true, true, true);
        for (settings, server, expected) in [
            (&LEARNED, None, 0),
            (&LEARNED, Some(0), 0),
            (&LEARNED, Some(64_240), 64_240),
            (&chosen, Some(u16::MAX), u16::MAX),
            (&at_most(0), Some(64_240), 0),
            (&at_most(1000), Some(64_240), 1000),
            (&at_most(1000), Some(500), 500),
            (&at_most(1000), None, 0),
        ] {
            for is_local in [false, true] {
                let server = server.map(|window| ServerOptions {
                    window,
                    is_local,
                    ..SERVER
                });
                // It is not scaled.
                for client in [CLIENT, without_timestamps(CLIENT)] {
                    let answer = announce(settings, &client, server.as_ref(), 0);
                    assert_eq!(answer.window, expected);
                }
            }
        }
    }

    #[test]
    fn a_socket_of_this_host_is_announced_with_its_window() -> Result {
        let announce = |offer: Offer, settings: &SynproxySettings, mss_max: u16| {
            let (syn, server) = (syn(CONGESTION), Known::Listener(offer));
            Announcement::new(settings, Family::Ipv4, &syn, &CLIENT, &server, mss_max)
        };
        let answer = announce(OFFER, &LEARNED, 1460);
        let options = &answer.options;
        assert!((options.mss, options.scale, options.sack) == (Some(1460), Some(6), true));
        assert_eq!(answer.window, 30 * 1440);
        assert_eq!(answer.flags, flags::SYN | flags::ACK | flags::ECE);
        let expected = Agreement {
            client_scale: 9,
            advertised_wscale: 6,
            sack: true,
            ecn: true,
        };
        assert!(agreement(&answer)? == expected);
        let small = Offer {
            mss: Some(1000),
            ..OFFER
        };
        assert_eq!(announce(small, &LEARNED, 1460).options.mss, Some(1000));
        assert_eq!(announce(small, &LEARNED, 900).options.mss, Some(900));
        let plain = Offer {
            scale: None,
            sack: false,
            timestamps: false,
            ecn: false,
            ..OFFER
        };
        let answer = announce(plain, &LEARNED, 1460);
        assert!(answer.options.timestamps.is_none() && !answer.options.sack);
        assert!(answer.options.scale.is_none() && answer.flags & flags::ECE == 0);
        // What was chosen by hand comes first; the window is the socket's in any case.
        let answer = announce(OFFER, &chosen(Some(3), false, true, false), 1460);
        let options = &answer.options;
        assert!((options.mss, options.scale, options.sack) == (Some(1400), Some(3), false));
        assert_eq!(answer.window, 30 * 1440);
        Ok(())
    }

    #[test]
    fn windows_are_whole_segments() {
        let window = |space, initial_window, client_mss| {
            let offer = Offer {
                space,
                initial_window,
                ..OFFER
            };
            offer.window(client_mss)
        };
        assert_eq!(window(65536, 0, 1460), 64240);
        assert_eq!(window(65535, 0, 536), 65392);
        assert_eq!(window(1 << 20, 0, 1460), u16::MAX);
        assert_eq!(window(65536, 10, 1460), 14600);
        assert_eq!(window(65536, u32::MAX, u16::MAX), u16::MAX);
        // Less than a segment is all there is.
        assert_eq!(window(1000, 0, 1460), 1000);
        assert_eq!(window(1000, 0, 0), 1000);
        assert_eq!(window(0, 0, 1460), 0);
    }

    #[test]
    fn a_server_that_is_known_is_announced() -> Result {
        let answer = announce(&LEARNED, &CLIENT, Some(&SERVER), CONGESTION);
        let options = &answer.options;
        assert!((options.mss, options.scale, options.sack) == (Some(1380), Some(5), true));
        assert_eq!(answer.flags, flags::SYN | flags::ACK | flags::ECE);
        let expected = Agreement {
            client_scale: 9,
            advertised_wscale: 5,
            sack: true,
            ecn: true,
        };
        assert!(agreement(&answer)? == expected);
        // Only a client that asks for ECN gets it, with both flags.
        for more in [0, flags::ECE, flags::CWR] {
            let answer = announce(&LEARNED, &CLIENT, Some(&SERVER), more);
            assert_eq!(answer.flags, flags::SYN | flags::ACK);
            assert!(!agreement(&answer)?.ecn);
        }
        Ok(())
    }

    #[test]
    fn what_a_server_lacks_is_not_announced() -> Result {
        let plain = ServerOptions {
            mss: 536,
            scale: None,
            sack: false,
            timestamps: false,
            ecn: false,
            is_local: false,
            window: 5000,
        };
        let answer = announce(&LEARNED, &CLIENT, Some(&plain), CONGESTION);
        let expected = Options {
            mss: Some(536),
            ..Options::default()
        };
        assert!(answer.options == expected);
        let carried = CookieOptions::Options {
            scale: NO_SCALE,
            sack: false,
        };
        assert!(answer.carried == carried);
        let stamped = ServerOptions {
            timestamps: true,
            ..plain
        };
        let answer = announce(&LEARNED, &CLIENT, Some(&stamped), 0);
        let agreement = agreement(&answer)?;
        assert!(answer.options.scale.is_none() && !answer.options.sack);
        assert!((agreement.client_scale(), agreement.advertised_wscale) == (None, NO_SCALE));
        Ok(())
    }

    #[test]
    fn what_a_client_lacks_is_not_announced() {
        let answer = announce(&LEARNED, &Options::default(), Some(&SERVER), CONGESTION);
        let expected = Options {
            mss: Some(1380),
            ..Options::default()
        };
        assert!(answer.options == expected);
        assert_eq!(answer.flags, flags::SYN | flags::ACK);
        let carried = CookieOptions::Options {
            scale: NO_SCALE,
            sack: false,
        };
        assert!(answer.carried == carried);
    }

    #[test]
    fn without_timestamps_the_cookie_says_it() {
        let client = without_timestamps(CLIENT);
        for server in [None, Some(&SERVER)] {
            let answer = announce(&LEARNED, &client, server, CONGESTION);
            let carried = CookieOptions::Options {
                scale: 9,
                sack: true,
            };
            assert!(answer.carried == carried);
            // The advertised scale does not come back, so it is always the same.
            let told = Agreement::from_cookie(9, true).advertised_wscale;
            assert!(answer.options.scale == Some(told));
            assert!(answer.options.timestamps.is_none());
            assert_eq!(answer.flags, flags::SYN | flags::ACK);
        }
        let agreement = Agreement::from_cookie(NO_SCALE, false);
        assert!((agreement.client_scale(), agreement.advertised_wscale) == (None, NO_SCALE));
    }

    /// As `synproxy_tg4` does: with timestamps what both rule and client want, without them the MSS
    /// alone.
    #[test]
    fn chosen_options_are_as_with_iptables() -> Result {
        for number in 0..128_u32 {
            let has = |bit: u32| number >> bit & 1 == 1;
            let settings = chosen(Some(6), has(0), has(1), has(2));
            let client = Options {
                mss: Some(1452),
                scale: has(3).then_some(9),
                sack: has(4),
                timestamps: CLIENT.timestamps.filter(|_| has(5)),
                received: None,
            };
            let more = if has(6) { CONGESTION } else { 0 };
            for server in [None, Some(&SERVER)] {
                let answer = announce(&settings, &client, server, more);
                let options = &answer.options;
                let timestamps = has(1) && has(5);
                assert!(options.mss == Some(1400));
                assert_eq!(options.timestamps.is_some(), timestamps);
                assert!(options.scale == (timestamps && has(3)).then_some(6));
                assert_eq!(options.sack, timestamps && has(0) && has(4));
                let ecn = timestamps && has(2) && has(6);
                let is_told = answer.flags & flags::ECE != 0;
                assert_eq!(is_told, ecn);
                if !timestamps {
                    let carried = CookieOptions::Options {
                        scale: NO_SCALE,
                        sack: false,
                    };
                    assert!(answer.carried == carried);
                    continue;
                }
                assert!(answer.carried == CookieOptions::Nothing);
                let expected = Agreement {
                    client_scale: if has(3) { 9 } else { NO_SCALE },
                    advertised_wscale: if has(3) { 6 } else { NO_SCALE },
                    sack: options.sack,
                    ecn,
                };
                assert!(agreement(&answer)? == expected);
            }
        }
        Ok(())
    }

    #[test]
    fn every_agreement_comes_back() -> Result {
        for (client_scale, advertised_wscale) in
            (0..15).flat_map(|one| (0..15).map(move |two| (one, two)))
        {
            let settings = chosen(Some(advertised_wscale), true, true, true);
            let client = Options {
                scale: Some(client_scale),
                ..CLIENT
            };
            let agreement = agreement(&announce(&settings, &client, None, CONGESTION))?;
            assert_eq!(agreement.client_scale, client_scale);
            assert_eq!(agreement.advertised_wscale, advertised_wscale);
            assert!(agreement.sack && agreement.ecn);
        }
        Ok(())
    }

    #[test]
    fn timestamps_tell_the_time() -> Result {
        let before = now_milliseconds() >> 10;
        let answer = announce(&LEARNED, &CLIENT, None, 0);
        let after = now_milliseconds() >> 10;
        let told = answer.options.timestamps.ok_or(EINVAL)?.value >> 10;
        assert!(told == before || told == after);
        Ok(())
    }
}
