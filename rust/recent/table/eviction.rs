// SPDX-License-Identifier: GPL-2.0

//! Making room where the table is full.

use super::super::slots::Shortage;
use crate::recent::prelude::*;

/// How many entries eviction looks at before it takes the oldest of them.
const EVICTION_CANDIDATES: usize = 8;

impl EntryTable {
    /// A free entry, and whether another was evicted for it.
    pub(super) fn take_slot(&self, now: u32, origin: Origin) -> Option<(u32, Stamped)> {
        match (self.slots.take(), origin) {
            (Ok(index), _) => Some((index, Stamped::New)),
            (Err(_), Origin::Move) | (Err(Shortage::Memory), Origin::Hand) => None,
            (Err(Shortage::Limit | Shortage::Memory), _) => {
                Some((self.evict(now)?, Stamped::Reclaimed))
            }
        }
    }

    /// Evicts an entry and returns its index.
    fn evict(&self, now: u32) -> Option<u32> {
        let used = self.slots.used();
        let mut oldest = None;
        for _ in 0..EVICTION_CANDIDATES {
            let number = self
                .written
                .clock_hand
                .fetch_add(1, Relaxed)
                .checked_rem(used)?;
            let Some((index, entry, _)) = self.occupied(number) else {
                continue;
            };
            if self.evict_entry(index, entry, true) {
                return Some(index);
            }
            let age = entry.last_seen(now);
            if oldest.is_none_or(|(greatest, _, _)| age >= greatest) {
                oldest = Some((age, index, entry));
            }
        }
        let (_, index, entry) = oldest?;
        self.evict_entry(index, entry, false).then_some(index)
    }

    /// Evicts this entry, unless it is to be spared for having been stamped again.
    fn evict_entry(&self, index: u32, entry: Entry<'_>, spare_referenced: bool) -> bool {
        let Some(bucket) = entry.bucket() else {
            return false;
        };
        let mut guard = self.buckets.lock(bucket);
        if entry.bucket() != Some(bucket) || (spare_referenced && entry.take_reference()) {
            return false;
        }
        self.unlink(&mut guard, index, entry);
        self.written.evicted.fetch_add(1, Relaxed);
        true
    }
}
