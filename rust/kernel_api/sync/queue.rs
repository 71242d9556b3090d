// SPDX-License-Identifier: GPL-2.0

//! A queue of CPUs that wait for the same, of which one at a time looks whether it has come.
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

/// Who waits, in the order in which they came: a raw spinlock, which queues on the CPUs' own memory.
pub(crate) struct Queue {
    // In a box of its own, since a lock may not move.
    lock: KBox<Opaque<bindings::raw_spinlock_t>>,
}

// SAFETY: A `raw_spinlock_t` is there to be used by several threads.
unsafe impl Sync for Queue {}
// SAFETY: An unlocked `raw_spinlock_t` belongs to no thread.
unsafe impl Send for Queue {}

impl Queue {
    /// Makes an empty queue. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory.
    pub(crate) fn new() -> Result<Self> {
        let lock = KBox::new(Opaque::zeroed(), GFP_KERNEL_ACCOUNT)?;
        // SAFETY: The lock is at its final place, and nobody knows it yet.
        unsafe { bindings::palisade_raw_spin_lock_init(lock.get()) };
        Ok(Self { lock })
    }

    /// Queues up, and then runs `look`, which returns when what it waits for has come. Softirqs have to be off
    /// where they may queue up, too, and nobody who is waited for may.
    pub(crate) fn wait(&self, look: impl FnOnce()) {
        demands::softirqs_off();
        // SAFETY: The lock is initialised.
        unsafe { bindings::palisade_raw_spin_lock(self.lock.get()) };
        look();
        // SAFETY: The lock was taken above.
        unsafe { bindings::palisade_raw_spin_unlock(self.lock.get()) };
    }
}
