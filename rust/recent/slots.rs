// SPDX-License-Identifier: GPL-2.0

//! The memory of a list's entries.
//!
//! Memory is allocated when it is needed and stays until the list goes, so that a reader may look at an
//! entry that was removed meanwhile without harm.

use super::entry::{
    Entry,
    HEADER_WORDS,
    NONE, //
};
use crate::kernel_api::{
    memory_cgroup::{
        MemoryCgroup,
        LARGE, //
    },
    sync::{
        records::Records,
        words::CacheAligned, //
    },
    work::cond_resched, //
};
use core::num::NonZeroU32;
use kernel::{
    alloc::{
        flags::__GFP_NOWARN,
        Flags, //
    },
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Full,
        Relaxed, //
    },
};

/// What a chunk should not be larger than: it is allocated while packets wait.
const CHUNK_BYTES: usize = 16 * 1024;

/// Entries, and which of them are free. What packets only read comes first.
#[repr(C)]
pub(super) struct Slots {
    records: Records<HEADER_WORDS>,
    /// Who pays for the memory, whichever packet makes it necessary.
    memory_cgroup: MemoryCgroup,
    /// The most entries.
    limit: u32,
    state: CacheAligned<State>,
}

/// Which entries are free.
struct State {
    /// Entries that were ever used; those from here to the limit are free as well.
    used: Atomic<u32>,
    /// The first of the entries that were given back: its index below, above it a count that tells apart
    /// two times at which it was the first.
    free: Atomic<u64>,
}

/// Why there is no free entry.
pub(super) enum Shortage {
    /// All entries up to the limit are in use.
    Limit,
    /// There is no memory for more.
    Memory,
}

impl Slots {
    /// Room for up to `limit` entries that remember `hits` packets each.
    pub(super) fn new(limit: u32, hits: u32) -> Result<Self> {
        let words_per_entry = HEADER_WORDS.checked_add(hits as usize).ok_or(EINVAL)?;
        let fitting = CHUNK_BYTES / size_of::<u32>() / words_per_entry;
        let fitting = u32::try_from(fitting).map_err(|_| EINVAL)?.min(limit);
        let per_chunk = NonZeroU32::new(fitting).unwrap_or(NonZeroU32::MIN);
        Ok(Self {
            records: Records::new(limit, hits as usize, per_chunk, NONE, LARGE)?,
            memory_cgroup: MemoryCgroup::current(),
            limit,
            state: CacheAligned(State {
                used: Atomic::new(0),
                free: Atomic::new(NONE.into()),
            }),
        })
    }

    /// The most entries.
    pub(super) fn limit(&self) -> u32 {
        self.limit
    }

    /// How many packets an entry remembers.
    pub(super) fn hits(&self) -> u32 {
        self.records.further() as u32
    }

    /// Entries that were ever used: the others need not be looked at.
    pub(super) fn used(&self) -> u32 {
        self.state.used.load(Acquire)
    }

    /// The index of an entry from its number, counted from 0 without gaps.
    pub(super) fn index(&self, number: u32) -> u32 {
        self.records.index(number)
    }

    /// The entry of an index, if its memory exists.
    #[inline(always)]
    pub(super) fn entry(&self, index: u32) -> Option<Entry<'_>> {
        let (header, stamps) = self.records.get(index)?;
        Some(Entry::new(header, stamps))
    }

    /// Sees to it that there is memory for so many entries. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is not.
    pub(super) fn reserve(&self, entries: u32) -> Result {
        // Those of entries that were ever used have it.
        let first = self.records.chunk(self.used());
        let Some(last) = entries.min(self.limit).checked_sub(1) else {
            return Ok(());
        };
        for chunk in first..=self.records.chunk(last) {
            self.provide(chunk, LARGE).map_err(|_| ENOMEM)?;
            cond_resched();
        }
        Ok(())
    }

    /// Takes a free entry, which is then the caller's. Does not sleep.
    pub(super) fn take(&self) -> Result<u32, Shortage> {
        if let Some(index) = self.take_given_back() {
            return Ok(index);
        }
        let mut number = self.state.used.load(Relaxed);
        while number < self.limit {
            // Unlike GFP_ATOMIC this fails where the cgroup has reached its limit.
            self.provide(self.records.chunk(number), GFP_NOWAIT | __GFP_NOWARN)?;
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

    /// Gives an entry back that is in no bucket.
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

    fn take_given_back(&self) -> Option<u32> {
        let free = &self.state.free;
        let mut first = free.load(Acquire);
        loop {
            let index = first as u32;
            // If another CPU takes the entry meanwhile, its next one is wrong, but then the count has
            // changed, too.
            let next = self.entry(index)?.next();
            match free.cmpxchg(first, successor(first, next), Full) {
                Ok(_) => return Some(index),
                Err(current) => first = current,
            }
        }
    }

    /// Sees to it that a chunk has memory.
    fn provide(&self, chunk: u32, flags: Flags) -> Result<(), Shortage> {
        if self.records.has(chunk).ok_or(Shortage::Limit)? {
            return Ok(());
        }
        self.memory_cgroup
            .charge(flags, |flags| self.records.provide(chunk, flags))
            .map_err(|_| Shortage::Memory)
    }
}

/// The state of the free entries that follows `state`, with `index` first.
fn successor(state: u64, index: u32) -> u64 {
    (state >> 32).wrapping_add(1) << 32 | u64::from(index)
}
