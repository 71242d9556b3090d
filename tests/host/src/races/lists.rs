// SPDX-License-Identifier: GPL-2.0

//! A recent list: lookups concurrent with adding, migrating, updating, evicting and removing, and
//! all of these concurrent with each other.

use super::{
    at_once,
    explore,
    explore_more, //
};
use crate::{
    c,
    kernel_api::{
        testing::initial_scope,
        work::Background, //
    },
    monitor::Monitor,
    packet::{
        Address,
        Family, //
    },
    recent::{
        Ageing,
        Ages,
        EntryKey,
        Ipv4Key,
        List,
        ListLimits,
        ListSettings,
        Lists,
        Query,
        SavedState,
        Stamped,
        Window,
        AGE_MAX, //
    },
};
use kernel::sync::{
    rcu,
    Arc, //
};

const NOW: u64 = 0x4_0000_0000;

fn key(number: u32) -> EntryKey {
    EntryKey::of_address(Family::Ipv4, Address::new([number, 0, 0, 0]))
}

/// An empty list whose entries are all in one bucket, or in two.
fn list(size: u32, mask: u32) -> (Arc<Lists>, Arc<List>) {
    c::set_hash_mask(mask);
    c::set_jiffies(NOW);
    let limits = ListLimits {
        lists: 1,
        entries: 100,
        timeout: AGE_MAX,
    };
    let monitor = Monitor::new(&initial_scope().unwrap()).unwrap();
    let lists = Lists::new(limits, monitor).unwrap();
    let list = lists.create(b"list", settings(size), None).unwrap();
    (lists, list)
}

fn settings(size: u32) -> ListSettings {
    ListSettings {
        size,
        hits: 4,
        timeout: 1000,
    }
}

fn query(number: u32, time_to_live: u8, window: &Window) -> Query<'_> {
    Query {
        key: key(number),
        time_to_live,
        window,
    }
}

/// As a packet with that address does.
fn stamp(list: &List, number: u32, time_to_live: u8) {
    let guard = rcu::read_lock();
    if !list.stamp_fast(&Ipv4Key(number), time_to_live, &guard) {
        list.stamp(&key(number), || key(number), time_to_live, &guard);
    }
}

/// As a packet with that address does.
fn check(list: &List, number: u32, time_to_live: u8) -> bool {
    let guard = rcu::read_lock();
    let window = Window::any();
    let query = query(number, time_to_live, &window);
    let quick = Query {
        key: Ipv4Key(number),
        time_to_live,
        window: &window,
    };
    list.check_fast(&quick, &guard)
        .unwrap_or_else(|| list.check(&query, || query.key, &guard))
}

fn update(list: &List, number: u32) -> bool {
    let guard = rcu::read_lock();
    let window = Window::any();
    let query = query(number, 0, &window);
    list.update_fast(&query, false, 9, &guard)
        .unwrap_or_else(|| list.update(&query, || query.key, false, 9, &guard))
}

/// Address, TTL, packets and number of stamps of all entries; none is there twice.
fn contents(list: &List) -> Vec<(u32, u8, u32, usize)> {
    let mut ages = Ages::new().unwrap();
    let mut contents: Vec<(u32, u8, u32, usize)> = Vec::new();
    for number in 0.. {
        match list.snapshot(number, &mut ages) {
            Err(_) => break,
            Ok(None) => {}
            Ok(Some(shown)) => {
                let [address, ..] = shown.key.address.words();
                assert!(contents.iter().all(|other| other.0 != address), "twice");
                let stamps = shown.ages.len();
                contents.push((address, shown.time_to_live, shown.packets, stamps));
            }
        }
    }
    contents
}

/// All entries can be found and are counted, and no slot was lost: the list holds as many as ever.
fn is_whole(list: &List) {
    let there = contents(list);
    assert_eq!(list.statistics().entries as usize, there.len());
    for (address, ..) in &there {
        assert!(check(list, *address, 0), "not found");
        assert!(list.remove(&key(*address), 0));
    }
    assert_eq!(list.statistics().entries, 0);
    let evicted = list.statistics().evicted;
    let size = list.settings().size;
    (100..100 + size).for_each(|number| stamp(list, number, 1));
    assert_eq!(list.statistics().evicted, evicted);
    assert_eq!(contents(list).len(), size as usize);
}

#[test]
fn who_is_there_is_found_while_others_come_and_go() {
    explore(|| {
        let (_lists, list) = list(4, 0);
        // The key to look up is after the one that is removed.
        [1, 2, 3].into_iter().for_each(|one| stamp(&list, one, 1));
        let come_and_go = || {
            list.remove(&key(3), 0);
            stamp(&list, 4, 1);
            list.remove(&key(2), 0);
        };
        let look = || {
            for _ in 0..3 {
                assert!(check(&list, 1, 0), "not found");
                assert!(list.has(&key(1)));
            }
        };
        at_once(&[&come_and_go, &look]);
        is_whole(&list);
    });
}

