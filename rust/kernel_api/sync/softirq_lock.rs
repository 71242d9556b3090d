// SPDX-License-Identifier: GPL-2.0

//! A lock that packets and processes share.
//!
//! C header: [`include/linux/spinlock.h`](srctree/include/linux/spinlock.h)

use crate::kernel_api::bindings;
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
        // SAFETY: The lock was taken above.
        let result = with(unsafe { self.locked() });
        // SAFETY: As above.
        unsafe { bindings::palisade_spin_unlock_bh(self.lock.get()) };
        result
    }

    /// The value.
    ///
    /// # Safety
    ///
    /// The caller holds the lock, and has no other reference to the value.
    #[inline(always)]
    #[allow(
        clippy::mut_from_ref,
        reason = "the lock sees to it that there is only one"
    )]
    unsafe fn locked(&self) -> &mut T {
        // SAFETY: The lock is initialised.
        #[cfg(CONFIG_LOCKDEP = "y")]
        unsafe {
            bindings::palisade_assert_spin_lock_held(self.lock.get())
        };
        // SAFETY: Who holds the lock is alone with the value.
        unsafe { &mut *self.value.get() }
    }
}
