// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of what is kept with a connection.

use super::{
    announcement::Agreement,
    cookie::NO_SCALE,
    proxied::{
        Proxied,
        Trait, //
    },
};
use crate::kernel_api::{
    connections::ProxyWords,
    words::Word, //
};
use kernel::prelude::*;

fn words() -> ProxyWords {
    [const { Word::new(u32::MAX) }; 3]
}

const TRAITS: [Trait; 8] = [
    Trait::Opened,
    Trait::ClientSack,
    Trait::ClientTimestamps,
    Trait::HideSack,
    Trait::HideTimestamps,
    Trait::ShiftTimestamps,
    Trait::Rescale,
    Trait::ClientEcn,
];

#[kunit_tests(palisade_synproxy_connections)]
mod tests {
    use super::*;

    #[test]
    fn what_was_agreed_on_is_kept() {
        for client_scale in 0..=NO_SCALE {
            for told_scale in 0..=NO_SCALE {
                for number in 0..8 {
                    let agreement = Agreement {
                        client_scale,
                        told_scale,
                        sack: number & 1 != 0,
                        ecn: number & 2 != 0,
                    };
                    let stamp = (number & 4 != 0).then_some(99);
                    // Whatever was there before.
                    let words = words();
                    let proxied = Proxied::new(&words);
                    proxied.start(0xdead_beef, stamp, &agreement);
                    assert_eq!(proxied.cookie(), 0xdead_beef);
                    assert_eq!(proxied.stamp(), stamp.unwrap_or(0));
                    let some = |scale| (scale != NO_SCALE).then_some(scale);
                    assert!(proxied.client_scale() == some(client_scale));
                    assert!(proxied.told_scale() == some(told_scale));
                    assert!(proxied.server_scale().is_none());
                    assert_eq!(proxied.has(Trait::ClientSack), agreement.sack);
                    assert_eq!(proxied.has(Trait::ClientEcn), agreement.ecn);
                    assert_eq!(proxied.has(Trait::ClientTimestamps), stamp.is_some());
                    assert!(!proxied.has(Trait::Opened) && !proxied.is_translated());
                }
            }
        }
    }

    #[test]
    fn traits_are_added() {
        for scale in (0..16).map(|scale| (scale < 15).then_some(scale)) {
            for one in TRAITS {
                let words = words();
                let proxied = Proxied::new(&words);
                let agreement = Agreement {
                    client_scale: 3,
                    told_scale: 12,
                    sack: false,
                    ecn: false,
                };
                proxied.start(1, None, &agreement);
                proxied.add(&[(true, one), (true, one), (false, Trait::Rescale)], scale);
                for other in TRAITS {
                    assert_eq!(proxied.has(other), other == one);
                }
                // Once more, as when a packet is sent again.
                proxied.add(&[(true, Trait::Opened)], scale);
                assert!(proxied.has(one) && proxied.has(Trait::Opened));
                assert!(proxied.server_scale() == scale);
                assert!((proxied.client_scale(), proxied.told_scale()) == (Some(3), Some(12)));
                let work = [
                    Trait::HideSack,
                    Trait::HideTimestamps,
                    Trait::ShiftTimestamps,
                    Trait::Rescale,
                ];
                assert_eq!(proxied.is_translated(), work.contains(&one));
            }
        }
    }

    #[test]
    fn stamps_are_kept_apart() {
        let words = words();
        let proxied = Proxied::new(&words);
        proxied.start(5, Some(6), &Agreement::from_cookie(7, true));
        proxied.set_stamp(u32::MAX);
        assert_eq!((proxied.cookie(), proxied.stamp()), (5, u32::MAX));
        assert!(proxied.client_scale() == Some(7) && proxied.has(Trait::ClientSack));
    }
}