#[test]
fn what_is_read_was_true_of_one_address() {
    explore(|| {
        let (_lists, list) = list(1, 0);
        stamp(&list, 1, 1);
        // The only entry alternates between two addresses, each with its own TTL.
        let change = || {
            for number in [2, 1, 2] {
                stamp(&list, number, number as u8);
            }
        };
        let look = || {
            for _ in 0..2 {
                assert!(!check(&list, 1, 2), "one address with the TTL of the other");
                assert!(!check(&list, 2, 1), "one address with the TTL of the other");
                let twice = Window {
                    hits: 2,
                    ..Window::any()
                };
                let guard = rcu::read_lock();
                let quick = list.check_fast(&query(1, 0, &twice), &guard);
                assert!(quick != Some(true), "the packets of two addresses");
                assert!(!list.check(&query(1, 0, &twice), || key(1), &guard));
            }
        };
        let show = || {
            for (address, time_to_live, packets, stamps) in contents(&list) {
                assert_eq!((address, packets, stamps), (time_to_live.into(), 1, 1));
            }
        };
        at_once(&[&change, &look, &show]);
        is_whole(&list);
    });
}

#[test]
fn every_packet_is_counted_once() {
    explore(|| {
        let (_lists, list) = list(6, 1);
        let send = || {
            stamp(&list, 1, 1);
            update(&list, 1);
            stamp(&list, 2, 1);
        };
        at_once(&[&send, &send, &send]);
        let mut there = contents(&list);
        there.sort();
        let there: Vec<_> = there.iter().map(|one| (one.0, one.2, one.3)).collect();
        assert_eq!(there, [(1, 6, 4), (2, 3, 3)]);
        is_whole(&list);
    });
}

#[test]
fn a_list_that_is_full_stays_whole() {
    explore(|| {
        let (_lists, list) = list(2, 1);
        stamp(&list, 1, 1);
        stamp(&list, 2, 1);
        let update = || {
            update(&list, 1);
            stamp(&list, 1, 2);
            update(&list, 2);
        };
        let evict = |number: u32| {
            stamp(&list, number, 1);
            stamp(&list, number + 1, 1);
        };
        at_once(&[&update, &|| evict(3), &|| evict(5)]);
        is_whole(&list);
    });
}

#[test]
fn entries_that_are_given_back_are_taken_once() {
    explore(|| {
        let (_lists, list) = list(4, 3);
        (1..5).for_each(|one| stamp(&list, one, 1));
        let again = |number: u32| {
            list.remove(&key(number), 0);
            stamp(&list, number + 8, 1);
            list.remove(&key(number + 8), 0);
            stamp(&list, number + 16, 1);
        };
        at_once(&[&|| again(1), &|| again(2), &|| again(3)]);
        assert_eq!(contents(&list).len(), 4);
        is_whole(&list);
    });
}

#[test]
fn the_first_that_is_free_may_have_been_taken_meanwhile() {
    explore_more(10, || {
        let (_lists, list) = list(4, 3);
        (1..5).for_each(|one| stamp(&list, one, 1));
        (1..5).for_each(|one| assert!(list.remove(&key(one), 0)));
        // One CPU takes an entry; before it owns it, another takes that and the next, and gives the
        // first back.
        let take = || stamp(&list, 11, 1);
        let take_two = || {
            stamp(&list, 21, 1);
            stamp(&list, 22, 1);
            list.remove(&key(21), 0);
        };
        at_once(&[&take, &take_two]);
        assert_eq!(contents(&list).len(), 2);
        is_whole(&list);
    });
}

#[test]
fn who_comes_back_is_not_too_old() {
    explore(|| {
        let (lists, list) = list(4, 0);
        stamp(&list, 1, 1);
        stamp(&list, 2, 1);
        c::set_jiffies(NOW + 1001);
        let ageing = Ageing::new(lists.clone());
        let age = || {
            ageing.run();
        };
        let come_back = || {
            stamp(&list, 1, 1);
            assert!(check(&list, 1, 0), "gone");
            assert!(!check(&list, 2, 0), "still there");
        };
        let reap = || {
            let window = Window {
                reap: true,
                age: 500,
                hits: 1,
            };
            list.check(&query(3, 0, &window), || key(3), &rcu::read_lock());
        };
        at_once(&[&age, &come_back, &reap]);
        let there = contents(&list);
        assert_eq!(there, [(1, 1, 1, 1)]);
        is_whole(&list);
    });
}

