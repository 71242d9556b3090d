// SPDX-License-Identifier: GPL-2.0

//! Words that several CPUs read and write at once.
//!
//! Each access is one load or store that the compiler neither tears nor repeats. Unless it says so it is without
//! ordering, which then comes from the lock or the sequence count that the words are used under.

use super::lkmm;
use core::{
    cell::UnsafeCell,
    ops::Deref, //
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
        unsafe { lkmm::read_once(self.0.get()) }
    }

    /// Stores the word.
    #[inline(always)]
    pub(crate) fn store(&self, value: u32) {
        // SAFETY: The pointer comes from a reference to an `UnsafeCell`, so it is valid for writes.
        unsafe { lkmm::write_once(self.0.get(), value) }
    }

    /// Loads the word before anything that is read after it (`smp_load_acquire`).
    #[inline(always)]
    pub(crate) fn load_acquire(&self) -> u32 {
        // SAFETY: As for `load`.
        unsafe { lkmm::load_acquire(self.0.get()) }
    }

    /// Sets a bit at once, whoever else stores the word, and tells whether it was set (`test_and_set_bit`).
    #[inline(always)]
    pub(crate) fn test_and_set_bit<const BIT: u32>(&self) -> bool {
        // SAFETY: As for `store`.
        unsafe { lkmm::test_and_set_bit::<BIT>(self.0.get()) }
    }

    /// Stores the word after anything that was written before it (`smp_store_release`).
    #[inline(always)]
    pub(crate) fn store_release(&self, value: u32) {
        // SAFETY: As for `store`.
        unsafe { lkmm::store_release(self.0.get(), value) };
    }
}

/// What is written again and again, in cache lines of its own: whoever reads what lies beside it need not wait for
/// those who write (`____cacheline_aligned`).
#[repr(align(64))]
pub(crate) struct CacheAligned<T>(pub(crate) T);

impl<T> Deref for CacheAligned<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        &self.0
    }
}
