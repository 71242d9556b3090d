// SPDX-License-Identifier: GPL-2.0

//! A pointer that is set once and read without a lock from then on.

use core::{
    marker::PhantomData,
    ptr, //
};
use kernel::{
    prelude::*,
    sync::atomic::{
        Atomic,
        Full, //
    },
};

/// Owns a `T` from the moment that [`OncePointer::set`] put it there.
///
/// # Invariants
///
/// The pointer is null or came from `KBox::into_raw`, and never changes once it is not null.
pub(crate) struct OncePointer<T> {
    pointer: Atomic<*mut T>,
    owned: PhantomData<T>,
}

// SAFETY: Several threads get `&T`, and the last owner drops the `T`.
unsafe impl<T: Send + Sync> Sync for OncePointer<T> {}
// SAFETY: As above.
unsafe impl<T: Send + Sync> Send for OncePointer<T> {}

impl<T> OncePointer<T> {
    /// Makes an unset pointer.
    pub(crate) const fn new() -> Self {
        // INVARIANT: The pointer is null.
        Self {
            pointer: Atomic::new(ptr::null_mut()),
            owned: PhantomData,
        }
    }

    /// Returns the value if it was set.
    #[inline]
    pub(crate) fn get(&self) -> Option<&T> {
        // SAFETY: By the invariant it is null or points to a `T` that lives as long as `self`. What is read
        // through the pointer depends on it, which pairs with the full barrier of `set`, as with
        // `rcu_dereference`; an atomic load would be a call.
        unsafe { self.pointer.as_ptr().read_volatile().as_ref() }
    }

    /// Sets the value; whoever comes second gets its value dropped.
    pub(crate) fn set(&self, value: KBox<T>) {
        let raw = KBox::into_raw(value);
        // INVARIANT: Only null is replaced.
        if self.pointer.cmpxchg(ptr::null_mut(), raw, Full).is_err() {
            // SAFETY: The pointer was not published, so it is ours again.
            drop(unsafe { KBox::from_raw(raw) });
        }
    }
}

impl<T> Drop for OncePointer<T> {
    fn drop(&mut self) {
        let raw = *self.pointer.get_mut();
        if !raw.is_null() {
            // SAFETY: By the invariant it came from `KBox::into_raw`; nobody else can use it any more.
            drop(unsafe { KBox::from_raw(raw) });
        }
    }
}
