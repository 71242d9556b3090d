// SPDX-License-Identifier: GPL-2.0

//! Removing entries that have expired.

use crate::recent::prelude::*;

/// How many other entries a packet of a reaping rule looks at.
const REAPED_AT_ONCE: usize = 2;

/// How many entries the ageing looks at in one go.
const AGEING_BATCH: u32 = 1024;

impl EntryTable {
    /// Removes the address if it was not seen within `limit` jiffies.
    #[cold]
    pub(super) fn reap(&self, key: &EntryKey, limit: u32, now: u32) {
        let guard = self.buckets.lock(self.bucket(key));
        match self.find(guard.head(), key, None) {
            Some((index, entry)) if !self.is_alive(index, entry, limit, now) => {
                self.expire(guard, index, entry);
            }
            _ => {}
        }
    }

    /// Looks at the next few entries and removes those not seen within `limit` jiffies.
    pub(super) fn reap_others(&self, limit: u32, now: u32) {
        for _ in 0..REAPED_AT_ONCE {
            let number = self.written.gc_cursor.fetch_add(1, Relaxed);
            let Some(number) = number.checked_rem(self.slots.used()) else {
                return;
            };
            let Some((index, entry, bucket)) = self.occupied(number) else {
                continue;
            };
            if self.is_alive(index, entry, limit, now) {
                continue;
            }
            let guard = self.buckets.lock(bucket);
            if entry.bucket() == Some(bucket) && !self.is_alive(index, entry, limit, now) {
                self.expire(guard, index, entry);
            }
        }
    }

    /// Removes expired entries, and stale stamps from the others, in one batch from `first` on.
    /// Returns where the next batch starts, unless this was the last.
    pub(crate) fn age(&self, first: u32, now: u32) -> Option<u32> {
        let end = first.saturating_add(AGEING_BATCH);
        let used = self.slots.used();
        for number in first..end.min(used) {
            let Some((index, entry, bucket)) = self.occupied(number) else {
                continue;
            };
            let known = self.whole(index, entry);
            if known.is_alive(self.timeout(), now) && !known.has_stale_stamp(now, AGE_MAX) {
                continue;
            }
            let guard = self.buckets.lock(bucket);
            if entry.bucket() != Some(bucket) {
                continue;
            }
            let entry = self.whole(index, entry);
            entry.forget_stale_stamps(now, AGE_MAX);
            if !entry.is_alive(self.timeout(), now) {
                self.expire(guard, index, entry);
            }
        }
        (end < used).then_some(end)
    }

    /// Removes an expired entry.
    #[cold]
    #[inline(never)]
    pub(super) fn expire(&self, guard: BucketGuard<'_>, index: u32, entry: Entry<'_>) {
        self.unlink(guard, index, entry);
        self.slots.give_back(index);
        self.written.expired.fetch_add(1, Relaxed);
    }
}
