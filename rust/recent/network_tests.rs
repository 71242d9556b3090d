// SPDX-License-Identifier: GPL-2.0

//! Tests of networks in lists.

use super::{
    prefixes::Prefixes,
    table::{
        Query,
        Survivors, //
    },
};
use crate::{
    packet::{
        Address,
        Family, //
    },
    recent::prelude::*, //
};
use kernel::prelude::*;

const NOW: u32 = 1000;

fn ipv4(bytes: [u8; 4]) -> EntryKey {
    EntryKey::of_address(
        Family::Ipv4,
        Address::new([u32::from_ne_bytes(bytes), 0, 0, 0]),
    )
}

fn ipv6(words: [u32; 4]) -> EntryKey {
    EntryKey::of_address(Family::Ipv6, Address::new(words.map(u32::to_be)))
}

fn network(address: EntryKey, length: u8) -> EntryKey {
    EntryKey::of_network(address.family, address.address, length).unwrap_or(address)
}

/// Adds a key that was seen so often.
fn add(table: &EntryTable, key: &EntryKey, hits: u32, now: u32) {
    for _ in 0..hits {
        assert!(table.stamp(None, key, now, None, Origin::Hand).is_ok());
    }
}

/// Whether the entry that decides on the address was seen so often.
fn finds_in(table: &EntryTable, previous: Option<&EntryTable>, key: &EntryKey, hits: u32) -> bool {
    let window = Window {
        hits,
        ..Window::any()
    };
    let query = Query {
        key: *key,
        time_to_live: 0,
        window: &window,
    };
    table.check(previous, &query, true, NOW).unwrap_or(false)
}

fn finds(table: &EntryTable, key: &EntryKey, hits: u32) -> bool {
    finds_in(table, None, key, hits)
}

/// The lengths that are there as a number with a bit for each.
fn lengths(prefixes: &Prefixes, family: Family) -> u128 {
    let mut last = None;
    let mut all = 0;
    for length in prefixes.lengths(None, family) {
        assert!(last.is_none_or(|last| length < last));
        last = Some(length);
        all |= 1u128 << length;
    }
    all
}

