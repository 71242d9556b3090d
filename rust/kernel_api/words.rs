// SPDX-License-Identifier: GPL-2.0

//! An array of words that several CPUs read and write at once.
//!
//! Each access is one load or store that the compiler neither tears nor repeats (`READ_ONCE` and
//! `WRITE_ONCE` of `include/asm-generic/rwonce.h`), without ordering: order comes from the lock or the
//! sequence count that the words are used under.

use core::cell::UnsafeCell;
use kernel::{
    alloc::{
        flags::__GFP_ZERO,
        Flags, //
    },
    prelude::*,
};

/// A word that is shared between CPUs.
#[repr(transparent)]
pub(crate) struct Word(UnsafeCell<u32>);

// SAFETY: All accesses are volatile accesses of an aligned machine word, which the kernel's memory
// model allows to race.
unsafe impl Sync for Word {}

impl Word {
    /// Makes a word.
    pub(crate) const fn new(value: u32) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// Loads the word.
    #[inline(always)]
    pub(crate) fn load(&self) -> u32 {
        // SAFETY: The pointer comes from a reference, so it is valid and aligned.
        unsafe { self.0.get().read_volatile() }
    }

    /// Stores the word.
    #[inline(always)]
    pub(crate) fn store(&self, value: u32) {
        // SAFETY: The pointer comes from a reference to an `UnsafeCell`, so it is valid for writes.
        unsafe { self.0.get().write_volatile(value) }
    }
}

/// A fixed number of shared words.
pub(crate) struct Words(KVec<Word>);

impl Words {
    /// Allocates `count` words that are zero.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory.
    pub(crate) fn zeroed(count: usize, flags: Flags) -> Result<Self> {
        let mut words = KVec::with_capacity(count, flags | __GFP_ZERO)?;
        // SAFETY: The capacity is at least `count`, and zeroed memory is a valid `Word`.
        unsafe { words.inc_len(count) };
        Ok(Self(words))
    }

    /// Returns the words from `start` on, `count` of them, if they exist.
    #[inline(always)]
    pub(crate) fn slice(&self, start: usize, count: usize) -> Option<&[Word]> {
        self.0.get(start..start.checked_add(count)?)
    }
}
