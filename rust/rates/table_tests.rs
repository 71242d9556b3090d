// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of tables of rates, at made-up times.

use super::{
    table::WAYS,
    Limit,
    PacketRate,
    RateKey,
    RateTable, //
};
use crate::{
    kernel_api::time::JIFFIES_PER_SECOND,
    packet::{
        Address,
        Family, //
    },
};
use kernel::prelude::*;

const HZ: u64 = JIFFIES_PER_SECOND as u64;

const NOW: u64 = 1 << 32;

fn key(number: u32) -> RateKey {
    RateKey {
        family: Family::Ipv4,
        source: Address::new([number, 0, 0, 0]),
        destination: Address::new([0; 4]),
        ports: 0,
    }
}

/// So many packets in a minute, and at once.
fn a_minute(packets: u32) -> Result<Limit> {
    let rate = PacketRate {
        packets,
        seconds: 60,
        burst: packets,
    };
    Limit::packets(&rate, JIFFIES_PER_SECOND * 60).ok_or(EINVAL)
}

/// The numbers of the keys that the table has, and the jiffies until they are full.
fn known(table: &RateTable, now: u64) -> Result<KVec<(u32, u64)>> {
    let mut known = KVec::new();
    for place in 0..table.places_count() {
        if let Some(snapshot) = table.snapshot(place, now) {
            let [number, ..] = snapshot.key.source.words();
            known.push((number, snapshot.missing), GFP_KERNEL)?;
        }
    }
    Ok(known)
}

#[kunit_tests(palisade_rate_tables)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_apart() -> Result {
        let (table, limit) = (RateTable::new(b"test", 100)?, a_minute(1)?);
        let other = |change: fn(&mut RateKey)| {
            let mut other = key(1);
            change(&mut other);
            other
        };
        let keys = [
            key(1),
            key(2),
            other(|key| key.family = Family::Ipv6),
            other(|key| key.destination = Address::new([1, 0, 0, 0])),
            other(|key| key.ports = 1),
            other(|key| key.ports = 1 << 16),
            RateKey {
                family: Family::Ipv6,
                source: Address::new([1, 2, 3, 4]),
                destination: Address::new([5, 6, 7, 8]),
                ports: 9,
            },
        ];
        for expected in [true, false] {
            for key in &keys {
                assert_eq!(table.take(key, &limit, 1, NOW), expected);
            }
        }
        let mut found = 0;
        for place in 0..table.places_count() {
            if let Some(snapshot) = table.snapshot(place, NOW + 1) {
                assert!(keys.contains(&snapshot.key));
                assert_eq!((snapshot.age, snapshot.missing), (1, 60 * HZ - 1));
                found += 1;
            }
        }
        assert_eq!(found, keys.len());
        table.flush();
        assert!(known(&table, NOW)?.is_empty());
        assert!(table.take(&key(1), &limit, 1, NOW));
        Ok(())
    }

    #[test]
    fn who_owes_least_makes_room() -> Result {
        // One set.
        let (table, limit) = (RateTable::new(b"test", 1)?, a_minute(10)?);
        assert_eq!(table.places_count(), WAYS);
        let all = WAYS as u32;
        // The first takes most, the last least.
        for number in 1..=all {
            for _ in number..=all {
                assert!(table.take(&key(number), &limit, 1, NOW));
            }
        }
        assert_eq!(table.evicted(), 0);
        assert!(table.take(&key(100), &limit, 1, NOW));
        assert_eq!(table.evicted(), 1);
        let has = |number: u32| -> Result<bool> {
            Ok(known(&table, NOW)?.iter().any(|(one, _)| *one == number))
        };
        assert!(has(100)? && has(1)? && !has(all)?);
        // Who owes nothing any more makes room, and nothing is lost.
        let later = NOW + 30 * HZ;
        assert!(table.take(&key(101), &limit, 1, later));
        assert_eq!(table.evicted(), 1);
        assert!(has(101)? && has(1)?);
        Ok(())
    }

    #[test]
    fn hardly_anybody_makes_room_before_the_table_is_full() -> Result {
        const SIZE: u32 = 4096;
        let (table, limit) = (RateTable::new(b"test", SIZE)?, a_minute(1)?);
        for number in 0..SIZE {
            assert!(table.take(&key(number), &limit, 1, NOW));
        }
        let mut remembered = 0;
        for number in 0..SIZE {
            remembered += u32::from(!table.take(&key(number), &limit, 1, NOW));
        }
        assert!(remembered > SIZE / 20 * 19);
        assert_eq!(table.refused(), 0);
        Ok(())
    }
}
