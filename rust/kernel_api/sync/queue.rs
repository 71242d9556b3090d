// SPDX-License-Identifier: GPL-2.0

//! A queue of CPUs that wait for a lock, of which one at a time polls it.
//!
//! C header: [`include/linux/spinlock.h`](srctree/include/linux/spinlock.h)

use crate::kernel_api::{
    bindings,
    demands, //
};
use kernel::{
    prelude::*,
    types::Opaque, //
};

/// The waiting CPUs in order of arrival: a raw spinlock, whose waiters spin on memory of their own
/// CPU.
///
/// # Invariants
///
/// The lock is initialised and does not move.
pub(crate) struct Queue {
    // Boxed, since a lock must not move.
    lock: KBox<Opaque<bindings::raw_spinlock_t>>,
}

// SAFETY: A `raw_spinlock_t` is made to be used by several tasks.
unsafe impl Sync for Queue {}
// SAFETY: An unlocked `raw_spinlock_t` belongs to no task, and `wait` borrows `self`.
unsafe impl Send for Queue {}

impl Queue {
    /// Creates an empty queue. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory.
    pub(crate) fn new() -> Result<Self> {
        let lock = KBox::new(Opaque::zeroed(), GFP_KERNEL_ACCOUNT)?;
        // SAFETY: The lock is in its box, where it stays, and nobody else knows it yet.
        unsafe { bindings::palisade_raw_spin_lock_init(lock.get()) };
        // INVARIANT: The lock was just initialised, and a box does not move its content.
        Ok(Self { lock })
    }

    /// Queues up and then runs `look`, which returns when it has what it waits for. Softirqs have
    /// to be off if they queue up as well. The CPU that is waited for must not queue up.
    pub(crate) fn wait(&self, look: impl FnOnce()) {
        demands::softirqs_off();
        // SAFETY: By the type invariant, the lock is initialised.
        unsafe { bindings::palisade_raw_spin_lock(self.lock.get()) };
        look();
        // SAFETY: The lock was taken above.
        unsafe { bindings::palisade_raw_spin_unlock(self.lock.get()) };
    }
}
