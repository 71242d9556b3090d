// SPDX-License-Identifier: GPL-2.0

//! Words that several CPUs read and write at the same time.
//!
//! Each access is one load or store that the compiler neither tears nor repeats. Unless stated
//! otherwise, it is unordered: the lock or sequence count that guards the words gives the order.

use super::lkmm;
use core::{
    cell::UnsafeCell,
    ops::Deref, //
};

/// A word that CPUs share.
#[repr(transparent)]
pub(crate) struct Word(UnsafeCell<u32>);

// SAFETY: All accesses are marked accesses of an aligned word, which the kernel's memory model
// allows to race.
unsafe impl Sync for Word {}

impl Word {
    /// Creates a word.
    pub(crate) const fn new(value: u32) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// Loads the word.
    #[inline]
    pub(crate) fn load(&self) -> u32 {
        // SAFETY: The pointer comes from a reference, so it is valid and aligned.
        unsafe { lkmm::read_once(self.0.get()) }
    }

    /// Stores the word.
    #[inline]
    pub(crate) fn store(&self, value: u32) {
        // SAFETY: The pointer comes from a reference to an `UnsafeCell`, so it is aligned and valid
        // for writes.
        unsafe { lkmm::write_once(self.0.get(), value) }
    }

    /// Loads the word, ordered before all accesses that follow (`smp_load_acquire`).
    #[inline]
    pub(crate) fn load_acquire(&self) -> u32 {
        // SAFETY: The pointer comes from a reference, so it is valid and aligned.
        unsafe { lkmm::load_acquire(self.0.get()) }
    }

    /// Sets a bit atomically, and returns whether it was set (`test_and_set_bit`).
    #[inline]
    pub(crate) fn test_and_set_bit<const BIT: u32>(&self) -> bool {
        // SAFETY: The pointer comes from a reference to an `UnsafeCell`, so it is aligned and valid
        // for writes.
        unsafe { lkmm::test_and_set_bit::<BIT>(self.0.get()) }
    }

    /// Sets these bits atomically, whoever else stores the word; fully ordered.
    #[inline]
    pub(crate) fn set_bits(&self, bits: u32) {
        // SAFETY: The pointer comes from a reference to an `UnsafeCell`, so it is aligned and valid
        // for writes.
        unsafe { lkmm::fetch_or(self.0.get(), bits) };
    }

    /// Stores the word, ordered after all accesses before it (`smp_store_release`).
    #[inline]
    pub(crate) fn store_release(&self, value: u32) {
        // SAFETY: The pointer comes from a reference to an `UnsafeCell`, so it is aligned and valid
        // for writes.
        unsafe { lkmm::store_release(self.0.get(), value) };
    }
}

/// Data that is written often, in cache lines of its own, so that readers of its neighbours do not
/// contend with its writers (`____cacheline_aligned`).
#[repr(align(64))]
pub(crate) struct CacheAligned<T>(pub(crate) T);

impl<T> Deref for CacheAligned<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}
