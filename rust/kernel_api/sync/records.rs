// SPDX-License-Identifier: GPL-2.0

//! Records of words that several CPUs read and write at the same time, in chunks that are allocated
//! one by one.
//!
//! A record is identified by its index, which takes half the room of a pointer. Chunks are freed
//! all at once, at the end, so an index can be looked up at any time.

use super::{
    lkmm::read_once,
    words::Word, //
};
use core::{
    mem::ManuallyDrop,
    num::NonZeroU32,
    ptr, //
};
use kernel::{
    alloc::{
        flags::__GFP_ZERO,
        Flags, //
    },
    prelude::*,
    sync::atomic::{
        Atomic,
        Full, //
    },
};

/// Records of `HEADER` words and a number of further words.
///
/// # Invariants
///
/// A chunk is null or points to `words * per_chunk` words, allocated by a `KVec` of just that
/// capacity, and does not change once it is not null. `words` is at least `HEADER`.
///
/// # Examples
///
/// ```ignore
/// // Up to 1000 records of 4 + 2 words each, 64 to a chunk.
/// let per_chunk = NonZeroU32::new(64).ok_or(EINVAL)?;
/// let records = Records::<4>::new(1000, 2, per_chunk, u32::MAX, GFP_KERNEL)?;
/// records.provide(records.chunk(0), GFP_KERNEL)?;
///
/// if let Some(([first, ..], _further)) = records.get(records.index(0)) {
///     first.store(1);
/// }
/// ```
pub(crate) struct Records<const HEADER: usize> {
    chunks: KVVec<Atomic<*mut Word>>,
    /// Words per record.
    words: usize,
    /// Records per chunk.
    per_chunk: NonZeroU32,
    /// An index is the number of the chunk, shifted left by this, plus the record's number in the
    /// chunk.
    shift: u32,
    /// Mask of an index for the record's number in the chunk.
    mask: u32,
}

// SAFETY: The chunks belong to `self`, and their words belong to no task.
unsafe impl<const HEADER: usize> Send for Records<HEADER> {}
// SAFETY: `Word` is `Sync`, and a chunk pointer is set atomically and only once.
unsafe impl<const HEADER: usize> Sync for Records<HEADER> {}

impl<const HEADER: usize> Records<HEADER> {
    /// Makes room for up to `count` records with `further` words after the header, `per_chunk` to a
    /// chunk. No chunk has memory yet. All indices are below `limit`.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory, `EINVAL` when an index would reach `limit` or a chunk
    /// would be too large.
    pub(crate) fn new(
        count: u32,
        further: usize,
        per_chunk: NonZeroU32,
        limit: u32,
        flags: Flags,
    ) -> Result<Self> {
        let words = HEADER.checked_add(further).ok_or(EINVAL)?;
        words.checked_mul(per_chunk.get() as usize).ok_or(EINVAL)?;
        let span = per_chunk.checked_next_power_of_two().ok_or(EINVAL)?.get();
        let shift = span.trailing_zeros();
        let chunk_count = count.div_ceil(per_chunk.get());
        if u64::from(chunk_count) << shift > u64::from(limit) {
            return Err(EINVAL);
        }
        let mut chunks = KVVec::with_capacity(chunk_count as usize, flags)?;
        for _ in 0..chunk_count {
            chunks
                .push_within_capacity(Atomic::new(ptr::null_mut()))
                .map_err(|_| ENOMEM)?;
        }
        // INVARIANT: All chunks are null, and `words` is `HEADER + further`.
        Ok(Self {
            chunks,
            words,
            per_chunk,
            shift,
            mask: span.wrapping_sub(1),
        })
    }

    /// Words of a record after its header.
    pub(crate) fn further(&self) -> usize {
        self.words.saturating_sub(HEADER)
    }

    /// The index of the record with a number, where numbers count from 0 without gaps.
    pub(crate) fn index(&self, number: u32) -> u32 {
        (number / self.per_chunk).wrapping_shl(self.shift) | (number % self.per_chunk)
    }

    /// The chunk of the record with a number.
    pub(crate) fn chunk(&self, number: u32) -> u32 {
        number / self.per_chunk
    }

    /// The chunk of the record with an index.
    pub(crate) fn chunk_of(&self, index: u32) -> u32 {
        index.wrapping_shr(self.shift)
    }

    /// The header and the further words of a record, if its chunk has memory.
    #[inline]
    pub(crate) fn get(&self, index: u32) -> Option<(&[Word; HEADER], &[Word])> {
        let chunk = self.chunks.get(index.wrapping_shr(self.shift) as usize)?;
        // SAFETY: The pointer comes from a reference to an `Atomic`, so it is valid and aligned.
        // Accesses through the loaded pointer depend on it, which pairs with the full barrier in
        // `provide`, as with `rcu_dereference`.
        let chunk = unsafe { read_once(chunk.as_ptr()) };
        let number = index & self.mask;
        if chunk.is_null() || number >= self.per_chunk.get() {
            return None;
        }
        let start = (number as usize).wrapping_mul(self.words);
        // SAFETY: By the type invariant, the chunk has `words` words for each of `per_chunk`
        // records, which live as long as `self`, and `words` is at least `HEADER`. `number` is
        // below `per_chunk`.
        unsafe {
            let record = chunk.add(start);
            let further = self.words.unchecked_sub(HEADER);
            Some((
                &*record.cast::<[Word; HEADER]>(),
                core::slice::from_raw_parts(record.add(HEADER), further),
            ))
        }
    }

    /// Whether a chunk has memory. None if there is no such chunk.
    pub(crate) fn has(&self, chunk: u32) -> Option<bool> {
        let chunk = self.chunks.get(chunk as usize)?;
        // SAFETY: The pointer comes from a reference to an `Atomic`, so it is valid and aligned.
        Some(!unsafe { read_once(chunk.as_ptr()) }.is_null())
    }

    /// Allocates a chunk, zeroed, unless it has memory already.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory, `EINVAL` when there is no such chunk.
    pub(crate) fn provide(&self, chunk: u32, flags: Flags) -> Result {
        let slot = self.chunks.get(chunk as usize).ok_or(EINVAL)?;
        let mut words = KVec::<Word>::with_capacity(self.chunk_words(), flags | __GFP_ZERO)?;
        // Whoever loses the race frees its own allocation.
        // INVARIANT: Only null is replaced, by zeroed words of a `KVec` with the right capacity.
        if slot
            .cmpxchg(ptr::null_mut(), words.as_mut_ptr(), Full)
            .is_ok()
        {
            let _ = ManuallyDrop::new(words);
        }
        Ok(())
    }

    /// Words per chunk.
    fn chunk_words(&self) -> usize {
        self.words.wrapping_mul(self.per_chunk.get() as usize)
    }
}

impl<const HEADER: usize> Drop for Records<HEADER> {
    fn drop(&mut self) {
        let count = self.chunk_words();
        for chunk in &mut self.chunks {
            let chunk = *chunk.get_mut();
            if !chunk.is_null() {
                // SAFETY: By the type invariant, a `KVec` of capacity `count` allocated the chunk.
                // Words need not be dropped, and nobody uses them any more, since `self` is
                // borrowed exclusively.
                drop(unsafe { KVec::from_raw_parts(chunk, 0, count) });
            }
        }
    }
}
