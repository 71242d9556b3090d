// SPDX-License-Identifier: GPL-2.0

//! A lock that packets and tasks share.
//!
//! C header: [`include/linux/spinlock.h`](srctree/include/linux/spinlock.h)

use crate::kernel_api::bindings;
use core::cell::UnsafeCell;
use kernel::{
    prelude::*,
    types::Opaque, //
};

/// A value behind a spinlock that is held with softirqs off, so that packets can take it, too.
///
/// # Invariants
///
/// The lock is initialised and does not move.
///
/// # Examples
///
/// ```ignore
/// let budget = SoftirqLock::new(100_u32)?;
/// let left = budget.with(|left| {
///     *left = left.saturating_sub(1);
///     *left
/// });
/// ```
pub(crate) struct SoftirqLock<T> {
    // Boxed, since a lock must not move.
    lock: KBox<Opaque<bindings::spinlock_t>>,
    value: UnsafeCell<T>,
}

// SAFETY: A `T: Send` may be moved to another task, and an unlocked spinlock belongs to no task.
unsafe impl<T: Send> Send for SoftirqLock<T> {}
// SAFETY: The lock gives one task at a time access to the value, so `T: Send` is enough.
unsafe impl<T: Send> Sync for SoftirqLock<T> {}

impl<T> SoftirqLock<T> {
    /// Creates a lock around a value.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory.
    pub(crate) fn new(value: T) -> Result<Self> {
        let lock = KBox::new(Opaque::zeroed(), GFP_KERNEL_ACCOUNT)?;
        // SAFETY: The lock is in its box, where it stays, and nobody else knows it yet.
        unsafe { bindings::palisade_spin_lock_init(lock.get()) };
        // INVARIANT: The lock was just initialised, and a box does not move its content.
        Ok(Self {
            lock,
            value: UnsafeCell::new(value),
        })
    }

    /// Runs `with` on the value, under the lock. `with` must neither sleep nor take this lock
    /// again.
    #[inline]
    pub(crate) fn with<R>(&self, with: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: By the type invariant, the lock is initialised.
        unsafe { bindings::palisade_spin_lock_bh(self.lock.get()) };
        // SAFETY: The lock was taken above, and this is the only reference to the value until it is
        // released.
        let result = with(unsafe { self.locked() });
        // SAFETY: The lock was taken above.
        unsafe { bindings::palisade_spin_unlock_bh(self.lock.get()) };
        result
    }

    /// The value.
    ///
    /// # Safety
    ///
    /// The caller has to hold the lock, and must have no other reference to the value.
    #[inline]
    #[allow(
        clippy::mut_from_ref,
        reason = "the lock sees to it that there is only one"
    )]
    unsafe fn locked(&self) -> &mut T {
        // SAFETY: By the type invariant, the lock is initialised.
        #[cfg(CONFIG_LOCKDEP = "y")]
        unsafe {
            bindings::palisade_assert_spin_lock_held(self.lock.get())
        };
        // SAFETY: By the function's safety requirements, the caller holds the lock and has no other
        // reference to the value.
        unsafe { &mut *self.value.get() }
    }
}