#[test]
fn entries_move_to_another_table_while_packets_come() {
    explore(|| {
        let (_lists, list) = list(4, 1);
        stamp(&list, 1, 1);
        stamp(&list, 2, 1);
        let grow = || {
            let prepared = list.prepare(settings(6)).ok().unwrap();
            assert_eq!(prepared.install(), 0);
        };
        let send = || {
            stamp(&list, 1, 1);
            assert!(check(&list, 2, 0), "not found");
            assert!(update(&list, 1), "not found");
        };
        let remove = || {
            stamp(&list, 3, 1);
            assert!(list.remove(&key(3), 0));
            assert!(!check(&list, 3, 0), "not removed");
        };
        at_once(&[&grow, &send, &remove]);
        let mut there = contents(&list);
        there.sort();
        assert_eq!(there, [(1, 9, 3, 3), (2, 1, 1, 1)]);
        is_whole(&list);
    });
}

#[test]
fn a_list_is_emptied_while_packets_come() {
    explore(|| {
        let (_lists, list) = list(2, 0);
        stamp(&list, 1, 1);
        let flush = || {
            list.flush().unwrap();
            assert!(!check(&list, 1, 0), "still there");
        };
        let send = || {
            stamp(&list, 2, 1);
            update(&list, 2);
        };
        let look = || {
            for _ in 0..3 {
                check(&list, 1, 0);
                contents(&list);
            }
        };
        at_once(&[&flush, &send, &look]);
        is_whole(&list);
    });
}

#[test]
fn a_list_is_destroyed_while_it_is_looked_up() {
    explore(|| {
        let (lists, list) = list(2, 0);
        stamp(&list, 1, 1);
        drop(list);
        let destroy = || {
            let list = lists.find(b"list").unwrap();
            let past = SavedState {
                time_to_live: 3,
                packets: 7,
                ages: 0..3,
            };
            list.restore(&key(1), &past, None, false);
            lists.remove(&list);
        };
        let look = || {
            let Some(list) = lists.find(b"list") else {
                return;
            };
            for (address, time_to_live, packets, stamps) in contents(&list) {
                assert_eq!(address, 1);
                assert!([(1, 1, 1), (3, 7, 3)].contains(&(time_to_live, packets, stamps)));
            }
            assert!(check(&list, 1, 0), "not found");
        };
        at_once(&[&destroy, &look, &look]);
        assert!(lists.find(b"list").is_none());
    });
}

fn network(number: u32) -> EntryKey {
    EntryKey::of_network(Family::Ipv4, Address::new([number, 0, 0, 0]), 8).unwrap()
}

fn add(list: &List, key: &EntryKey) {
    assert_ne!(list.add(key, None, None, false), Stamped::NoMemory);
}

#[test]
fn a_network_is_found_while_others_of_its_length_come_and_go() {
    explore(|| {
        let (_lists, list) = list(4, 1);
        list.with_migration_locked(|| list.allow_networks().unwrap());
        add(&list, &network(1));
        let come_and_go = |number: u32| {
            add(&list, &network(number));
            assert!(list.remove(&network(number), 0));
        };
        let look = || {
            for _ in 0..3 {
                assert!(check(&list, 0x501, 0), "not found");
                assert!(!check(&list, 0x504, 0), "what is not there");
            }
        };
        at_once(&[&|| come_and_go(2), &|| come_and_go(3), &look]);
        assert!(check(&list, 0x501, 0), "its length is forgotten");
        assert!(list.remove(&network(1), 0));
        assert!(!check(&list, 0x501, 0));
        is_whole(&list);
    });
}

#[test]
fn networks_move_to_another_table_while_packets_come() {
    explore(|| {
        let (_lists, list) = list(4, 1);
        list.with_migration_locked(|| list.allow_networks().unwrap());
        add(&list, &network(1));
        add(&list, &network(2));
        let grow = || {
            let prepared = list.prepare(settings(6)).ok().unwrap();
            assert_eq!(prepared.install(), 0);
        };
        let look = || {
            for _ in 0..2 {
                assert!(check(&list, 0x501, 0), "not found");
                assert!(update(&list, 0x502), "not found");
            }
        };
        let change = || {
            add(&list, &network(3));
            assert!(check(&list, 0x503, 0), "not found");
            assert!(list.remove(&network(3), 0));
            assert!(!check(&list, 0x503, 0), "not removed");
        };
        at_once(&[&grow, &look, &change]);
        let mut there = contents(&list);
        there.sort();
        assert_eq!(there, [(1, 0, 1, 1), (2, 9, 3, 3)]);
    });
}
