// SPDX-License-Identifier: GPL-2.0

//! The hash table of a recent list.
//!
//! A chain of entries hangs on each bucket. Who changes a chain or an entry in it holds the lock of the
//! bucket; who reads takes no lock and reads again if the bucket was disturbed. The hash is keyed, so that
//! nobody can aim at one bucket.
//!
//! When the list is full, a new address takes the entry of another: a hand goes round over all entries,
//! passes over those that were stamped again since it came by last, and takes the first that was not. That
//! looks at a few entries, locks one bucket at a time and comes close to evicting the entry that was not
//! seen for the longest time.

use super::{
    entry::{
        Entry,
        Key,
        Snapshot,
        NONE, //
    },
    slots::{
        Shortage,
        Slots, //
    },
    stamps::{
        Window,
        AGE_MAX, //
    },
};
use crate::kernel_api::{
    buckets::{
        Attempt,
        BucketGuard,
        Buckets, //
    },
    hash::HashKey, //
};
use kernel::{
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
};

/// How many entries eviction looks at before it takes the oldest of them.
const EVICTION_CANDIDATES: usize = 8;

/// How many entries the ageing looks at at a time.
const AGEING_BATCH: u32 = 1024;

/// What became of an address that was to be stamped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stamped {
    /// It had an entry.
    Known,
    /// It got an entry.
    New,
    /// There was no memory for an entry.
    Refused,
}

/// On whose behalf an address is stamped, which says what is done where there is no memory for an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// A packet's: an entry that was not seen for long has to do.
    Packet,
    /// A person's, who is told.
    Hand,
}

/// What happened to a list so far.
#[derive(Clone, Copy)]
pub(crate) struct Statistics {
    /// Entries now.
    pub(crate) entries: u32,
    /// Entries that had to make room.
    pub(crate) evicted: u64,
    /// Entries that were removed because of their age.
    pub(crate) expired: u64,
    /// Addresses that could not be remembered for want of memory.
    pub(crate) refused: u64,
}

/// A hash table of entries.
pub(super) struct Table {
    hash: HashKey,
    buckets: Buckets,
    slots: Slots,
    /// Age in jiffies from which on an entry counts as gone.
    timeout: u32,
    entries: Atomic<u32>,
    /// Number of the entry that eviction looks at next.
    hand: Atomic<u32>,
    evicted: Atomic<u64>,
    expired: Atomic<u64>,
    refused: Atomic<u64>,
}

impl Table {
    /// A table of up to `size` entries that remember `hits` packets each for `timeout` jiffies.
    pub(super) fn new(size: u32, hits: u32, timeout: u32) -> Result<Self> {
        Ok(Self {
            hash: HashKey::random(),
            buckets: Buckets::new(size.div_ceil(2), NONE, GFP_KERNEL_ACCOUNT)?,
            slots: Slots::new(size, hits)?,
            timeout,
            entries: Atomic::new(0),
            hand: Atomic::new(0),
            evicted: Atomic::new(0),
            expired: Atomic::new(0),
            refused: Atomic::new(0),
        })
    }

    pub(super) fn size(&self) -> u32 {
        self.slots.limit()
    }

    pub(super) fn hits(&self) -> u32 {
        self.slots.hits()
    }

    pub(super) fn timeout(&self) -> u32 {
        self.timeout
    }

    pub(super) fn statistics(&self) -> Statistics {
        Statistics {
            entries: self.entries.load(Relaxed),
            evicted: self.evicted.load(Relaxed),
            expired: self.expired.load(Relaxed),
            refused: self.refused.load(Relaxed),
        }
    }

    /// Takes over what happened to the list while it had another table.
    pub(super) fn continue_from(&self, statistics: Statistics) {
        self.evicted.store(statistics.evicted, Relaxed);
        self.expired.store(statistics.expired, Relaxed);
        self.refused.store(statistics.refused, Relaxed);
    }

