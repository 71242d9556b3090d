// SPDX-License-Identifier: GPL-2.0

//! What is shared.

use crate::{
    alloc::{AllocError, Flags},
    types::ForeignOwnable,
};
use core::{
    ffi::c_void,
    marker::{PhantomData, Unsize},
    ops::{CoerceUnsized, Deref},
};

pub mod atomic;
pub mod rcu;

/// A counted reference.
pub struct Arc<T: ?Sized>(std::sync::Arc<T>);

impl<T> Arc<T> {
    /// Allocates.
    pub fn new(value: T, flags: Flags) -> Result<Self, AllocError> {
        crate::alloc::KBox::new((), flags)?;
        Ok(Self(std::sync::Arc::new(value)))
    }

    /// Allocates, and makes the value there.
    pub fn pin_init(init: impl FnOnce() -> T, flags: Flags) -> crate::error::Result<Self> {
        Ok(Self::new(init(), flags)?)
    }
}

impl<T: ?Sized> Arc<T> {
    /// Whether both are the same.
    pub fn ptr_eq(this: &Self, other: &Self) -> bool {
        std::sync::Arc::ptr_eq(&this.0, &other.0)
    }
}

impl<T: ?Sized> Clone for Arc<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: ?Sized> Deref for Arc<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: ?Sized + Unsize<U>, U: ?Sized> CoerceUnsized<Arc<U>> for Arc<T> {}

/// A reference that somebody else counts.
pub struct ArcBorrow<'a, T>(*const T, PhantomData<&'a T>);

impl<T> Clone for ArcBorrow<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for ArcBorrow<'_, T> {}

impl<T> Deref for ArcBorrow<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: It came from an `Arc` that lives.
        unsafe { &*self.0 }
    }
}

impl<T> From<ArcBorrow<'_, T>> for Arc<T> {
    fn from(borrow: ArcBorrow<'_, T>) -> Self {
        // SAFETY: It came from an `Arc` that lives.
        unsafe {
            std::sync::Arc::increment_strong_count(borrow.0);
            Self(std::sync::Arc::from_raw(borrow.0))
        }
    }
}

impl<T: 'static> ForeignOwnable for Arc<T> {
    type Borrowed<'a> = ArcBorrow<'a, T>;

    fn into_foreign(self) -> *mut c_void {
        std::sync::Arc::into_raw(self.0).cast_mut().cast()
    }

    unsafe fn from_foreign(pointer: *mut c_void) -> Self {
        // SAFETY: The caller says so.
        Self(unsafe { std::sync::Arc::from_raw(pointer.cast()) })
    }

    unsafe fn borrow<'a>(pointer: *mut c_void) -> ArcBorrow<'a, T> {
        ArcBorrow(pointer.cast(), PhantomData)
    }
}

/// A lock that sleeps.
pub struct Mutex<T: ?Sized>(std::sync::Mutex<T>);

impl<T> Mutex<T> {
    /// Not locked.
    pub const fn new(value: T) -> Self {
        Self(std::sync::Mutex::new(value))
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Locks.
    pub fn lock(&self) -> std::sync::MutexGuard<'_, T> {
        crate::races::interleave();
        while crate::races::is_running() {
            match self.0.try_lock() {
                Ok(guard) => return guard,
                Err(std::sync::TryLockError::WouldBlock) => crate::races::wait(),
                Err(error) => panic!("{error}"),
            }
        }
        self.0.lock().unwrap()
    }
}

/// A lock that spins in the kernel.
pub type SpinLock<T> = Mutex<T>;

/// What is set once.
pub struct SetOnce<T>(std::sync::OnceLock<T>);

impl<T> SetOnce<T> {
    /// Not set.
    pub const fn new() -> Self {
        Self(std::sync::OnceLock::new())
    }

    /// Sets it; whether it was not set.
    pub fn populate(&self, value: T) -> bool {
        self.0.set(value).is_ok()
    }

    /// What was set.
    pub fn copy(&self) -> Option<T>
    where
        T: Copy,
    {
        self.0.get().copied()
    }
}
