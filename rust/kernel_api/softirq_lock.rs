// SPDX-License-Identifier: GPL-2.0

//! A lock that packets and processes share.
//!
//! C header: [`include/linux/spinlock.h`](srctree/include/linux/spinlock.h)

use super::bindings;
use core::cell::UnsafeCell;
use kernel::{
    prelude::*,
    types::Opaque, //
};

/// A value behind a spinlock that is held with softirqs off, so that packets may take it, too.
pub(crate) struct SoftirqLock<T> {
    // In a box of its own, since a lock may not move.
    lock: KBox<Opaque<bindings::spinlock_t>>,
    value: UnsafeCell<T>,
}

// SAFETY: The value is used by one at a time, wherever that is.
unsafe impl<T: Send> Send for SoftirqLock<T> {}
// SAFETY: As above.
unsafe impl<T: Send> Sync for SoftirqLock<T> {}

impl<T> SoftirqLock<T> {
    /// Puts a value behind a new lock.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory.
    pub(crate) fn new(value: T) -> Result<Self> {
        let lock = KBox::new(Opaque::zeroed(), GFP_KERNEL_ACCOUNT)?;
        // SAFETY: The lock is at its final place, and nobody knows it yet.
        unsafe { bindings::palisade_spin_lock_init(lock.get()) };
        Ok(Self {
            lock,
            value: UnsafeCell::new(value),
        })
    }

    /// Uses the value. `with` may neither sleep nor take this lock.
    #[inline]
    pub(crate) fn with<R>(&self, with: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: The lock is initialised.
        unsafe { bindings::palisade_spin_lock_bh(self.lock.get()) };
        // SAFETY: Who holds the lock is alone with the value.
        let result = with(unsafe { &mut *self.value.get() });
        // SAFETY: It was taken above.
        unsafe { bindings::palisade_spin_unlock_bh(self.lock.get()) };
        result
    }
}
