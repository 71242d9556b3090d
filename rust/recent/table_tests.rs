// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of the hash table: insertion, lookup, eviction, ageing, and jiffies that wrap.

use super::{
    entry::{
        Ages,
        Entry,
        EntryKey,
        Find,
        Ipv4Key,
        Ipv6Key,
        SavedState,
        Snapshot, //
    },
    expiry::Expiry,
    stamps::{
        Window,
        AGE_MAX, //
    },
    table::{
        EntryTable,
        Origin,
        Query,
        Stamped,
        Superseded,
        Survivors, //
    },
};
use crate::packet::{
    Address,
    Family, //
};
use kernel::prelude::*;

/// Just before 32-bit jiffies wrap.
const LATE: u32 = u32::MAX - 5;

const ONCE: Window = Window::any();

fn key(number: u32) -> EntryKey {
    EntryKey::of_address(Family::Ipv4, Address::new([number, 0, 0, 0]))
}

fn within(age: u32, hits: u32) -> Window {
    Window {
        age,
        hits,
        reap: false,
    }
}

fn times(hits: u32) -> Window {
    Window {
        hits,
        ..Window::any()
    }
}

fn reaping(age: u32) -> Window {
    Window {
        reap: true,
        ..within(age, 1)
    }
}

fn check(table: &EntryTable, key: &EntryKey, window: &Window, now: u32) -> bool {
    let query = Query {
        key: *key,
        time_to_live: 0,
        window,
    };
    table.check(None, &query, false, now).unwrap_or(false)
}

fn update(table: &EntryTable, key: &EntryKey, window: &Window, now: u32) -> bool {
    let query = Query {
        key: *key,
        time_to_live: 0,
        window,
    };
    table.update(None, &query, false, now, 64).unwrap_or(false)
}

fn remove(table: &EntryTable, key: &EntryKey, now: u32) -> bool {
    table.remove(None, key, 0, now).unwrap_or(false)
}

