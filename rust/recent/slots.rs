// SPDX-License-Identifier: GPL-2.0

//! The memory of a list's entries.
//!
//! Memory is allocated on demand and freed with the list, so a reader may safely look at an entry
//! that was removed in the meantime.

use super::{
    entry::{
        HEADER_WORDS,
        NONE, //
    },
    expiry::{
        ExpiryRecord,
        EXPIRY_WORDS, //
    },
};
use crate::{
    kernel_api::{
        memory_cgroup::MemoryCgroup,
        sync::{
            records::Records,
            words::CacheAligned, //
        },
        work::cond_resched, //
    },
    recent::prelude::*, //
};
use core::num::NonZeroU32;
use kernel::{
    alloc::{
        flags::__GFP_NOWARN,
        Flags, //
    },
    sync::atomic::{
        Acquire,
        Full, //
    },
};

/// The size that a chunk should not exceed, in bytes: packets may have to allocate one.
const CHUNK_BYTES: usize = 16 * 1024;

/// The entries, and the free list. Fields that packets only read come first.
#[repr(C)]
pub(super) struct Slots {
    records: Records<HEADER_WORDS>,
    /// The cgroup charged for the memory, whichever packet triggers the allocation.
    memory_cgroup: MemoryCgroup,
    /// The maximum number of entries.
    limit: u32,
    /// What entries that were told when to expire have besides, in chunks as theirs.
    expiries: Records<EXPIRY_WORDS>,
    state: CacheAligned<State>,
}

/// Which entries are free.
struct State {
    /// Entries ever used; those from here up to the limit are free as well.
    used: Atomic<u32>,
    /// Head of the free list: the index in the low half, a counter against ABA in the high half.
    free: Atomic<u64>,
}

/// Why there is no free entry.
pub(super) enum Shortage {
    /// All entries up to the limit are in use.
    Limit,
    /// No memory for another chunk.
    Memory,
}

impl Slots {
    /// Room for up to `limit` entries of `hits` stamps each.
    pub(super) fn new(limit: u32, hits: u32) -> Result<Self> {
        let words_per_entry = HEADER_WORDS.checked_add(hits as usize).ok_or(EINVAL)?;
        let fitting = CHUNK_BYTES / size_of::<u32>() / words_per_entry;
        let fitting = u32::try_from(fitting).map_err(|_| EINVAL)?.min(limit);
        let per_chunk = NonZeroU32::new(fitting).unwrap_or(NonZeroU32::MIN);
        Ok(Self {
            records: Records::new(limit, hits as usize, per_chunk, NONE, LARGE)?,
            memory_cgroup: MemoryCgroup::current(),
            limit,
            expiries: Records::new(limit, 0, per_chunk, NONE, LARGE)?,
            state: CacheAligned(State {
                used: Atomic::new(0),
                free: Atomic::new(NONE.into()),
            }),
        })
    }

    /// The maximum number of entries.
    pub(super) fn limit(&self) -> u32 {
        self.limit
    }

    /// How many stamps an entry holds.
    pub(super) fn hits(&self) -> u32 {
        self.records.further() as u32
    }

    /// The number of entries ever used; the others need not be scanned.
    pub(super) fn used(&self) -> u32 {
        self.state.used.load(Acquire)
    }

    /// The index of the `number`th entry. Numbers start at 0 and have no gaps.
    pub(super) fn index(&self, number: u32) -> u32 {
        self.records.index(number)
    }

