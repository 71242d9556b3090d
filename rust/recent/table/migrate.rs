// SPDX-License-Identifier: GPL-2.0

//! Migrating a list's entries from one table to another while packets use both.
//!
//! Once the new table is published with a link to the previous one, a writer first migrates the
//! entry to the new table, and a reader looks into the new table, then into the previous one. A
//! walker migrates the rest.
//!
//! Packets that started earlier only know the previous table. Before an address is looked up there
//! for migration, its bucket is frozen: whoever locks the bucket after that sees that the table is
//! superseded, changes nothing and retries with the new one. So what is read from a frozen bucket
//! stays true, except that entries may be removed.
//!
//! An entry is copied under the lock of its bucket in the new table and then removed from the
//! previous one: it can always be found, and once it is in the new table, the old copy does not
//! count. An address is removed from the previous table first, so that nobody copies it afterwards.
//! No two buckets are locked at the same time.

use crate::recent::prelude::*;

/// The result of migrating an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Migrated {
    /// It was not in the previous table.
    Absent,
    /// It is in the new table.
    Present,
    /// There was no room for it.
    Lost,
}

/// The [`EntryTable::rank`] of entries that are to stay.
const RANK_TO_STAY: u32 = 0;

/// The entries that fit into a smaller table: those that are to stay, and the most recently seen.
pub(crate) struct Survivors {
    /// Entries of a lower [`EntryTable::rank`] survive, those of a greater one do not.
    rank: u32,
    /// How many of exactly that rank survive.
    ties: usize,
}

impl Survivors {
    /// All entries.
    pub(crate) const fn all() -> Self {
        Self {
            rank: u32::MAX,
            ties: 0,
        }
    }

    /// The `size` entries of the table that survive. `ranks` must have room for all of them.
    pub(crate) fn of(table: &EntryTable, size: u32, now: u32, ranks: &mut KVVec<u32>) -> Self {
        ranks.clear();
        for number in 0..table.slots.used() {
            let Some((index, entry, _)) = table.occupied(number) else {
                continue;
            };
            let rank = table.rank(index, entry, table.timeout(), now);
            if rank.is_some_and(|rank| ranks.push_within_capacity(rank).is_err()) {
                break;
            }
        }
        let size = size as usize;
        if ranks.len() <= size || size == 0 {
            return Self::all();
        }
        let (_, &mut rank, _) = ranks.select_nth_unstable(size.wrapping_sub(1));
        let before = ranks.iter().filter(|&&other| other < rank).count();
        Self {
            rank,
            ties: size.saturating_sub(before),
        }
    }

    fn admits(&mut self, rank: u32) -> bool {
        if rank == self.rank && self.ties > 0 {
            self.ties = self.ties.wrapping_sub(1);
            return true;
        }
        rank < self.rank
    }
}

impl EntryTable {
    /// Whether the list has a newer table.
    #[inline]
    pub(super) fn is_superseded(&self) -> bool {
        self.superseded.load_acquire() != 0
    }

    /// Marks the table as superseded. The new one must be published by now.
    pub(crate) fn supersede(&self) {
        if self.superseded.load() == 0 {
            self.superseded.store_release(1);
        }
    }

    /// From here on, entries of the bucket can be removed, but not added or changed.
    fn freeze(&self, bucket: u32) {
        self.supersede();
        // The current lock holder may have missed that; later ones will not.
        drop(self.buckets.lock(bucket));
    }

    /// Migrates an address here from the previous table.
    pub(crate) fn migrate(
        &self,
        previous: &EntryTable,
        key: &EntryKey,
        now: u32,
        origin: Origin,
    ) -> Result<Migrated, Superseded> {
        let there = previous.bucket(key);
        previous.freeze(there);
        let Some(expires) = previous.expires(there, key) else {
            return Ok(Migrated::Absent);
        };
        let migrated = self.copy(previous, there, key, expires, now, origin)?;
        if migrated == Migrated::Lost {
            self.written.evicted.fetch_add(1, Relaxed);
        }
        previous.take_out(there, key, 0, now);
        Ok(migrated)
    }

    fn copy(
        &self,
        previous: &EntryTable,
        there: u32,
        key: &EntryKey,
        expires: bool,
        now: u32,
        origin: Origin,
    ) -> Result<Migrated, Superseded> {
        let bucket = self.bucket(key);
        if self.find(self.lock(bucket)?.head(), key, None).is_some() {
            return Ok(Migrated::Present);
        }
        let Ok((index, _)) = self.take_slot(now, origin) else {
            return Ok(Migrated::Lost);
        };
        let Some(entry) = self.slots.entry(index) else {
            return Ok(Migrated::Lost);
        };
        if expires && self.slots.provide_expiry(index).is_err() {
            self.slots.give_back(index);
            return Ok(Migrated::Lost);
        }
        self.prefixes.add(key.network_length());
        let mut is_used = false;
        let migrated = self.lock(bucket).map(|mut guard| {
            if self.find(guard.head(), key, None).is_some() {
                return Migrated::Present;
            }
            let copied = previous.copy_to(there, key, self, index, entry, now);
            if copied == Migrated::Present {
                self.link(&mut guard, bucket, index, entry);
                is_used = true;
            }
            copied
        });
        if !is_used {
            self.prefixes.remove(key.network_length());
            self.slots.give_back(index);
        }
        migrated
    }