    #[inline]
    fn bucket(&self, key: &Key) -> u32 {
        self.buckets.index(self.hash.hash(&key.words()))
    }

    /// Whether the address was seen as the window asks.
    #[inline]
    pub(super) fn check(&self, key: &Key, window: &Window, now: u32) -> bool {
        self.buckets.read(self.bucket(key), |head, attempt| {
            self.find(head, key, Some(attempt))
                .is_some_and(|(_, entry)| self.holds(entry, window, now))
        })
    }

    /// As [`Table::check`], and if so remembers one packet more.
    pub(super) fn update(&self, key: &Key, window: &Window, now: u32, time_to_live: u8) -> bool {
        let guard = self.buckets.lock(self.bucket(key));
        match self.find(guard.head(), key, None) {
            Some((_, entry)) if self.holds(entry, window, now) => {
                entry.push(now, time_to_live);
                true
            }
            _ => false,
        }
    }

    /// Remembers a packet of the address, which gets an entry if it has none.
    pub(super) fn stamp(&self, key: &Key, now: u32, time_to_live: u8, origin: Origin) -> Stamped {
        let bucket = self.bucket(key);
        if self.stamp_known(&self.buckets.lock(bucket), key, now, time_to_live) {
            return Stamped::Known;
        }
        // Making room may need the lock of another bucket: this one is not held meanwhile.
        let Some(index) = self.take_slot(now, origin) else {
            self.refused.fetch_add(1, Relaxed);
            return Stamped::Refused;
        };
        let Some(entry) = self.slots.entry(index) else {
            return Stamped::Refused;
        };
        let mut guard = self.buckets.lock(bucket);
        if self.stamp_known(&guard, key, now, time_to_live) {
            drop(guard);
            self.slots.give_back(index);
            return Stamped::Known;
        }
        entry.begin(key);
        entry.push(now, time_to_live);
        entry.set_next(guard.head());
        entry.set_bucket(Some(bucket));
        guard.set_head(index);
        self.entries.fetch_add(1, Relaxed);
        Stamped::New
    }

    /// Removes the address; tells whether it was there.
    pub(super) fn remove(&self, key: &Key, now: u32) -> bool {
        let mut guard = self.buckets.lock(self.bucket(key));
        let Some((index, entry)) = self.find(guard.head(), key, None) else {
            return false;
        };
        let seen = entry.last_seen(now) <= self.timeout;
        self.unlink(&mut guard, index, entry);
        drop(guard);
        self.slots.give_back(index);
        seen
    }

    /// Removes what is too old, and old stamps from what is not, of the entries from `first` on; where it
    /// is to go on, if it did not come to the end.
    pub(super) fn age(&self, first: u32, now: u32) -> Option<u32> {
        let end = first.saturating_add(AGEING_BATCH);
        let used = self.slots.used();
        for number in first..end.min(used) {
            let index = self.slots.index(number);
            let Some(entry) = self.slots.entry(index) else {
                continue;
            };
            let Some(bucket) = entry.bucket() else {
                continue;
            };
            if entry.last_seen(now) <= self.timeout && !entry.has_stale_stamp(now, AGE_MAX) {
                continue;
            }
            let mut guard = self.buckets.lock(bucket);
            if entry.bucket() != Some(bucket) {
                continue;
            }
            entry.forget_stale_stamps(now, AGE_MAX);
            if entry.last_seen(now) > self.timeout {
                self.unlink(&mut guard, index, entry);
                drop(guard);
                self.slots.give_back(index);
                self.expired.fetch_add(1, Relaxed);
            }
        }
        (end < used).then_some(end)
    }

