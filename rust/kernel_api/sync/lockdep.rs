// SPDX-License-Identifier: GPL-2.0

//! Telling lockdep of locks that are not the kernel's. Nothing on kernels without lockdep.
//!
//! C header: [`include/linux/lockdep.h`](srctree/include/linux/lockdep.h)

#[cfg(CONFIG_LOCKDEP = "y")]
use crate::kernel_api::bindings;
use kernel::prelude::*;
#[cfg(CONFIG_LOCKDEP = "y")]
use kernel::types::Opaque;

/// What lockdep knows of a number of locks, of which a task holds one at a time.
///
/// # Invariants
///
/// The map is initialised.
pub(crate) struct LockdepMap {
    // In a box of its own, since lockdep remembers where it is.
    #[cfg(CONFIG_LOCKDEP = "y")]
    map: KBox<Opaque<bindings::lockdep_map>>,
}

#[cfg(CONFIG_LOCKDEP = "y")]
// SAFETY: A map is there to be used by several threads.
unsafe impl Sync for LockdepMap {}
#[cfg(CONFIG_LOCKDEP = "y")]
// SAFETY: A map belongs to no thread.
unsafe impl Send for LockdepMap {}

#[cfg(CONFIG_LOCKDEP = "y")]
impl LockdepMap {
    /// A map of the locks of buckets.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory.
    pub(crate) fn new() -> Result<Self> {
        let map = KBox::new(Opaque::zeroed(), GFP_KERNEL_ACCOUNT)?;
        // SAFETY: The map is at its final place, and nobody knows it yet.
        unsafe { bindings::palisade_lock_map_init(map.get()) };
        // INVARIANT: The map was just initialised.
        Ok(Self { map })
    }

    /// One of the locks is about to be taken.
    pub(crate) fn acquire(&self) {
        // SAFETY: By the type invariant the map is initialised.
        unsafe { bindings::palisade_lock_map_acquire(self.map.get()) };
    }

    /// The lock that was taken is about to be given back.
    pub(crate) fn release(&self) {
        // SAFETY: As above.
        unsafe { bindings::palisade_lock_map_release(self.map.get()) };
    }

    /// One of the locks may have to be waited for here. Softirqs have to be off, as where it is taken.
    pub(crate) fn might_wait(&self) {
        self.acquire();
        self.release();
    }

    /// Warns unless one of the locks is held.
    pub(crate) fn assert_held(&self) {
        // SAFETY: As above.
        unsafe { bindings::palisade_assert_lock_map_held(self.map.get()) };
    }
}

#[cfg(not(CONFIG_LOCKDEP = "y"))]
impl LockdepMap {
    /// Nothing.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {})
    }

    /// Nothing.
    #[inline(always)]
    pub(crate) fn acquire(&self) {}

    /// Nothing.
    #[inline(always)]
    pub(crate) fn release(&self) {}

    /// Nothing.
    #[inline(always)]
    pub(crate) fn might_wait(&self) {}

    /// Nothing.
    #[inline(always)]
    pub(crate) fn assert_held(&self) {}
}