    /// The entry at `index`, if its memory is allocated.
    #[inline]
    pub(super) fn entry(&self, index: u32) -> Option<Entry<'_>> {
        let (header, stamps) = self.records.get(index)?;
        Some(Entry::new(header, stamps))
    }

    /// The entry at `index`, if its memory is allocated, with when it expires, if it was told.
    #[cold]
    pub(super) fn whole_entry(&self, index: u32) -> Option<Entry<'_>> {
        let entry = self.entry(index)?;
        let record = if entry.expires() {
            self.expiries.get(index)
        } else {
            None
        };
        Some(entry.with_record(record.map(|(record, _)| ExpiryRecord(record))))
    }

    /// Tells the entry at `index` when to expire, if there is memory to note that: see
    /// [`Slots::provide_expiry`].
    pub(super) fn set_expiry(&self, index: u32, expiry: Expiry) {
        if let (Some(entry), Some((record, _))) =
            (self.whole_entry(index), self.expiries.get(index))
        {
            entry.set_expiry(ExpiryRecord(record), expiry);
        }
    }

    /// Whether there is memory to note when the entry at `index` expires.
    pub(super) fn has_expiry(&self, index: u32) -> bool {
        self.expiries.get(index).is_some()
    }

    /// Allocates memory to note when the entry at `index` expires, unless there is some. Does not
    /// sleep. The caller holds no bucket's lock.
    pub(super) fn provide_expiry(&self, index: u32) -> Result<(), Shortage> {
        let chunk = self.expiries.chunk_of(index);
        self.provide(&self.expiries, chunk, GFP_NOWAIT | __GFP_NOWARN)
    }

    /// Allocates memory for the first `entries` entries and, if `expire` says so, to note when they
    /// expire. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM` if there is not enough memory.
    pub(super) fn reserve(&self, entries: u32, expire: bool) -> Result {
        let Some(last) = entries.min(self.limit).checked_sub(1) else {
            return Ok(());
        };
        // Entries that were ever used already have memory.
        let first = self.records.chunk(self.used());
        let last = self.records.chunk(last);
        for chunk in first..=last {
            self.provide(&self.records, chunk, LARGE)
                .map_err(|_| ENOMEM)?;
            cond_resched();
        }
        if expire {
            let last = last.max(self.records.chunk(self.used().saturating_sub(1)));
            for chunk in 0..=last {
                self.provide(&self.expiries, chunk, LARGE)
                    .map_err(|_| ENOMEM)?;
                cond_resched();
            }
        }
        Ok(())
    }

    /// Whether there is memory to note when entries expire, which has been needed then.
    pub(super) fn has_expiries(&self) -> bool {
        let chunks = self.records.chunk(self.limit.saturating_sub(1));
        (0..=chunks).any(|chunk| self.expiries.has(chunk) == Some(true))
    }

    /// Takes a free entry, which the caller then owns. Does not sleep.
    pub(super) fn take(&self) -> Result<u32, Shortage> {
        if let Some(index) = self.pop_free() {
            return Ok(index);
        }
        let mut number = self.state.used.load(Relaxed);
        while number < self.limit {
            // Unlike GFP_ATOMIC, this fails when the cgroup is at its limit.
            let chunk = self.records.chunk(number);
            self.provide(&self.records, chunk, GFP_NOWAIT | __GFP_NOWARN)?;
            match self
                .state
                .used
                .cmpxchg(number, number.wrapping_add(1), Full)
            {
                Ok(_) => return Ok(self.index(number)),
                Err(current) => number = current,
            }
        }
        Err(Shortage::Limit)
    }

    /// Puts an entry that is in no bucket back on the free list.
    pub(super) fn give_back(&self, index: u32) {
        let Some(entry) = self.entry(index) else {
            return;
        };
        let free = &self.state.free;
        let mut first = free.load(Relaxed);
        loop {
            entry.set_next(first as u32);
            match free.cmpxchg(first, successor(first, index), Full) {
                Ok(_) => return,
                Err(current) => first = current,
            }
        }
    }

    fn pop_free(&self) -> Option<u32> {
        let free = &self.state.free;
        let mut first = free.load(Acquire);
        loop {
            let index = first as u32;
            // If another CPU takes the entry meanwhile, `next` is stale, but then the counter
            // differs too.
            let next = self.entry(index)?.next();
            match free.cmpxchg(first, successor(first, next), Full) {
                Ok(_) => return Some(index),
                Err(current) => first = current,
            }
        }
    }

    /// Allocates the memory of a chunk unless it has some.
    fn provide<const WORDS: usize>(
        &self,
        records: &Records<WORDS>,
        chunk: u32,
        flags: Flags,
    ) -> Result<(), Shortage> {
        if records.has(chunk).ok_or(Shortage::Limit)? {
            return Ok(());
        }
        self.memory_cgroup
            .charge(flags, |flags| records.provide(chunk, flags))
            .map_err(|_| Shortage::Memory)
    }
}

/// The free list head that follows `state`, with `index` as the first entry.
fn successor(state: u64, index: u32) -> u64 {
    (state >> 32).wrapping_add(1) << 32 | u64::from(index)
}
