// SPDX-License-Identifier: GPL-2.0

//! Making room where the table is full.

use super::super::slots::Shortage;
use crate::{
    recent::prelude::*,
    spec::command, //
};

/// How many entries eviction looks at before it takes the oldest of them.
const EVICTION_CANDIDATES: u32 = 8;

/// How many entries that are to stay until they expire a packet passes over to find others.
const PASSED_OVER: u32 = 64;

impl EntryTable {
    /// A free entry, and whether another was evicted for it.
    pub(super) fn take_slot(&self, now: u32, origin: Origin) -> Result<(u32, Stamped), Shortage> {
        let shortage = match (self.slots.take(), origin) {
            (Ok(index), _) => return Ok((index, Stamped::New)),
            (Err(shortage), Origin::Move) => return Err(shortage),
            (Err(Shortage::Memory), Origin::Hand) => return Err(Shortage::Memory),
            (Err(shortage), _) => shortage,
        };
        let passed_over = match origin {
            Origin::Hand | Origin::MoveToStay => self.slots.used(),
            Origin::Packet | Origin::Move => PASSED_OVER,
        };
        let index = self.evict(now, passed_over).ok_or(shortage)?;
        if origin == Origin::Packet {
            let evicted = || self.slots.entry(index)?.key();
            self.tell(command::ENTRY_EVICT_NTF, evicted, now);
        }
        Ok((index, Stamped::Reclaimed))
    }

    /// Evicts an entry and returns its index. Passes over `passed_over` entries that are to stay.
    fn evict(&self, now: u32, mut passed_over: u32) -> Option<u32> {
        let used = self.slots.used();
        let mut oldest = None;
        let mut candidates = EVICTION_CANDIDATES;
        while candidates > 0 {
            candidates = candidates.wrapping_sub(1);
            let number = self
                .written
                .clock_hand
                .fetch_add(1, Relaxed)
                .checked_rem(used)?;
            let Some((index, entry, _)) = self.occupied(number) else {
                continue;
            };
            if self.whole(index, entry).is_to_stay() {
                let Some(left) = passed_over.checked_sub(1) else {
                    break;
                };
                passed_over = left;
                candidates = candidates.wrapping_add(1);
                continue;
            }
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

    /// Evicts this entry, unless it is to stay, or to be spared for having been stamped again.
    fn evict_entry(&self, index: u32, entry: Entry<'_>, spare_referenced: bool) -> bool {
        let Some(bucket) = entry.bucket() else {
            return false;
        };
        let guard = self.buckets.lock(bucket);
        if entry.bucket() != Some(bucket) || (spare_referenced && entry.take_reference()) {
            return false;
        }
        if self.whole(index, entry).is_to_stay() {
            return false;
        }
        self.unlink(guard, index, entry);
        self.written.evicted.fetch_add(1, Relaxed);
        true
    }
}
