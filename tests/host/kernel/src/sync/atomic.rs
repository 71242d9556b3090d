// SPDX-License-Identifier: GPL-2.0

//! Atomic values with the names of the kernel crate.

use core::{
    cell::UnsafeCell,
    sync::atomic::{
        AtomicBool, AtomicI32, AtomicI64, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering,
    },
};

/// An ordering.
pub trait Ordered {
    /// The one of core, of a load.
    const LOAD: Ordering;
    /// The one of core, of a store.
    const STORE: Ordering;
    /// The one of core, of both.
    const BOTH: Ordering;
}

/// None.
pub struct Relaxed;
/// What comes later comes later.
pub struct Acquire;
/// What comes earlier comes earlier.
pub struct Release;
/// Both.
pub struct Full;

impl Ordered for Relaxed {
    const LOAD: Ordering = Ordering::Relaxed;
    const STORE: Ordering = Ordering::Relaxed;
    const BOTH: Ordering = Ordering::Relaxed;
}
impl Ordered for Acquire {
    const LOAD: Ordering = Ordering::Acquire;
    const STORE: Ordering = Ordering::Relaxed;
    const BOTH: Ordering = Ordering::Acquire;
}
impl Ordered for Release {
    const LOAD: Ordering = Ordering::Relaxed;
    const STORE: Ordering = Ordering::Release;
    const BOTH: Ordering = Ordering::Release;
}
impl Ordered for Full {
    const LOAD: Ordering = Ordering::SeqCst;
    const STORE: Ordering = Ordering::SeqCst;
    const BOTH: Ordering = Ordering::SeqCst;
}

/// An atomic value.
#[repr(transparent)]
pub struct Atomic<T>(UnsafeCell<T>);

// SAFETY: All accesses are atomic.
unsafe impl<T: Send> Send for Atomic<T> {}
// SAFETY: As above.
unsafe impl<T> Sync for Atomic<T> {}

impl<T> Atomic<T> {
    /// With a value.
    pub const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// # Safety
    ///
    /// The pointer has to be valid for `'a`, and all accesses have to be atomic.
    pub unsafe fn from_ptr<'a>(pointer: *mut T) -> &'a Self {
        // SAFETY: The caller says so, and the type is transparent.
        unsafe { &*pointer.cast() }
    }

    /// Where it is.
    pub fn as_ptr(&self) -> *mut T {
        self.0.get()
    }

    /// Alone with it.
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }
}

macro_rules! atomic {
    ([$($generic:tt)*] $type:ty, $core:ty) => {
        impl<$($generic)*> Atomic<$type> {
            fn core(&self) -> &$core {
                crate::races::interleave();
                // SAFETY: The pointer is valid as long as this, and all accesses are atomic.
                unsafe { <$core>::from_ptr(self.0.get()) }
            }

            /// Loads.
            pub fn load<O: Ordered>(&self, _: O) -> $type {
                self.core().load(O::LOAD)
            }

            /// Stores.
            pub fn store<O: Ordered>(&self, value: $type, _: O) {
                self.core().store(value, O::STORE)
            }

            /// Exchanges.
            pub fn xchg<O: Ordered>(&self, value: $type, _: O) -> $type {
                self.core().swap(value, O::BOTH)
            }

            /// Exchanges, if it is what it was.
            pub fn cmpxchg<O: Ordered>(&self, old: $type, new: $type, _: O) -> Result<$type, $type> {
                self.core().compare_exchange(old, new, O::BOTH, O::LOAD)
            }
        }
    };
}

macro_rules! number {
    ($($type:ty, $core:ty;)*) => {
        $(
            atomic!([] $type, $core);
            impl Atomic<$type> {
                /// Adds.
                pub fn fetch_add<O: Ordered>(&self, value: $type, _: O) -> $type {
                    self.core().fetch_add(value, O::BOTH)
                }

                /// Subtracts.
                pub fn fetch_sub<O: Ordered>(&self, value: $type, _: O) -> $type {
                    self.core().fetch_sub(value, O::BOTH)
                }

                /// Adds.
                pub fn add<O: Ordered>(&self, value: $type, _: O) {
                    self.core().fetch_add(value, O::BOTH);
                }
            }
        )*
    };
}

atomic!([] bool, AtomicBool);
atomic!([T] *mut T, AtomicPtr<T>);
number! {
    u32, AtomicU32;
    i32, AtomicI32;
    u64, AtomicU64;
    i64, AtomicI64;
    usize, AtomicUsize;
}
