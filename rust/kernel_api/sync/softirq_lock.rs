// SPDX-License-Identifier: GPL-2.0

//! A lock that packets and tasks share.

use super::bh::BhDisabled;
use kernel::{
    new_spinlock,
    prelude::*,
    sync::SpinLock, //
};

/// A value behind a spinlock that is held with softirqs off, so that packets can take it, too
/// (`spin_lock_bh`).
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
pub(crate) struct SoftirqLock<T>(Pin<KBox<SpinLock<T>>>);

impl<T: Unpin> SoftirqLock<T> {
    /// Creates a lock around a value.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory.
    pub(crate) fn new(value: T) -> Result<Self> {
        let lock = new_spinlock!(value, "palisade_softirq_lock");
        Ok(Self(KBox::pin_init(lock, GFP_KERNEL_ACCOUNT)?))
    }

    /// Runs `with` on the value, under the lock. `with` must neither sleep nor take this lock
    /// again.
    #[inline]
    pub(crate) fn with<R>(&self, with: impl FnOnce(&mut T) -> R) -> R {
        let _softirqs = BhDisabled::new();
        // Dropped before softirqs are on again.
        let mut value = self.0.lock();
        with(&mut value)
    }
}
