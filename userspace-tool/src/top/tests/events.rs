// SPDX-License-Identifier: GPL-2.0

//! What is kept and shown of events.

use std::net::IpAddr;

use super::NOON;
use crate::{
    monitor::{Event, decode},
    netlink::{
        Writer,
        spec::{
            attribute::{entry, event, list, server},
            command,
        },
    },
    top::lately::Lately,
};

fn event(command: u8, time: u64, fill: impl FnOnce(&mut Writer)) -> Event {
    let mut message = Writer::default();
    message.u64(event::TIME, NOON + time);
    fill(&mut message);
    decode(command, message.as_bytes()).unwrap().unwrap()
}

/// An address that was added to a list or evicted from it, perhaps by hand.
pub(super) fn entry(command: u8, time: u64, last: u8, by_hand: bool) -> Event {
    event(command, time, |message| {
        if by_hand {
            message.u32(event::PID, 12);
            message.string(event::PROCESS, "pali\x1bsade");
        }
        message.u32(event::COUNT, 1);
        message.nested(event::LIST, |nest| {
            nest.string(list::NAME, "ban");
            nest.nested(list::ENTRY, |nest| {
                nest.address(entry::ADDRESS, IpAddr::from([203, 0, 113, last]));
            });
        });
    })
}

pub(super) fn flood(time: u64) -> Event {
    event(command::FLOOD_START_NTF, time, |message| {
        message.nested(event::SERVER, |nest| {
            nest.address(server::ADDRESS, [198, 51, 100, 1].into());
            nest.u16(server::PORT, 80);
        });
    })
}

fn lost(count: u32) -> Event {
    event(command::LOST_NTF, 0, |message| {
        message.u32(event::LOST, count)
    })
}

fn texts(lately: &Lately, room: usize) -> Vec<String> {
    let lines = lately.lines(room).into_iter();
    lines.map(|line| line.text).collect()
}

#[test]
fn many_addresses_of_packets_push_out_nothing_else() {
    let mut lately = Lately::default();
    lately.add(entry(command::ENTRY_ADD_NTF, 0, 1, true));
    lately.add(flood(1));
    lately.add(event(command::RULESET_CHANGE_NTF, 2, |_| {}));
    for time in 0..1000 {
        lately.add(entry(command::ENTRY_ADD_NTF, 10 + time, 2, false));
        lately.add(entry(command::ENTRY_EVICT_NTF, 10 + time, 3, false));
    }
    assert_eq!(
        texts(&lately, 5),
        [
            "list ban: 203.0.113.2 added",
            "list ban: 203.0.113.3 evicted",
            "list ban: 203.0.113.2 added",
            "flood at 198.51.100.1:80 begins",
            "list ban: 203.0.113.1 added by pali\x1bsade[12]",
        ]
    );
    assert_eq!(
        texts(&lately, 1),
        ["list ban: 203.0.113.1 added by pali\x1bsade[12]"]
    );
    assert_eq!(lately.lines(0), []);
    assert_eq!(lately.lines(10_000).len(), 202);
    let times: Vec<_> = lately.drain().iter().map(|event| event.time).collect();
    assert!(times.is_sorted());
    assert_eq!((times.len(), times[0]), (202, NOON));
    assert_eq!(lately.lines(5), []);
}

#[test]
fn what_was_lost_is_added_up() {
    let mut lately = Lately::default();
    lately.add(lost(7));
    lately.add(lost(u32::MAX));
    assert_eq!(
        (lately.lost, lately.lost_more),
        (u64::from(u32::MAX) + 7, false)
    );
    lately.add(Event::overrun());
    assert!(lately.lost_more);
    assert_eq!(lately.lines(5), []);
}
