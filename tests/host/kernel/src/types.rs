// SPDX-License-Identifier: GPL-2.0

//! Memory that C looks after.

use core::{cell::UnsafeCell, mem::MaybeUninit};

/// What only C looks into.
#[repr(transparent)]
pub struct Opaque<T>(UnsafeCell<MaybeUninit<T>>);

impl<T> Opaque<T> {
    /// With a value.
    pub const fn new(value: T) -> Self {
        Self(UnsafeCell::new(MaybeUninit::new(value)))
    }

    /// All zero.
    pub const fn zeroed() -> Self {
        Self(UnsafeCell::new(MaybeUninit::zeroed()))
    }

    /// Where it is.
    pub const fn get(&self) -> *mut T {
        self.0.get().cast()
    }

    /// Where its value is.
    pub const fn cast_into(this: *const Self) -> *mut T {
        this.cast_mut().cast()
    }
}

/// What C keeps a pointer to.
pub trait ForeignOwnable: Sized {
    /// What it is borrowed as.
    type Borrowed<'a>;

    /// Gives it to C.
    fn into_foreign(self) -> *mut core::ffi::c_void;

    /// # Safety
    ///
    /// The pointer came from [`ForeignOwnable::into_foreign`], and is not used afterwards.
    unsafe fn from_foreign(pointer: *mut core::ffi::c_void) -> Self;

    /// # Safety
    ///
    /// The pointer came from [`ForeignOwnable::into_foreign`].
    unsafe fn borrow<'a>(pointer: *mut core::ffi::c_void) -> Self::Borrowed<'a>;
}