fn snapshots(table: &EntryTable, now: u32, mut with: impl FnMut(&Snapshot<'_>)) -> Result {
    let mut ages = Ages::new()?;
    let mut number = 0;
    while let Ok(snapshot) = table.snapshot(number, now, &mut ages) {
        if let Some(snapshot) = snapshot {
            with(&snapshot);
        }
        number += 1;
    }
    Ok(())
}

/// Stamps as a packet with a TTL of 17 does.
fn stamp(table: &EntryTable, key: &EntryKey, now: u32) -> Stamped {
    table
        .stamp(None, key, now, Some(17), Origin::Packet)
        .unwrap_or(Stamped::NoMemory)
}

/// Adds by hand, told when to expire.
fn add(table: &EntryTable, key: &EntryKey, expiry: Expiry, now: u32) -> Stamped {
    let push = |entry: Entry<'_>| entry.push(now, None);
    let added = table.write(None, key, now, Origin::Hand, Some(expiry), push);
    added.unwrap_or(Stamped::NoMemory)
}

/// How many of the first `count` keys are in the table.
fn present(table: &EntryTable, count: u32, now: u32) -> u32 {
    (0..count)
        .filter(|&number| check(table, &key(number), &ONCE, now))
        .count() as u32
}

/// Ages the whole table.
fn age_all(table: &EntryTable, now: u32) {
    let mut next = Some(0);
    while let Some(first) = next {
        next = table.age(first, now);
    }
}

#[kunit_tests(palisade_recent_table)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_stamped() -> Result {
        let table = EntryTable::new(100, 4, AGE_MAX)?;
        assert!(!check(&table, &key(1), &ONCE, 10));
        assert!(stamp(&table, &key(1), 10) == Stamped::New);
        assert!(stamp(&table, &key(1), 11) == Stamped::Updated);
        assert!(check(&table, &key(1), &ONCE, 12));
        assert!(!check(&table, &key(2), &ONCE, 12));
        assert_eq!(table.statistics().entries, 1);
        Ok(())
    }

    #[test]
    fn tells_families_apart() -> Result {
        let table = EntryTable::new(100, 4, AGE_MAX)?;
        let ipv6 = EntryKey {
            family: Family::Ipv6,
            ..key(7)
        };
        stamp(&table, &key(7), 10);
        assert!(!check(&table, &ipv6, &ONCE, 10));
        stamp(&table, &ipv6, 10);
        assert_eq!(table.statistics().entries, 2);
        Ok(())
    }

    #[test]
    fn the_quick_ways_do_the_same() -> Result {
        do_the_same(Ipv4Key)?;
        do_the_same(|number| Ipv6Key([number, 2, 3, number]))
    }

    fn do_the_same<F: Find>(quick_key: impl Fn(u32) -> F) -> Result {
        let table = EntryTable::new(64, 4, AGE_MAX)?;
        let window = within(10, 2);
        for number in 0..64 {
            let quick = quick_key(number);
            let key = quick.key();
            let query = Query {
                key: quick,
                time_to_live: 0,
                window: &window,
            };
            let quickly_checked = |now| table.check_fast(&query, || now).unwrap_or(false);
            let quickly_updated = |now| {
                let updated = table.update_fast(&query, false, || now, 64);
                updated.unwrap_or(false)
            };
            assert!(!quickly_checked(5));
            assert!(!quickly_updated(5));
            let stamped = table.stamp_fast(&quick, || 5, 17).map_err(|_| EINVAL)?;
            assert!(stamped == Stamped::New);
            assert!(stamp(&table, &key, 6) == Stamped::Updated);
            let stamped = table.stamp_fast(&quick, || 7, 17).map_err(|_| EINVAL)?;
            assert!(stamped == Stamped::Updated);
            // The second latest stamp is 10 jiffies old at 16.
            for now in [7, 16, 17] {
                assert_eq!(quickly_checked(now), now < 17);
                assert_eq!(check(&table, &key, &window, now), now < 17);
            }
            assert!(quickly_updated(16));
            assert!(!quickly_updated(18));
            assert!(quickly_checked(17));
        }
        assert_eq!(table.statistics().entries, 64);
        let family = quick_key(0).key().family;
        let mut all = 0;
        snapshots(&table, 20, |snapshot| {
            assert!(snapshot.key == EntryKey::of_address(family, snapshot.key.address));
            assert_eq!(snapshot.time_to_live, 64);
            assert!(snapshot.ages == [4, 13, 14, 15]);
            all += 1;
        })?;
        assert_eq!(all, 64);
        table.supersede();
        let query = Query {
            key: quick_key(99),
            time_to_live: 0,
            window: &window,
        };
        assert!(table.check_fast(&query, || 20).is_none());
        assert!(table.update_fast(&query, false, || 20, 64).is_none());
        assert!(table.stamp_fast(&quick_key(1), || 20, 64).is_err());
        Ok(())
    }

    #[test]
    fn keys_of_one_bucket_do_not_disturb_each_other() -> Result {
        // As many entries as buckets, so that several buckets hold more than one.
        let table = EntryTable::new(64, 1, AGE_MAX)?;
        for number in 0..64 {
            assert!(stamp(&table, &key(number), number) == Stamped::New);
        }
        assert_eq!(present(&table, 64, 64), 64);
        // From the middle, the head and the tail of their chains.
        for number in (0..64).step_by(2) {
            assert!(remove(&table, &key(number), 64));
            assert!(!remove(&table, &key(number), 64));
        }
        assert_eq!(present(&table, 64, 64), 32);
        assert_eq!(table.statistics().entries, 32);
        for number in (1..64).step_by(2) {
            assert!(check(&table, &key(number), &ONCE, 64));
        }
        Ok(())
    }

    #[test]
    fn never_holds_more_than_its_size() -> Result {
        for size in [1, 2, 3, 7, 64, 100, 1000] {
            let table = EntryTable::new(size, 2, AGE_MAX)?;
            for number in 0..size * 3 {
                let expected = if number < size {
                    Stamped::New
                } else {
                    Stamped::Reclaimed
                };
                assert!(stamp(&table, &key(number), number) == expected);
            }
            let statistics = table.statistics();
            assert_eq!(statistics.entries, size);
            assert_eq!(statistics.evicted, u64::from(size) * 2);
            assert_eq!(present(&table, size * 3, size * 3), size);
            // If no address came back, the last ones inserted remain.
            assert!(check(&table, &key(size * 3 - 1), &ONCE, size * 3));
            assert!(!check(&table, &key(0), &ONCE, size * 3));
        }
        Ok(())
    }

    #[test]
    fn spares_who_came_back() -> Result {
        let table = EntryTable::new(4, 2, AGE_MAX)?;
        for number in 0..4 {
            stamp(&table, &key(number), number);
        }
        stamp(&table, &key(0), 4);
        stamp(&table, &key(4), 5);
        assert!(check(&table, &key(0), &ONCE, 5));
        assert!(!check(&table, &key(1), &ONCE, 5));
        Ok(())
    }

    #[test]
    fn evicts_the_oldest_where_all_came_back() -> Result {
        let table = EntryTable::new(4, 2, AGE_MAX)?;
        for now in 0..8 {
            stamp(&table, &key(now % 4), now);
        }
        stamp(&table, &key(4), 8);
        assert_eq!(table.statistics().entries, 4);
        assert!(check(&table, &key(4), &ONCE, 8));
        Ok(())
    }

    #[test]
    fn uses_again_what_was_removed() -> Result {
        let table = EntryTable::new(10, 2, AGE_MAX)?;
        for round in 0..100 {
            for number in 0..10 {
                let now = round * 10 + number;
                assert!(stamp(&table, &key(now), now) == Stamped::New);
            }
            for number in 0..10 {
                assert!(remove(&table, &key(round * 10 + number), round * 10 + 10));
            }
        }
        assert_eq!(table.statistics().entries, 0);
        assert_eq!(table.statistics().evicted, 0);
        Ok(())
    }

    #[test]
    fn counts_hits_within_the_time() -> Result {
        let table = EntryTable::new(10, 20, AGE_MAX)?;
        for now in [100, 110, 120, 130] {
            stamp(&table, &key(1), now);
        }
        assert!(check(&table, &key(1), &within(30, 4), 130));
        assert!(!check(&table, &key(1), &within(29, 4), 130));
        assert!(check(&table, &key(1), &within(29, 3), 130));
        assert!(!check(&table, &key(1), &within(30, 5), 130));
        assert!(check(&table, &key(1), &within(0, 1), 130));
        assert!(!check(&table, &key(1), &within(0, 2), 130));
        assert!(check(&table, &key(1), &times(4), 100_000));
        Ok(())
    }

    #[test]
    fn remembers_the_latest_where_there_were_more() -> Result {
        let table = EntryTable::new(10, 3, AGE_MAX)?;
        for now in 1..=10 {
            stamp(&table, &key(1), now * 10);
        }
        assert!(check(&table, &key(1), &within(20, 3), 100));
        assert!(!check(&table, &key(1), &within(19, 3), 100));
        assert!(!check(&table, &key(1), &times(4), 100));
        Ok(())
    }

    #[test]
    fn update_stamps_only_what_it_matches() -> Result {
        let table = EntryTable::new(10, 4, AGE_MAX)?;
        assert!(!update(&table, &key(1), &ONCE, 10));
        assert_eq!(table.statistics().entries, 0);
        stamp(&table, &key(1), 10);
        assert!(!update(&table, &key(1), &within(5, 1), 20));
        assert!(!check(&table, &key(1), &within(5, 1), 20));
        assert!(update(&table, &key(1), &within(10, 1), 20));
        assert!(check(&table, &key(1), &within(0, 1), 20));
        Ok(())
    }

    #[test]
    fn an_inverted_update_stamps_what_it_knows_and_does_not_match() -> Result {
        let table = EntryTable::new(10, 4, AGE_MAX)?;
        let window = within(5, 1);
        let query = Query {
            key: key(1),
            time_to_live: 0,
            window: &window,
        };
        let inverted = |now| table.update(None, &query, true, now, 64).unwrap_or(false);
        assert!(!inverted(10));
        assert_eq!(table.statistics().entries, 0);
        stamp(&table, &key(1), 10);
        assert!(inverted(12));
        assert!(!check(&table, &key(1), &times(2), 12));
        assert!(!inverted(20));
        assert!(check(&table, &key(1), &times(2), 20));
        Ok(())
    }

    #[test]
    fn compares_the_time_to_live() -> Result {
        let table = EntryTable::new(10, 4, AGE_MAX)?;
        let asked = |number, time_to_live| {
            let query = Query {
                key: key(number),
                time_to_live,
                window: &ONCE,
            };
            table.check(None, &query, false, 10).unwrap_or(false)
        };
        stamp(&table, &key(1), 10);
        let by_hand = |number| table.stamp(None, &key(number), 10, None, Origin::Hand);
        assert!(by_hand(2).is_ok());
        assert!(asked(1, 17) && asked(1, 0) && !asked(1, 18));
        assert!(asked(2, 17) && asked(2, 0));
        // An entry stamped by hand keeps its TTL.
        assert!(by_hand(1).is_ok());
        assert!(!asked(1, 18));
        assert!(!table.remove(None, &key(1), 18, 10).unwrap_or(true));
        assert!(table.remove(None, &key(1), 17, 10).unwrap_or(false));
        Ok(())
    }

    #[test]
    fn reaps_what_is_looked_up_and_what_is_not() -> Result {
        let table = EntryTable::new(10, 4, AGE_MAX)?;
        for number in 0..10 {
            stamp(&table, &key(number), number);
        }
        assert!(check(&table, &key(5), &reaping(10), 15));
        assert!(!check(&table, &key(4), &reaping(10), 15));
        assert!(!check(&table, &key(4), &ONCE, 15));
        for _ in 0..10 {
            check(&table, &key(9), &reaping(10), 15);
        }
        assert_eq!(present(&table, 10, 15), 5);
        assert_eq!(table.statistics().expired, 5);
        assert!(update(&table, &key(5), &reaping(10), 15));
        assert!(!update(&table, &key(6), &reaping(10), 17));
        assert!(!check(&table, &key(6), &ONCE, 17));
        Ok(())
    }

    #[test]
    fn measures_across_the_wrap() -> Result {
        let table = EntryTable::new(10, 4, AGE_MAX)?;
        stamp(&table, &key(1), LATE);
        stamp(&table, &key(1), 10);
        // LATE is 6 before the wrap, so 16 lie between the two.
        assert!(check(&table, &key(1), &within(16, 2), 10));
        assert!(!check(&table, &key(1), &within(15, 2), 10));
        assert!(check(&table, &key(1), &within(0, 1), 10));
        age_all(&table, 20);
        assert!(check(&table, &key(1), &within(26, 2), 20));
        Ok(())
    }

    #[test]
    fn takes_a_stamp_from_the_next_tick_for_new() -> Result {
        let table = EntryTable::new(10, 4, 100)?;
        stamp(&table, &key(1), 50);
        assert!(check(&table, &key(1), &within(0, 1), 49));
        stamp(&table, &key(2), 0);
        assert!(check(&table, &key(2), &within(0, 1), u32::MAX));
        Ok(())
    }

    #[test]
    fn forgets_after_its_timeout() -> Result {
        let table = EntryTable::new(10, 4, 100)?;
        stamp(&table, &key(1), LATE);
        let end = LATE.wrapping_add(100);
        assert!(check(&table, &key(1), &ONCE, end));
        assert!(!check(&table, &key(1), &ONCE, end + 1));
        assert!(!update(&table, &key(1), &ONCE, end + 1));
        age_all(&table, end);
        assert_eq!(table.statistics().entries, 1);
        age_all(&table, end + 1);
        assert_eq!(table.statistics().entries, 0);
        assert_eq!(table.statistics().expired, 1);
        Ok(())
    }

    #[test]
    fn begins_anew_after_the_timeout() -> Result {
        let table = EntryTable::new(10, 4, 100)?;
        stamp(&table, &key(1), 0);
        stamp(&table, &key(1), 1);
        assert!(stamp(&table, &key(1), 500) == Stamped::New);
        assert!(!check(&table, &key(1), &times(2), 500));
        Ok(())
    }

    #[test]
    fn ageing_drops_stamps_that_could_be_misread() -> Result {
        let table = EntryTable::new(10, 4, AGE_MAX)?;
        stamp(&table, &key(1), 0);
        let much_later = AGE_MAX - 10;
        stamp(&table, &key(1), much_later);
        assert!(check(&table, &key(1), &times(2), much_later));
        age_all(&table, AGE_MAX + 1);
        assert!(!check(&table, &key(1), &times(2), AGE_MAX + 1));
        assert!(check(&table, &key(1), &ONCE, AGE_MAX + 1));
        // The first stamp would now be in the future, and count as new.
        let ambiguous = (1 << 31) + 5;
        assert!(!check(&table, &key(1), &within(0, 1), ambiguous));
        Ok(())
    }

    #[test]
    fn ageing_goes_through_all_entries() -> Result {
        let table = EntryTable::new(5000, 1, 100)?;
        for number in 0..5000 {
            stamp(&table, &key(number), 0);
        }
        age_all(&table, 101);
        assert_eq!(table.statistics().entries, 0);
        assert_eq!(table.statistics().expired, 5000);
        Ok(())
    }

    #[test]
    fn shows_each_entry_once() -> Result {
        let table = EntryTable::new(200, 2, AGE_MAX)?;
        for number in 0..150 {
            stamp(&table, &key(number), 5);
        }
        remove(&table, &key(3), 5);
        let mut shown = 0;
        snapshots(&table, 9, |snapshot| {
            shown += 1;
            assert!(snapshot.key.family == Family::Ipv4);
            assert_eq!(snapshot.time_to_live, 17);
            assert_eq!(snapshot.packets, 1);
            assert_eq!(snapshot.ages, [4]);
        })?;
        assert_eq!(shown, 149);
        Ok(())
    }

    #[test]
    fn restores_what_was_known() -> Result {
        let table = EntryTable::new(10, 3, AGE_MAX)?;
        let restore = |number, packets, ages: &[u32]| {
            let past = SavedState {
                time_to_live: 9,
                packets,
                ages: ages.iter().copied(),
            };
            table.write(None, &key(number), 5, Origin::Hand, None, |entry| {
                entry.restore(5, &past)
            })
        };
        assert!(matches!(
            restore(1, 7, &[1, 20, 300, 4000]),
            Ok(Stamped::New)
        ));
        assert!(check(&table, &key(1), &within(300, 3), 5));
        assert!(!check(&table, &key(1), &within(299, 3), 5));
        stamp(&table, &key(1), 6);
        let mut seen = false;
        snapshots(&table, 6, |snapshot| {
            seen = true;
            assert_eq!(snapshot.time_to_live, 17);
            assert_eq!(snapshot.packets, 8);
            assert_eq!(snapshot.ages, [0, 2, 21]);
        })?;
        assert!(seen);
        assert!(matches!(restore(1, 2, &[10, 10]), Ok(Stamped::Updated)));
        assert!(check(&table, &key(1), &within(10, 2), 5));
        assert!(!check(&table, &key(1), &times(3), 5));
        Ok(())
    }

    #[test]
    fn moves_to_a_larger_table() -> Result {
        let old = EntryTable::new(100, 3, AGE_MAX)?;
        for now in 0..300 {
            stamp(&old, &key(now % 100), now);
        }
        let table = EntryTable::new(1000, 20, AGE_MAX)?;
        table.reserve(100, false)?;
        let lost = table.migrate_all(&old, &mut Survivors::all(), 300, || {});
        assert_eq!(lost, 0);
        assert_eq!(old.statistics().entries, 0);
        assert_eq!(table.statistics().entries, 100);
        for number in 0..100 {
            assert!(check(&table, &key(number), &within(300 - number, 3), 300));
            assert!(!check(&table, &key(number), &within(299 - number, 3), 300));
            stamp(&table, &key(number), 300);
            assert!(check(&table, &key(number), &times(4), 300));
        }
        Ok(())
    }

    #[test]
    fn the_newest_find_room_in_a_smaller_table() -> Result {
        let old = EntryTable::new(100, 5, AGE_MAX)?;
        for number in 0..100u32 {
            // Ten at each time.
            for now in [0, 1, 2, 3] {
                stamp(
                    &old,
                    &key(number),
                    LATE.wrapping_add(number / 10 * 10 + now),
                );
            }
        }
        let now = LATE.wrapping_add(100);
        let mut ages = KVVec::with_capacity(100, GFP_KERNEL)?;
        let mut survivors = Survivors::of(&old, 25, now, &mut ages);
        let table = EntryTable::new(25, 2, AGE_MAX)?;
        let lost = table.migrate_all(&old, &mut survivors, now, || {});
        assert_eq!(lost, 75);
        assert_eq!(table.statistics().entries, 25);
        assert_eq!(table.statistics().evicted, 75);
        for number in 80..100 {
            assert!(check(&table, &key(number), &times(2), now));
        }
        assert_eq!(
            (70..80)
                .filter(|&number| check(&table, &key(number), &ONCE, now))
                .count(),
            5
        );
        Ok(())
    }

    #[test]
    fn packets_use_both_tables_while_entries_move() -> Result {
        let old = EntryTable::new(100, 3, AGE_MAX)?;
        for number in 0..100 {
            stamp(&old, &key(number), 10);
            stamp(&old, &key(number), 10);
        }
        let table = EntryTable::new(100, 3, AGE_MAX)?;
        let ask = |number, hits| {
            let query = Query {
                key: key(number),
                time_to_live: 0,
                window: &times(hits),
            };
            table.check(Some(&old), &query, false, 10).unwrap_or(false)
        };
        // A lookup does not migrate.
        assert!(ask(1, 2) && !ask(1, 3));
        assert_eq!(old.statistics().entries, 100);
        // A stamp does, and continues with the old state.
        let stamped = table.stamp(Some(&old), &key(1), 10, Some(1), Origin::Packet);
        assert!(matches!(stamped, Ok(Stamped::Updated)));
        assert!(ask(1, 3));
        assert_eq!(old.statistics().entries, 99);
        assert_eq!(table.statistics().entries, 1);
        // A writer with the old table is sent on, whether or not the address is there.
        for number in [1, 1000] {
            let query = Query {
                key: key(number),
                time_to_live: 0,
                window: &ONCE,
            };
            assert!(matches!(
                old.check(None, &query, false, 10),
                Err(Superseded)
            ));
            let stamped = old.stamp(None, &key(number), 10, Some(1), Origin::Packet);
            assert!(matches!(stamped, Err(Superseded)));
            assert!(matches!(
                old.update(None, &query, false, 10, 1),
                Err(Superseded)
            ));
            assert!(matches!(
                old.remove(None, &key(number), 0, 10),
                Err(Superseded)
            ));
        }
        // A removed address is gone from both tables and does not come back.
        assert!(matches!(table.remove(Some(&old), &key(1), 0, 10), Ok(true)));
        assert!(matches!(table.remove(Some(&old), &key(2), 0, 10), Ok(true)));
        assert!(matches!(
            table.remove(Some(&old), &key(2), 0, 10),
            Ok(false)
        ));
        table.migrate_all(&old, &mut Survivors::all(), 10, || {});
        assert_eq!(old.statistics().entries, 0);
        assert_eq!(table.statistics().entries, 98);
        assert!(!ask(1, 1) && !ask(2, 1) && ask(3, 2));
        Ok(())
    }

    #[test]
    fn who_is_to_stay_stays() -> Result {
        let table = EntryTable::new(10, 3, 100)?;
        assert!(add(&table, &key(1), Expiry::NEVER, 10) == Stamped::New);
        assert!(check(&table, &key(1), &ONCE, 500));
        assert!(!check(&table, &key(1), &within(100, 1), 500));
        assert!(!check(&table, &key(1), &times(2), 500));
        assert!(stamp(&table, &key(1), 600) == Stamped::Updated);
        assert!(update(&table, &key(1), &within(100, 1), 700));
        assert!(check(&table, &key(1), &times(3), 700));
        assert!(check(&table, &key(1), &within(100, 2), 700));
        assert!(!check(&table, &key(1), &within(99, 2), 700));
        assert!(!check(&table, &key(1), &reaping(10), 800));
        age_all(&table, 900);
        assert!(check(&table, &key(1), &times(3), 900));
        assert!(remove(&table, &key(1), 900));
        assert!(!check(&table, &key(1), &ONCE, 900));
        // The next who has the entry is not to stay.
        assert!(stamp(&table, &key(2), 900) == Stamped::New);
        assert!(!check(&table, &key(2), &ONCE, 1001));
        Ok(())
    }

    #[test]
    fn who_has_expired_is_gone() -> Result {
        let table = EntryTable::new(10, 3, AGE_MAX)?;
        let past = Expiry::at(0);
        add(&table, &key(1), past, 10);
        assert!(!check(&table, &key(1), &ONCE, 10));
        assert!(!update(&table, &key(1), &ONCE, 10));
        assert!(!remove(&table, &key(1), 10));
        add(&table, &key(1), past, 10);
        assert!(stamp(&table, &key(1), 11) == Stamped::New);
        assert!(check(&table, &key(1), &ONCE, 11));
        assert!(!check(&table, &key(1), &times(2), 11));
        add(&table, &key(1), past, 12);
        age_all(&table, 12);
        assert_eq!(table.statistics().entries, 0);
        assert_eq!(table.statistics().expired, 1);
        Ok(())
    }

    #[test]
    fn stays_longer_than_stamps_can_measure() -> Result {
        let table = EntryTable::new(10, 3, AGE_MAX)?;
        add(&table, &key(1), Expiry::NEVER, 0);
        stamp(&table, &key(1), 5);
        let mut now = 0u32;
        // Four times around.
        for _ in 0..128 {
            now = now.wrapping_add(1 << 27);
            age_all(&table, now);
            assert!(check(&table, &key(1), &ONCE, now));
        }
        assert!(!check(&table, &key(1), &times(2), now));
        assert!(!check(&table, &key(1), &within(AGE_MAX, 1), now));
        Ok(())
    }

    #[test]
    fn nobody_takes_the_place_of_who_is_to_stay() -> Result {
        let table = EntryTable::new(100, 2, AGE_MAX)?;
        for number in 0..99 {
            add(&table, &key(number), Expiry::NEVER, 0);
        }
        for number in 100..200 {
            assert!(matches!(
                table.stamp(None, &key(number), 5, None, Origin::Hand),
                Ok(Stamped::New | Stamped::Reclaimed)
            ));
        }
        assert_eq!(present(&table, 99, 5), 99);
        assert!(add(&table, &key(99), Expiry::NEVER, 6) == Stamped::Reclaimed);
        assert!(add(&table, &key(100), Expiry::NEVER, 6) == Stamped::Full);
        assert!(stamp(&table, &key(100), 6) == Stamped::Full);
        assert_eq!(table.statistics().refused, 2);
        // Unless it has expired.
        add(&table, &key(99), Expiry::at(0), 6);
        assert!(add(&table, &key(100), Expiry::NEVER, 6) == Stamped::Reclaimed);
        assert_eq!(present(&table, 101, 6), 100);
        Ok(())
    }

    #[test]
    fn who_is_to_stay_does_so_in_another_table() -> Result {
        let old = EntryTable::new(100, 3, 100)?;
        for number in 0..100 {
            stamp(&old, &key(number), 90);
        }
        for number in 10..20 {
            add(&old, &key(number), Expiry::NEVER, 0);
        }
        add(&old, &key(20), Expiry::at(0), 90);
        let mut ages = KVVec::with_capacity(100, GFP_KERNEL)?;
        let mut survivors = Survivors::of(&old, 15, 100, &mut ages);
        let table = EntryTable::new(15, 20, 50)?;
        assert_eq!(table.migrate_all(&old, &mut survivors, 100, || {}), 84);
        assert!((10..20).all(|number| check(&table, &key(number), &times(2), 1000)));
        assert_eq!(present(&table, 100, 100), 15);
        assert_eq!(present(&table, 100, 1000), 10);
        Ok(())
    }

    #[test]
    fn who_is_to_stay_gets_room_in_another_table() -> Result {
        let old = EntryTable::new(100, 2, AGE_MAX)?;
        for number in 0..50 {
            add(&old, &key(number), Expiry::NEVER, 0);
            stamp(&old, &key(50 + number), 0);
        }
        let table = EntryTable::new(60, 2, AGE_MAX)?;
        // Packets have filled it before entries move.
        for number in 100..160 {
            stamp(&table, &key(number), 1);
        }
        assert_eq!(table.migrate_all(&old, &mut Survivors::all(), 2, || {}), 50);
        assert_eq!(present(&table, 50, 2), 50);
        assert_eq!(present(&table, 160, 2), 60);
        Ok(())
    }

    #[test]
    fn an_earlier_state_replaces_when_it_expires() -> Result {
        let table = EntryTable::new(10, 3, 100)?;
        add(&table, &key(1), Expiry::NEVER, 0);
        stamp(&table, &key(1), 1);
        let restore = |expiry| {
            let past = SavedState {
                time_to_live: 9,
                packets: 5,
                ages: [1u32, 2].into_iter(),
            };
            let restore = |entry: Entry<'_>| entry.restore(50, &past);
            table.write(None, &key(1), 50, Origin::Hand, expiry, restore)
        };
        assert!(restore(Some(Expiry::NEVER)).is_ok());
        assert!(check(&table, &key(1), &times(2), 500) && !check(&table, &key(1), &times(3), 500));
        assert!(restore(None).is_ok());
        assert!(check(&table, &key(1), &times(2), 50) && !check(&table, &key(1), &times(3), 50));
        assert!(!check(&table, &key(1), &ONCE, 500));
        Ok(())
    }

    #[test]
    fn the_fast_path_leaves_it_to_the_slow_one() -> Result {
        let table = EntryTable::new(10, 3, AGE_MAX)?;
        stamp(&table, &key(1), 5);
        add(&table, &key(2), Expiry::NEVER, 5);
        add(&table, &key(3), Expiry::at(0), 5);
        for (number, expected) in [(1, Some(true)), (2, None), (3, None), (4, Some(false))] {
            let query = Query {
                key: key(number),
                time_to_live: 0,
                window: &ONCE,
            };
            assert_eq!(table.check_fast(&query, || 5), expected);
            assert_eq!(table.update_fast(&query, true, || 5, 64), expected);
        }
        assert!(table.stamp_fast(&key(2), || 6, 17).is_ok());
        assert!(check(&table, &key(2), &times(2), 6));
        Ok(())
    }

    #[test]
    fn works_with_the_most_hits() -> Result {
        let table = EntryTable::new(2, 65_535, AGE_MAX)?;
        for now in 0..70_000 {
            stamp(&table, &key(1), now);
        }
        let all = within(65_534, 65_535);
        assert!(check(&table, &key(1), &all, 69_999));
        assert!(!check(&table, &key(1), &all, 70_000));
        Ok(())
    }
}
