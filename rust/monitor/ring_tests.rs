// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of the ring, and of events in it.

use super::{
    event::{
        LearnedOptions,
        MonitorEvent,
        Subject, //
    },
    ring::{
        Ring,
        CAPACITY,
        WORDS, //
    },
};
use crate::{
    packet::{
        Address,
        Family, //
    },
    spec::command, //
};
use kernel::prelude::*;

#[kunit_tests(palisade_monitor)]
mod tests {
    use super::*;

    fn event(number: u32) -> [u32; WORDS] {
        core::array::from_fn(|index| number.wrapping_add(index as u32))
    }

    #[test]
    fn events_come_out_in_order() -> Result {
        // Turns wrap.
        for first in [0, 5, u32::MAX - 2 * CAPACITY + 3] {
            let ring = Ring::starting_at(first)?;
            assert_eq!(ring.pop(), None);
            for round in 0..5 * CAPACITY {
                assert!(ring.push(event(round)) && ring.push(event(round + 1)));
                assert_eq!(ring.peek(), Some(event(round)));
                assert_eq!(ring.pop(), Some(event(round)));
                assert_eq!(ring.pop(), Some(event(round + 1)));
                assert_eq!(ring.pop(), None);
            }
        }
        Ok(())
    }

    #[test]
    fn a_full_ring_takes_nothing() -> Result {
        for first in [0, u32::MAX - 5] {
            let ring = Ring::starting_at(first)?;
            for number in 0..CAPACITY {
                assert!(ring.push(event(number)));
            }
            assert!(!ring.push(event(CAPACITY)) && !ring.push(event(CAPACITY)));
            assert_eq!(ring.pop(), Some(event(0)));
            assert!(ring.push(event(CAPACITY)) && !ring.push(event(CAPACITY)));
            for number in 1..=CAPACITY {
                assert_eq!(ring.pop(), Some(event(number)));
            }
            assert_eq!(ring.pop(), None);
        }
        Ok(())
    }

    #[test]
    fn events_are_unpacked_as_they_were() {
        let options = LearnedOptions {
            mss: u16::MAX,
            scale: Some(14),
            sack: false,
            timestamps: true,
            ecn: false,
        };
        let bare = LearnedOptions {
            mss: 536,
            scale: None,
            sack: true,
            timestamps: false,
            ecn: true,
        };
        let entry = |port, prefix| Subject::Entry {
            list: u32::MAX,
            port,
            prefix,
        };
        let server = |options| Subject::Server {
            port: u16::MAX,
            options,
        };
        for subject in [
            entry(0, None),
            entry(443, None),
            entry(0, Some(0)),
            entry(0, Some(127)),
            server(None),
            server(Some(options)),
            server(Some(bare)),
        ] {
            for family in [Family::Ipv4, Family::Ipv6] {
                let event = MonitorEvent {
                    command: command::LOST_NTF,
                    time: u32::MAX,
                    family,
                    address: Address::new([1, 2, 3, 4]),
                    subject,
                };
                assert_eq!(MonitorEvent::unpack(event.pack()), Some(event));
            }
        }
        assert_eq!(MonitorEvent::unpack([0; WORDS]), None);
    }
}