    /// Migrates all survivors here from the previous table, as far as there is room, and returns
    /// how many entries were lost. Calls `pause` after each bucket, with no lock held.
    pub(crate) fn migrate_all(
        &self,
        previous: &EntryTable,
        survivors: &mut Survivors,
        now: u32,
        mut pause: impl FnMut(),
    ) -> u64 {
        let mut lost = 0u64;
        for bucket in 0..previous.buckets.count() {
            previous.freeze(bucket);
            while let Some((key, rank)) = previous.first(bucket, self.timeout(), now) {
                let Some(rank) = rank else {
                    previous.take_out(bucket, &key, 0, now);
                    self.written.expired.fetch_add(1, Relaxed);
                    continue;
                };
                if !survivors.admits(rank) {
                    previous.take_out(bucket, &key, 0, now);
                    self.written.evicted.fetch_add(1, Relaxed);
                    lost = lost.saturating_add(1);
                } else {
                    let origin = match rank {
                        RANK_TO_STAY => Origin::MoveToStay,
                        _ => Origin::Move,
                    };
                    match self.migrate(previous, &key, now, origin) {
                        Ok(Migrated::Lost) => lost = lost.saturating_add(1),
                        Ok(_) => {}
                        // Only one migration runs at a time, so this does not happen.
                        Err(Superseded) => return lost,
                    }
                }
            }
            pause();
        }
        lost
    }

    /// Whether the entry with that key, however old, was told when to expire; `None` if there is none.
    fn expires(&self, bucket: u32, key: &EntryKey) -> Option<bool> {
        self.buckets.read(bucket, |head, attempt| {
            let (_, entry) = self.find(head, key, Some(attempt))?;
            Some(entry.expires())
        })
    }

    /// Copies the entry of an address to an unlinked one of another table, unless it has expired. Takes
    /// no lock.
    fn copy_to(
        &self,
        bucket: u32,
        key: &EntryKey,
        table: &EntryTable,
        index: u32,
        entry: Entry<'_>,
        now: u32,
    ) -> Migrated {
        self.buckets.read_without_lock(bucket, |head, attempt| {
            let Some((from_index, from)) = self.find(head, key, Some(attempt)) else {
                return Migrated::Absent;
            };
            let from = self.whole(from_index, from);
            if !from.is_alive(table.timeout(), now) {
                return Migrated::Absent;
            }
            entry.copy(from, key);
            if let Some(expiry) = from.expiry() {
                table.slots.set_expiry(index, expiry);
            }
            Migrated::Present
        })
    }

    /// Where the entry stands among those that are to survive: the lower, the better. `None` if it has
    /// expired.
    fn rank(&self, index: u32, entry: Entry<'_>, timeout: u32, now: u32) -> Option<u32> {
        match self.whole(index, entry).expiry() {
            Some(expiry) => (!expiry.is_over()).then_some(RANK_TO_STAY),
            None => Some(entry.last_seen(now))
                .filter(|&age| age <= timeout.min(AGE_MAX))
                .map(|age| age.saturating_add(1)),
        }
    }

    /// The first address of a bucket, and its [`EntryTable::rank`].
    fn first(&self, bucket: u32, timeout: u32, now: u32) -> Option<(EntryKey, Option<u32>)> {
        let guard = self.buckets.lock(bucket);
        let entry = self.slots.entry(guard.head())?;
        Some((entry.key()?, self.rank(guard.head(), entry, timeout, now)))
    }

    /// Removes an address, even from a superseded table; returns whether it was there with that
    /// TTL.
    fn take_out(&self, bucket: u32, key: &EntryKey, time_to_live: u8, now: u32) -> bool {
        self.take_out_of(self.buckets.lock(bucket), key, time_to_live, now)
    }

    /// Removes an address from a locked bucket; returns whether it was there with that TTL.
    pub(super) fn take_out_of(
        &self,
        guard: BucketGuard<'_>,
        key: &EntryKey,
        time_to_live: u8,
        now: u32,
    ) -> bool {
        let Some((index, entry)) = self.find(guard.head(), key, None) else {
            return false;
        };
        if !entry.matches_ttl(time_to_live) {
            return false;
        }
        let was_there = self.is_alive(index, entry, self.timeout(), now);
        self.unlink(guard, index, entry);
        self.slots.give_back(index);
        was_there
    }

    /// Removes an address from the previous table for good.
    pub(super) fn remove_frozen(&self, key: &EntryKey, time_to_live: u8, now: u32) -> bool {
        let bucket = self.bucket(key);
        self.freeze(bucket);
        self.take_out(bucket, key, time_to_live, now)
    }
}