    /// The entry of that number, counted from 0; the error is that there is none of a number that high.
    pub(super) fn snapshot(
        &self,
        number: u32,
        now: u32,
        mut ages: KVec<u32>,
    ) -> Result<Option<Snapshot>> {
        if number >= self.slots.used() {
            return Err(ENOENT);
        }
        let Some(entry) = self.slots.entry(self.slots.index(number)) else {
            return Ok(None);
        };
        let Some(bucket) = entry.bucket() else {
            return Ok(None);
        };
        let read = self.buckets.read(bucket, |_, _| {
            let is_seen = entry.bucket() == Some(bucket) && entry.last_seen(now) <= self.timeout;
            entry.read(now, &mut ages).filter(|_| is_seen)
        });
        Ok(read.map(|(key, time_to_live, packets)| Snapshot {
            key,
            time_to_live,
            packets,
            ages,
        }))
    }

    /// Finds an entry; without the lock, that is with an attempt, it may miss one or find another.
    #[inline]
    fn find(
        &self,
        head: u32,
        key: &Key,
        attempt: Option<&Attempt<'_>>,
    ) -> Option<(u32, Entry<'_>)> {
        let mut index = head;
        while index != NONE {
            let entry = self.slots.entry(index)?;
            if entry.is(key) {
                return Some((index, entry));
            }
            if attempt.is_some_and(Attempt::is_disturbed) {
                return None;
            }
            index = entry.next();
        }
        None
    }

    #[inline]
    fn holds(&self, entry: Entry<'_>, window: &Window, now: u32) -> bool {
        entry.last_seen(now) <= self.timeout && entry.satisfies(window, now)
    }

    fn stamp_known(&self, guard: &BucketGuard<'_>, key: &Key, now: u32, time_to_live: u8) -> bool {
        let Some((_, entry)) = self.find(guard.head(), key, None) else {
            return false;
        };
        if entry.last_seen(now) > self.timeout {
            entry.begin(key);
        }
        entry.push(now, time_to_live);
        true
    }

    /// Takes an entry out of its chain; it is the caller's then.
    fn unlink(&self, guard: &mut BucketGuard<'_>, index: u32, entry: Entry<'_>) {
        if guard.head() == index {
            guard.set_head(entry.next());
        } else {
            let mut before = guard.head();
            while let Some(previous) = self.slots.entry(before) {
                if previous.next() == index {
                    previous.set_next(entry.next());
                    break;
                }
                before = previous.next();
            }
        }
        entry.set_bucket(None);
        self.entries.fetch_sub(1, Relaxed);
    }

    fn take_slot(&self, now: u32, origin: Origin) -> Option<u32> {
        match (self.slots.take(), origin) {
            (Ok(index), _) => Some(index),
            (Err(Shortage::Memory), Origin::Hand) => None,
            (Err(Shortage::Limit | Shortage::Memory), _) => self.evict(now),
        }
    }

    /// Takes an entry away from its address.
    fn evict(&self, now: u32) -> Option<u32> {
        let used = self.slots.used();
        let mut oldest = None;
        for _ in 0..EVICTION_CANDIDATES {
            let number = self.hand.fetch_add(1, Relaxed).checked_rem(used)?;
            let index = self.slots.index(number);
            let Some(entry) = self.slots.entry(index) else {
                continue;
            };
            if self.evict_entry(index, entry, true) {
                return Some(index);
            }
            let age = entry.last_seen(now);
            if entry.bucket().is_some() && oldest.is_none_or(|(greatest, _)| age >= greatest) {
                oldest = Some((age, index));
            }
        }
        let (_, index) = oldest?;
        self.evict_entry(index, self.slots.entry(index)?, false)
            .then_some(index)
    }

    /// Takes one entry away, unless it was stamped again since the hand came by and that counts.
    fn evict_entry(&self, index: u32, entry: Entry<'_>, spare_referenced: bool) -> bool {
        let Some(bucket) = entry.bucket() else {
            return false;
        };
        let mut guard = self.buckets.lock(bucket);
        if entry.bucket() != Some(bucket) || (spare_referenced && entry.take_reference()) {
            return false;
        }
        self.unlink(&mut guard, index, entry);
        self.evicted.fetch_add(1, Relaxed);
        true
    }
}