#[kunit_tests(palisade_recent_networks)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_networks_only_where_nothing_follows_the_prefix() {
        let address = ipv4([192, 0, 2, 0]);
        let of = |length| EntryKey::of_network(Family::Ipv4, address.address, length);
        assert!(of(22).is_none());
        assert!(of(23).is_some_and(|key| key.prefix() == Some(23)));
        assert!(of(31).is_some_and(|key| key != address));
        assert!(of(32) == Some(address));
        assert!(of(33).is_none());
        let address = ipv6([0x2001_0db8, 0, 0, 1]);
        let of = |length| EntryKey::of_network(Family::Ipv6, address.address, length);
        assert!(of(127).is_none());
        assert!(of(128) == Some(address));
        assert!(of(129).is_none());
    }

    #[test]
    fn the_longest_network_decides() -> Result {
        let table = EntryTable::new(100, 4, AGE_MAX)?;
        add(&table, &network(ipv4([10, 0, 0, 0]), 8), 3, NOW);
        add(&table, &network(ipv4([10, 1, 0, 0]), 16), 2, NOW);
        add(&table, &network(ipv4([10, 1, 2, 0]), 31), 4, NOW);
        add(&table, &ipv4([10, 1, 2, 1]), 1, NOW);
        for (address, hits) in [
            ([10, 0, 0, 0], 3),
            ([10, 255, 255, 255], 3),
            ([10, 1, 0, 0], 2),
            ([10, 1, 255, 255], 2),
            ([10, 1, 2, 0], 4),
            ([10, 1, 2, 1], 1),
        ] {
            assert!(finds(&table, &ipv4(address), hits));
            assert!(!finds(&table, &ipv4(address), hits + 1));
        }
        assert!(!finds(&table, &ipv4([9, 255, 255, 255]), 1));
        assert!(!finds(&table, &ipv4([11, 0, 0, 0]), 1));
        assert!(!finds(&table, &ipv6([0x0a01_0000, 0, 0, 0]), 1));
        Ok(())
    }

    #[test]
    fn prefixes_end_anywhere_in_an_address() -> Result {
        let whole = ipv6([0xffff_ffff; 4]);
        for length in 0..=127 {
            let table = EntryTable::new(10, 4, AGE_MAX)?;
            let bits = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
            let word = |shift: u32| (bits >> shift) as u32;
            add(
                &table,
                &network(ipv6([word(96), word(64), word(32), word(0)]), length),
                1,
                NOW,
            );
            assert!(finds(&table, &whole, 1));
            // The last bit of the prefix counts.
            let other = bits
                ^ (1u128 << 127)
                    .checked_shr(u32::from(length).wrapping_sub(1))
                    .unwrap_or(0);
            let word = |shift: u32| (other >> shift) as u32;
            let other = ipv6([word(96), word(64), word(32), word(0)]);
            assert_eq!(finds(&table, &other, 1), length == 0);
        }
        Ok(())
    }

    #[test]
    fn a_network_of_all_has_no_bits() -> Result {
        let table = EntryTable::new(100, 4, AGE_MAX)?;
        add(&table, &network(ipv4([0; 4]), 0), 1, NOW);
        assert!(finds(&table, &ipv4([203, 0, 113, 9]), 1));
        assert!(!finds(&table, &ipv6([0; 4]), 1));
        Ok(())
    }

    #[test]
    fn lengths_are_forgotten_with_their_last_network() -> Result {
        let table = EntryTable::new(100, 4, AGE_MAX)?;
        let (first, second) = (ipv4([10, 1, 0, 0]), ipv4([10, 2, 0, 0]));
        add(&table, &network(first, 16), 1, NOW);
        add(&table, &network(second, 16), 1, NOW);
        add(&table, &network(first, 17), 1, NOW);
        add(&table, &network(ipv6([1, 0, 0, 0]), 32), 1, NOW);
        add(&table, &network(ipv6([1, 0, 0, 0]), 127), 1, NOW);
        add(&table, &first, 1, NOW);
        let of = |family| lengths(&table.prefixes, family);
        assert_eq!(of(Family::Ipv4), 1 << 16 | 1 << 17);
        assert_eq!(of(Family::Ipv6), 1 << 32 | 1 << 127);
        let remove = |key: &EntryKey| table.remove(None, key, 0, NOW).unwrap_or(false);
        assert!(remove(&network(first, 16)));
        assert!(!remove(&network(first, 16)));
        assert_eq!(of(Family::Ipv4), 1 << 16 | 1 << 17);
        assert!(remove(&network(second, 16)) && remove(&network(first, 17)));
        assert_eq!(of(Family::Ipv4), 0);
        assert!(finds(&table, &first, 1));
        // Those that were not seen for long.
        table.set_timeout(5);
        assert!(table.age(0, NOW + 6).is_none());
        assert_eq!(of(Family::Ipv6), 0);
        Ok(())
    }

    #[test]
    fn what_has_expired_decides_nothing() -> Result {
        let table = EntryTable::new(100, 4, 50)?;
        add(&table, &network(ipv4([10, 0, 0, 0]), 8), 3, NOW);
        add(&table, &network(ipv4([10, 1, 0, 0]), 16), 4, NOW - 51);
        assert!(finds(&table, &ipv4([10, 1, 0, 1]), 3));
        assert!(!finds(&table, &ipv4([10, 1, 0, 1]), 4));
        Ok(())
    }

    #[test]
    fn updates_are_for_the_network_that_decides() -> Result {
        let table = EntryTable::new(100, 4, AGE_MAX)?;
        let whole = network(ipv4([10, 0, 0, 0]), 8);
        add(&table, &whole, 1, NOW);
        let query = Query {
            key: ipv4([10, 1, 2, 3]),
            time_to_live: 0,
            window: &Window::any(),
        };
        let query = table.deciding(None, &query, NOW);
        assert!(query.key == whole);
        assert!(table.update(None, &query, false, NOW, 64).unwrap_or(false));
        assert!(finds(&table, &ipv4([10, 9, 9, 9]), 2));
        assert_eq!(table.statistics().entries, 1);
        Ok(())
    }

    #[test]
    fn networks_migrate() -> Result {
        let previous = EntryTable::new(100, 4, AGE_MAX)?;
        let table = EntryTable::new(50, 4, AGE_MAX)?;
        let (long, short) = (ipv4([10, 1, 0, 0]), ipv4([10, 0, 0, 0]));
        add(&previous, &network(long, 16), 2, NOW);
        add(&previous, &network(short, 8), 3, NOW);
        let found = |hits| finds_in(&table, Some(&previous), &ipv4([10, 1, 0, 9]), hits);
        assert!(found(2) && !found(3));
        let migrated = table.migrate(&previous, &network(long, 16), NOW, Origin::Packet);
        assert!(migrated.is_ok());
        assert!(found(2) && !found(3));
        table.migrate_all(&previous, &mut Survivors::all(), NOW, || {});
        assert_eq!(lengths(&previous.prefixes, Family::Ipv4), 0);
        assert_eq!(lengths(&table.prefixes, Family::Ipv4), 1 << 8 | 1 << 16);
        assert!(finds(&table, &ipv4([10, 1, 0, 9]), 2));
        assert!(finds(&table, &ipv4([10, 2, 0, 9]), 3));
        Ok(())
    }
}
