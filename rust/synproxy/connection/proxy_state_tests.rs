// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of SYNPROXY's state of a connection.

use super::proxy_state::{
    Flag,
    ProxyState, //
};
use crate::{
    kernel_api::{
        conntrack::connections::ProxyWords,
        sync::words::Word, //
    },
    synproxy::cookie::{
        announcement::Agreement,
        NO_SCALE, //
    },
};
use kernel::prelude::*;

fn words() -> ProxyWords {
    [const { Word::new(u32::MAX) }; 3]
}

const FLAGS: [Flag; 8] = [
    Flag::Opened,
    Flag::ClientSack,
    Flag::ClientTimestamps,
    Flag::HideSack,
    Flag::HideTimestamps,
    Flag::ShiftTimestamps,
    Flag::Rescale,
    Flag::ClientEcn,
];

#[kunit_tests(palisade_synproxy_connections)]
mod tests {
    use super::*;

    #[test]
    fn what_was_agreed_on_is_kept() {
        for client_scale in 0..=NO_SCALE {
            for advertised_wscale in 0..=NO_SCALE {
                for number in 0..8 {
                    let agreement = Agreement {
                        client_scale,
                        advertised_wscale,
                        sack: number & 1 != 0,
                        ecn: number & 2 != 0,
                    };
                    let stamp = (number & 4 != 0).then_some(99);
                    // Whatever the words contained before.
                    let words = words();
                    let proxy_state = ProxyState::new(&words);
                    proxy_state.start(0xdead_beef, stamp, &agreement);
                    assert_eq!(proxy_state.cookie(), 0xdead_beef);
                    assert_eq!(proxy_state.stamp(), stamp.unwrap_or(0));
                    let some = |scale| (scale != NO_SCALE).then_some(scale);
                    assert!(proxy_state.client_scale() == some(client_scale));
                    assert!(proxy_state.advertised_wscale() == some(advertised_wscale));
                    assert!(proxy_state.server_scale().is_none());
                    assert_eq!(proxy_state.has(Flag::ClientSack), agreement.sack);
                    assert_eq!(proxy_state.has(Flag::ClientEcn), agreement.ecn);
                    assert_eq!(proxy_state.has(Flag::ClientTimestamps), stamp.is_some());
                    assert!(!proxy_state.has(Flag::Opened) && !proxy_state.is_translated());
                }
            }
        }
    }

    #[test]
    fn flags_are_set() {
        for scale in (0..16).map(|scale| (scale < 15).then_some(scale)) {
            for one in FLAGS {
                let words = words();
                let proxy_state = ProxyState::new(&words);
                let agreement = Agreement {
                    client_scale: 3,
                    advertised_wscale: 12,
                    sack: false,
                    ecn: false,
                };
                proxy_state.start(1, None, &agreement);
                proxy_state.add(&[(true, one), (true, one), (false, Flag::Rescale)], scale);
                for other in FLAGS {
                    assert_eq!(proxy_state.has(other), other == one);
                }
                // Again, as for a retransmission.
                proxy_state.add(&[(true, Flag::Opened)], scale);
                assert!(proxy_state.has(one) && proxy_state.has(Flag::Opened));
                assert!(proxy_state.server_scale() == scale);
                assert!(
                    (proxy_state.client_scale(), proxy_state.advertised_wscale())
                        == (Some(3), Some(12))
                );
                let work = [
                    Flag::HideSack,
                    Flag::HideTimestamps,
                    Flag::ShiftTimestamps,
                    Flag::Rescale,
                ];
                assert_eq!(proxy_state.is_translated(), work.contains(&one));
            }
        }
    }

    #[test]
    fn stamps_are_kept_apart() {
        let words = words();
        let proxy_state = ProxyState::new(&words);
        proxy_state.start(5, Some(6), &Agreement::from_cookie(7, true));
        proxy_state.set_stamp(u32::MAX);
        assert_eq!((proxy_state.cookie(), proxy_state.stamp()), (5, u32::MAX));
        assert!(proxy_state.client_scale() == Some(7) && proxy_state.has(Flag::ClientSack));
    }
}
