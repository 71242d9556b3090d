// SPDX-License-Identifier: GPL-2.0

//! Telling lockdep about locks that are not the kernel's. Does nothing on kernels without lockdep.
//!
//! C header: [`include/linux/lockdep.h`](srctree/include/linux/lockdep.h)

#[cfg(CONFIG_LOCKDEP = "y")]
use crate::kernel_api::bindings;
use kernel::prelude::*;
#[cfg(CONFIG_LOCKDEP = "y")]
use kernel::types::Opaque;

/// The lockdep map of a set of locks, of which a task holds one at a time.
///
/// # Invariants
///
/// The map is initialised and does not move.
pub(crate) struct LockdepMap {
    // Boxed, since lockdep remembers its address.
    #[cfg(CONFIG_LOCKDEP = "y")]
    map: KBox<Opaque<bindings::lockdep_map>>,
}

#[cfg(CONFIG_LOCKDEP = "y")]
// SAFETY: Lockdep maps are made to be used by several tasks.
unsafe impl Sync for LockdepMap {}
#[cfg(CONFIG_LOCKDEP = "y")]
// SAFETY: A lockdep map belongs to no task.
unsafe impl Send for LockdepMap {}

#[cfg(CONFIG_LOCKDEP = "y")]
impl LockdepMap {
    /// Creates the map of the bucket locks.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory.
    pub(crate) fn new() -> Result<Self> {
        let map = KBox::new(Opaque::zeroed(), GFP_KERNEL_ACCOUNT)?;
        // SAFETY: The map is in its box, where it stays, and nobody else knows it yet.
        unsafe { bindings::palisade_lock_map_init(map.get()) };
        // INVARIANT: The map was just initialised, and a box does not move its content.
        Ok(Self { map })
    }

    /// Tells lockdep that one of the locks is about to be taken.
    pub(crate) fn acquire(&self) {
        // SAFETY: By the type invariant, the map is initialised.
        unsafe { bindings::palisade_lock_map_acquire(self.map.get()) };
    }

    /// Tells lockdep that the lock is about to be released.
    pub(crate) fn release(&self) {
        // SAFETY: By the type invariant, the map is initialised.
        unsafe { bindings::palisade_lock_map_release(self.map.get()) };
    }

    /// Tells lockdep that this may wait for one of the locks. Softirqs have to be off, as they are
    /// for [`Self::acquire`].
    pub(crate) fn might_wait(&self) {
        self.acquire();
        self.release();
    }

    /// Warns unless one of the locks is held.
    pub(crate) fn assert_held(&self) {
        // SAFETY: By the type invariant, the map is initialised.
        unsafe { bindings::palisade_assert_lock_map_held(self.map.get()) };
    }
}

#[cfg(not(CONFIG_LOCKDEP = "y"))]
impl LockdepMap {
    /// Does nothing.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {})
    }

    /// Does nothing.
    #[inline]
    pub(crate) fn acquire(&self) {}

    /// Does nothing.
    #[inline]
    pub(crate) fn release(&self) {}

    /// Does nothing.
    #[inline]
    pub(crate) fn might_wait(&self) {}

    /// Does nothing.
    #[inline]
    pub(crate) fn assert_held(&self) {}
}
