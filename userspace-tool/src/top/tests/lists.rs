// SPDX-License-Identifier: GPL-2.0

//! Which list is shown, and its busiest addresses.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use super::{flooded, list};
use crate::{
    error::Error,
    lists::EntryKey,
    top::{
        busiest::{Busy, busiest},
        state::State,
    },
};

pub(super) fn busy(address: &str, packets: u32, age: Option<u64>) -> Busy {
    Busy {
        key: address.parse().unwrap(),
        packets,
        rate: None,
        age,
        expiry: None,
    }
}

#[test]
fn those_with_the_most_packets_a_second_come_first() {
    let entries = vec![
        busy("192.0.2.1", 500, Some(9000)),
        busy("192.0.2.2", 30, Some(10)),
        busy("192.0.2.3", 40, Some(20)),
        busy("192.0.2.4", 40, None),
        busy("192.0.2.5", 40, Some(5)),
        busy("192.0.2.6", 7, Some(1)),
    ];
    let order = |sorted: &[Busy]| -> Vec<String> {
        let keys = sorted.iter().map(|one| one.key.to_string());
        keys.map(|key| key.replace("192.0.2.", "")).collect()
    };
    let now = Instant::now();
    // By their numbers, and who was seen last, as long as there are no rates.
    let first = busiest(entries.clone(), None, now);
    assert_eq!(order(&first), ["1", "5", "3", "4", "2", "6"]);
    assert!(first.iter().all(|one| one.rate.is_none()));
    let before = [("192.0.2.1", 500), ("192.0.2.2", 10), ("192.0.2.6", 1000)];
    let before: HashMap<EntryKey, u32> = before
        .iter()
        .map(|(address, packets)| (address.parse().unwrap(), *packets))
        .collect();
    let later = now + Duration::from_secs(2);
    let second = busiest(entries, Some(&(now, before)), later);
    assert_eq!(order(&second), ["2", "6", "1", "5", "3", "4"]);
    // The last of these began anew.
    let rates: Vec<_> = second.iter().map(|one| one.rate).take(4).collect();
    assert_eq!(rates, [Some(10.0), Some(3.5), Some(0.0), None]);
}

#[test]
fn of_many_addresses_the_busiest_are_kept() {
    let entries = (0..5000u32).map(|number| {
        let address = std::net::Ipv4Addr::from_bits(0x0a00_0000 + number);
        busy(&address.to_string(), number, None)
    });
    let kept = busiest(entries.collect(), None, Instant::now());
    let packets: Vec<_> = kept.iter().map(|one| one.packets).collect();
    assert_eq!(packets, (4900..5000).rev().collect::<Vec<_>>());
}

#[test]
fn the_fullest_list_is_shown_until_another_is_chosen() {
    let mut state = flooded();
    assert_eq!(state.list.as_deref(), Some("ban"));
    assert_eq!(state.due(), Some("ban"));
    for (step, expected) in [(1, "web"), (1, "SSH"), (-1, "web"), (-1, "ban")] {
        state.choose(step);
        assert_eq!(state.list.as_deref(), Some(expected));
    }
    // What was read of another list comes too late.
    let failed = || Err(Error::Failure("x".to_owned()));
    state.take("SSH", failed());
    assert!(state.reading.is_none());
    state.take("ban", failed());
    assert!(state.reading.is_some());
    state.choose(1);
    assert!(state.reading.is_none());

    let mut chosen = State::new(Some("other".to_owned()));
    chosen.choose(1);
    assert_eq!(chosen.list.as_deref(), Some("other"));
    assert_eq!(chosen.due(), None);
}

#[test]
fn another_list_is_shown_when_it_is_gone() {
    let mut state = flooded();
    let mut sample = state.sample.take().unwrap();
    sample.lists = vec![list("SSH", 0), list("web", 0)];
    state.add(sample);
    assert_eq!(state.list.as_deref(), Some("SSH"));
    let mut sample = state.sample.take().unwrap();
    sample.lists.clear();
    state.add(sample);
    assert_eq!(state.list, None);
    state.choose(1);
    assert_eq!(state.due(), None);
}
