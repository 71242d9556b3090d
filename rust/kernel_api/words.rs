// SPDX-License-Identifier: GPL-2.0

//! Words that several CPUs read and write at once.
//!
//! Each access is one load or store that the compiler neither tears nor repeats (`READ_ONCE` and
//! `WRITE_ONCE` of `include/asm-generic/rwonce.h`). Unless it says so it is without ordering, which then
//! comes from the lock or the sequence count that the words are used under.
//!
//! `kernel::sync::atomic` can do more, but is a call for each access.

use core::{
    cell::UnsafeCell,
    ops::Deref,
    sync::atomic::{
        fence, AtomicU32,
        Ordering::{
            AcqRel,
            Acquire,
            Release, //
        },
    },
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

    /// Loads the word before anything that is read after it (`smp_load_acquire`).
    #[inline(always)]
    pub(crate) fn load_acquire(&self) -> u32 {
        let value = self.load();
        fence(Acquire);
        value
    }

    /// Sets some bits at once, whoever else stores the word, and returns what it was before
    /// (`atomic_fetch_or`).
    #[inline(always)]
    pub(crate) fn set_bits(&self, bits: u32) -> u32 {
        // SAFETY: The pointer comes from a reference, so it is valid and aligned for as long as this is used.
        let word = unsafe { AtomicU32::from_ptr(self.0.get()) };
        word.fetch_or(bits, AcqRel)
    }

    /// Stores the word after anything that was written before it (`smp_store_release`).
    #[inline(always)]
    pub(crate) fn store_release(&self, value: u32) {
        fence(Release);
        self.store(value);
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
