// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of the hash table: inserting, finding, evicting, ageing, and time that wraps.

use super::{
    entry::{
        Entry,
        Key, //
    },
    stamps::{
        Window,
        AGE_MAX, //
    },
    table::{
        Origin,
        Stamped,
        Table, //
    },
};
use crate::packet::{
    Address,
    Family, //
};
use kernel::prelude::*;

/// Just before 32-bit jiffies wrap.
const LATE: u32 = u32::MAX - 5;

const ONCE: Window = Window { age: None, hits: 1 };

fn key(number: u32) -> Key {
    Key {
        family: Family::Ipv4,
        address: Address::new([number, 0, 0, 0]),
        port: 0,
    }
}

fn within(age: u32, hits: u32) -> Window {
    Window {
        age: Some(age),
        hits,
    }
}

/// Stamps as a packet with a TTL of 17 does.
fn stamp(table: &Table, key: &Key, now: u32) -> Stamped {
    table.stamp(key, now, 17, Origin::Packet)
}

/// How many of the keys below `count` are in the table.
fn present(table: &Table, count: u32, now: u32) -> u32 {
    (0..count)
        .filter(|&number| table.check(&key(number), &ONCE, now))
        .count() as u32
}

/// Runs the ageing over the whole table.
fn age_all(table: &Table, now: u32) {
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
        let table = Table::new(100, 4, AGE_MAX)?;
        assert!(!table.check(&key(1), &ONCE, 10));
        assert!(stamp(&table, &key(1), 10) == Stamped::New);
        assert!(stamp(&table, &key(1), 11) == Stamped::Known);
        assert!(table.check(&key(1), &ONCE, 12));
        assert!(!table.check(&key(2), &ONCE, 12));
        assert_eq!(table.statistics().entries, 1);
        Ok(())
    }

    #[test]
    fn tells_families_apart() -> Result {
        let table = Table::new(100, 4, AGE_MAX)?;
        let ipv6 = Key {
            family: Family::Ipv6,
            ..key(7)
        };
        stamp(&table, &key(7), 10);
        assert!(!table.check(&ipv6, &ONCE, 10));
        stamp(&table, &ipv6, 10);
        assert_eq!(table.statistics().entries, 2);
        Ok(())
    }

    #[test]
    fn keys_of_one_bucket_do_not_disturb_each_other() -> Result {
        // Half as many buckets as entries, so that 64 entries are in 32 buckets, several in most.
        let table = Table::new(64, 1, AGE_MAX)?;
        for number in 0..64 {
            assert!(stamp(&table, &key(number), number) == Stamped::New);
        }
        assert_eq!(present(&table, 64, 64), 64);
        // From the middle, the beginning and the end of their chains.
        for number in (0..64).step_by(2) {
            assert!(table.remove(&key(number), 64));
            assert!(!table.remove(&key(number), 64));
        }
        assert_eq!(present(&table, 64, 64), 32);
        assert_eq!(table.statistics().entries, 32);
        for number in (1..64).step_by(2) {
            assert!(table.check(&key(number), &ONCE, 64));
        }
        Ok(())
    }

    #[test]
    fn never_holds_more_than_its_size() -> Result {
        for size in [1, 2, 3, 7, 64, 100, 1000] {
            let table = Table::new(size, 2, AGE_MAX)?;
            for number in 0..size * 3 {
                assert!(stamp(&table, &key(number), number) == Stamped::New);
            }
            let statistics = table.statistics();
            assert_eq!(statistics.entries, size);
            assert_eq!(statistics.evicted, u64::from(size) * 2);
            assert_eq!(present(&table, size * 3, size * 3), size);
            // Where nobody came back, those that came last are left.
            assert!(table.check(&key(size * 3 - 1), &ONCE, size * 3));
            assert!(!table.check(&key(0), &ONCE, size * 3));
        }
        Ok(())
    }

    #[test]
    fn spares_who_came_back() -> Result {
        let table = Table::new(4, 2, AGE_MAX)?;
        for number in 0..4 {
            stamp(&table, &key(number), number);
        }
        stamp(&table, &key(0), 4);
        stamp(&table, &key(4), 5);
        assert!(table.check(&key(0), &ONCE, 5));
        assert!(!table.check(&key(1), &ONCE, 5));
        Ok(())
    }

    #[test]
    fn evicts_the_oldest_where_all_came_back() -> Result {
        let table = Table::new(4, 2, AGE_MAX)?;
        for now in 0..8 {
            stamp(&table, &key(now % 4), now);
        }
        stamp(&table, &key(4), 8);
        assert_eq!(table.statistics().entries, 4);
        assert!(table.check(&key(4), &ONCE, 8));
        Ok(())
    }

    #[test]
    fn uses_again_what_was_removed() -> Result {
        let table = Table::new(10, 2, AGE_MAX)?;
        for round in 0..100 {
            for number in 0..10 {
                let now = round * 10 + number;
                assert!(stamp(&table, &key(now), now) == Stamped::New);
            }
            for number in 0..10 {
                assert!(table.remove(&key(round * 10 + number), round * 10 + 10));
            }
        }
        assert_eq!(table.statistics().entries, 0);
        assert_eq!(table.statistics().evicted, 0);
        Ok(())
    }

    #[test]
    fn counts_hits_within_the_time() -> Result {
        let table = Table::new(10, 20, AGE_MAX)?;
        for now in [100, 110, 120, 130] {
            stamp(&table, &key(1), now);
        }
        assert!(table.check(&key(1), &within(30, 4), 130));
        assert!(!table.check(&key(1), &within(29, 4), 130));
        assert!(table.check(&key(1), &within(29, 3), 130));
        assert!(!table.check(&key(1), &within(30, 5), 130));
        assert!(table.check(&key(1), &within(0, 1), 130));
        assert!(!table.check(&key(1), &within(0, 2), 130));
        assert!(table.check(&key(1), &Window { age: None, hits: 4 }, 100_000));
        Ok(())
    }

    #[test]
    fn remembers_the_latest_where_there_were_more() -> Result {
        let table = Table::new(10, 3, AGE_MAX)?;
        for now in 1..=10 {
            stamp(&table, &key(1), now * 10);
        }
        assert!(table.check(&key(1), &within(20, 3), 100));
        assert!(!table.check(&key(1), &within(19, 3), 100));
        assert!(!table.check(&key(1), &Window { age: None, hits: 4 }, 100));
        Ok(())
    }

    #[test]
    fn update_stamps_only_what_it_matches() -> Result {
        let table = Table::new(10, 4, AGE_MAX)?;
        assert!(!table.update(&key(1), &ONCE, 10, 64));
        assert_eq!(table.statistics().entries, 0);
        stamp(&table, &key(1), 10);
        assert!(!table.update(&key(1), &within(5, 1), 20, 64));
        assert!(!table.check(&key(1), &within(5, 1), 20));
        assert!(table.update(&key(1), &within(10, 1), 20, 64));
        assert!(table.check(&key(1), &within(0, 1), 20));
        Ok(())
    }

    #[test]
    fn measures_across_the_wrap() -> Result {
        let table = Table::new(10, 4, AGE_MAX)?;
        stamp(&table, &key(1), LATE);
        stamp(&table, &key(1), 10);
        // LATE is 6 before the wrap, so that 16 lie between the two.
        assert!(table.check(&key(1), &within(16, 2), 10));
        assert!(!table.check(&key(1), &within(15, 2), 10));
        assert!(table.check(&key(1), &within(0, 1), 10));
        age_all(&table, 20);
        assert!(table.check(&key(1), &within(26, 2), 20));
        Ok(())
    }

    #[test]
    fn takes_a_stamp_from_the_next_tick_for_new() -> Result {
        let table = Table::new(10, 4, 100)?;
        stamp(&table, &key(1), 50);
        assert!(table.check(&key(1), &within(0, 1), 49));
        stamp(&table, &key(2), 0);
        assert!(table.check(&key(2), &within(0, 1), u32::MAX));
        Ok(())
    }

    #[test]
    fn forgets_after_its_timeout() -> Result {
        let table = Table::new(10, 4, 100)?;
        stamp(&table, &key(1), LATE);
        let end = LATE.wrapping_add(100);
        assert!(table.check(&key(1), &ONCE, end));
        assert!(!table.check(&key(1), &ONCE, end + 1));
        assert!(!table.update(&key(1), &ONCE, end + 1, 64));
        age_all(&table, end);
        assert_eq!(table.statistics().entries, 1);
        age_all(&table, end + 1);
        assert_eq!(table.statistics().entries, 0);
        assert_eq!(table.statistics().expired, 1);
        Ok(())
    }

    #[test]
    fn begins_anew_after_the_timeout() -> Result {
        let table = Table::new(10, 4, 100)?;
        stamp(&table, &key(1), 0);
        stamp(&table, &key(1), 1);
        assert!(stamp(&table, &key(1), 500) == Stamped::Known);
        assert!(!table.check(&key(1), &Window { age: None, hits: 2 }, 500));
        Ok(())
    }

    #[test]
    fn ageing_drops_stamps_that_could_be_misread() -> Result {
        let table = Table::new(10, 4, AGE_MAX)?;
        stamp(&table, &key(1), 0);
        let much_later = AGE_MAX - 10;
        stamp(&table, &key(1), much_later);
        assert!(table.check(&key(1), &Window { age: None, hits: 2 }, much_later));
        age_all(&table, AGE_MAX + 1);
        assert!(!table.check(&key(1), &Window { age: None, hits: 2 }, AGE_MAX + 1));
        assert!(table.check(&key(1), &ONCE, AGE_MAX + 1));
        // Had the first stamp stayed, it would be from the future now, and count as new.
        let ambiguous = (1 << 31) + 5;
        assert!(!table.check(&key(1), &within(0, 1), ambiguous));
        Ok(())
    }

    #[test]
    fn ageing_goes_through_all_entries() -> Result {
        let table = Table::new(5000, 1, 100)?;
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
        let table = Table::new(200, 2, AGE_MAX)?;
        for number in 0..150 {
            stamp(&table, &key(number), 5);
        }
        table.remove(&key(3), 5);
        let mut shown = 0;
        let mut number = 0;
        while let Ok(snapshot) = table.snapshot(number, 9, Entry::room_for_ages()?) {
            if let Some(snapshot) = snapshot {
                shown += 1;
                assert!(snapshot.key.family == Family::Ipv4);
                assert_eq!(snapshot.time_to_live, 17);
                assert_eq!(snapshot.packets, 1);
                assert_eq!(snapshot.ages.len(), 1);
                assert_eq!(snapshot.ages[0], 4);
            }
            number += 1;
        }
        assert_eq!(shown, 149);
        Ok(())
    }

    #[test]
    fn works_with_the_most_hits() -> Result {
        let table = Table::new(2, 65_535, AGE_MAX)?;
        for now in 0..70_000 {
            stamp(&table, &key(1), now);
        }
        let all = Window {
            age: Some(65_534),
            hits: 65_535,
        };
        assert!(table.check(&key(1), &all, 69_999));
        assert!(!table.check(&key(1), &all, 70_000));
        Ok(())
    }
}
