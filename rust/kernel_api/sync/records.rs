// SPDX-License-Identifier: GPL-2.0

//! Records of words that several CPUs read and write at once, in chunks that are allocated one by one.
//!
//! A record is known by its index, which takes half the room of a pointer. A chunk stays until all go, so
//! that whoever has an index may look at the record at any time.

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

/// Records of `HEADER` words and a number of further ones.
///
/// # Invariants
///
/// A chunk is null, or the start of `words * per_chunk` words that a `KVec` of just that capacity
/// allocated; it never changes once it is not null. `words` is at least `HEADER`.
pub(crate) struct Records<const HEADER: usize> {
    chunks: KVVec<Atomic<*mut Word>>,
    /// Words of a record.
    words: usize,
    /// Records of a chunk.
    per_chunk: NonZeroU32,
    /// An index is the number of the chunk, shifted by this, and the number within the chunk.
    shift: u32,
    /// The bits of an index that are the number within the chunk.
    mask: u32,
}

// SAFETY: A chunk belongs to the records, and its words are there to be shared.
unsafe impl<const HEADER: usize> Send for Records<HEADER> {}
// SAFETY: As above.
unsafe impl<const HEADER: usize> Sync for Records<HEADER> {}

impl<const HEADER: usize> Records<HEADER> {
    /// Up to `count` records with `further` words after the header each, `per_chunk` of them in a chunk,
    /// none of which has memory yet. Indices are below `limit`.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory, `EINVAL` when indices would reach the limit.
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
        // INVARIANT: There are no chunks yet, and `words` was just made from `HEADER`.
        Ok(Self {
            chunks,
            words,
            per_chunk,
            shift,
            mask: span.wrapping_sub(1),
        })
    }

    /// Words after the header of a record.
    pub(crate) fn further(&self) -> usize {
        self.words.saturating_sub(HEADER)
    }

    /// The index of a record from its number, counted from 0 without gaps.
    pub(crate) fn index(&self, number: u32) -> u32 {
        (number / self.per_chunk).wrapping_shl(self.shift) | (number % self.per_chunk)
    }

    /// The chunk that the record of that number is in.
    pub(crate) fn chunk(&self, number: u32) -> u32 {
        number / self.per_chunk
    }

    /// The header and the further words of a record, if its chunk has memory.
    #[inline(always)]
    pub(crate) fn get(&self, index: u32) -> Option<(&[Word; HEADER], &[Word])> {
        let chunk = self.chunks.get(index.wrapping_shr(self.shift) as usize)?;
        // SAFETY: What is read through the pointer depends on it, which pairs with the full barrier of
        // `provide`, as with `rcu_dereference`.
        let chunk = unsafe { read_once(chunk.as_ptr()) };
        let number = index & self.mask;
        if chunk.is_null() || number >= self.per_chunk.get() {
            return None;
        }
        let start = (number as usize).wrapping_mul(self.words);
        // SAFETY: By the type invariant a chunk has so many words for each of `per_chunk` records, which
        // live as long as `self`, and a record has at least `HEADER` of them.
        unsafe {
            let record = chunk.add(start);
            let further = self.words.unchecked_sub(HEADER);
            Some((
                &*record.cast::<[Word; HEADER]>(),
                core::slice::from_raw_parts(record.add(HEADER), further),
            ))
        }
    }

    /// Whether a chunk has memory; none if there is no such chunk.
    pub(crate) fn has(&self, chunk: u32) -> Option<bool> {
        let chunk = self.chunks.get(chunk as usize)?;
        // SAFETY: The pointer is valid, and only looked at.
        Some(!unsafe { read_once(chunk.as_ptr()) }.is_null())
    }

    /// Sees to it that a chunk has memory, which is zero at first.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is none, `EINVAL` when there is no such chunk.
    pub(crate) fn provide(&self, chunk: u32, flags: Flags) -> Result {
        let place = self.chunks.get(chunk as usize).ok_or(EINVAL)?;
        let mut words = KVec::<Word>::with_capacity(self.chunk_words(), flags | __GFP_ZERO)?;
        // Whoever comes second drops its own.
        // INVARIANT: Only null is replaced, by words of the right capacity that are zeroed.
        if place
            .cmpxchg(ptr::null_mut(), words.as_mut_ptr(), Full)
            .is_ok()
        {
            let _ = ManuallyDrop::new(words);
        }
        Ok(())
    }

    /// Words of a chunk.
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
                // SAFETY: By the type invariant a `KVec` of that capacity allocated it; words need no
                // dropping, and nobody uses them any more.
                drop(unsafe { KVec::from_raw_parts(chunk, 0, count) });
            }
        }
    }
}
