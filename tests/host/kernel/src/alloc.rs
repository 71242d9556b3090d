// SPDX-License-Identifier: GPL-2.0

//! Memory that may be refused.

use core::{
    marker::Unsize,
    ops::{BitAnd, BitOr, CoerceUnsized, Deref, DerefMut, Not},
    pin::Pin,
    sync::atomic::{AtomicI64, Ordering::Relaxed},
};

/// What an allocation is asked with.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct Flags(u32);

impl BitOr for Flags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for Flags {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl Not for Flags {
    type Output = Self;
    fn not(self) -> Self {
        Self(!self.0)
    }
}

/// The flags, whose numbers are of no interest here.
pub mod flags {
    use super::Flags;

    pub const GFP_KERNEL: Flags = Flags(1);
    pub const GFP_KERNEL_ACCOUNT: Flags = Flags(1 | 2);
    pub const GFP_ATOMIC: Flags = Flags(1 << 4);
    pub const GFP_NOWAIT: Flags = Flags(1 << 5);
    pub const __GFP_NOWARN: Flags = Flags(1 << 3);
    pub const __GFP_ZERO: Flags = Flags(1 << 6);
}

/// There is no memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllocError;

/// How many allocations succeed before one fails; negative where none fails.
static SUCCESSES: AtomicI64 = AtomicI64::new(-1);

/// Has the allocation after so many others fail, and all later ones succeed; `None` has none fail.
pub fn fail_after(successes: Option<u32>) {
    SUCCESSES.store(successes.map_or(-1, i64::from), Relaxed);
}

fn allocate() -> Result<(), AllocError> {
    if SUCCESSES.load(Relaxed) < 0 {
        return Ok(());
    }
    match SUCCESSES.fetch_sub(1, Relaxed) {
        0 => Err(AllocError),
        _ => Ok(()),
    }
}

/// What does not fit.
#[derive(Debug)]
pub struct PushError<T>(pub T);

/// There is no such element.
#[derive(Debug)]
pub struct RemoveError;

impl From<RemoveError> for crate::error::Error {
    fn from(_: RemoveError) -> Self {
        crate::error::code::EINVAL
    }
}

/// A vector that grows when it is told to.
pub struct KVec<T>(Vec<T>);

/// As [`KVec`].
pub type KVVec<T> = KVec<T>;

impl<T> KVec<T> {
    /// Empty.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// With room for just so many.
    pub fn with_capacity(capacity: usize, flags: Flags) -> Result<Self, AllocError> {
        allocate()?;
        let mut vec = Vec::new();
        vec.try_reserve_exact(capacity).map_err(|_| AllocError)?;
        if flags & flags::__GFP_ZERO == flags::__GFP_ZERO {
            // SAFETY: The memory was just allocated.
            unsafe { core::ptr::write_bytes(Vec::<T>::as_mut_ptr(&mut vec), 0, capacity) };
        }
        Ok(Self(vec))
    }

    /// # Safety
    ///
    /// As for `Vec::from_raw_parts`.
    pub unsafe fn from_raw_parts(pointer: *mut T, length: usize, capacity: usize) -> Self {
        // SAFETY: The caller says so.
        Self(unsafe { Vec::from_raw_parts(pointer, length, capacity) })
    }

    /// # Safety
    ///
    /// As for `Vec::set_len`.
    pub unsafe fn inc_len(&mut self, additional: usize) {
        // SAFETY: The caller says so.
        unsafe { self.0.set_len(self.0.len() + additional) };
    }

    /// So many may be in it.
    pub fn capacity(&self) -> usize {
        self.0.capacity()
    }

    /// Makes room.
    pub fn reserve(&mut self, additional: usize, _flags: Flags) -> Result<(), AllocError> {
        if self.0.len().saturating_add(additional) > self.0.capacity() {
            allocate()?;
        }
        self.0.try_reserve(additional).map_err(|_| AllocError)
    }

    /// Adds one.
    pub fn push(&mut self, value: T, flags: Flags) -> Result<(), AllocError> {
        self.reserve(1, flags)?;
        self.0.push(value);
        Ok(())
    }

    /// Adds one, if there is room.
    pub fn push_within_capacity(&mut self, value: T) -> Result<(), PushError<T>> {
        if self.0.len() == self.0.capacity() {
            return Err(PushError(value));
        }
        self.0.push(value);
        Ok(())
    }

    /// Inserts one, if there is room.
    pub fn insert_within_capacity(&mut self, index: usize, value: T) -> Result<(), PushError<T>> {
        if self.0.len() == self.0.capacity() || index > self.0.len() {
            return Err(PushError(value));
        }
        self.0.insert(index, value);
        Ok(())
    }

    /// Removes one.
    pub fn remove(&mut self, index: usize) -> Result<T, RemoveError> {
        if index >= self.0.len() {
            return Err(RemoveError);
        }
        Ok(self.0.remove(index))
    }

    /// Removes the last.
    pub fn pop(&mut self) -> Option<T> {
        self.0.pop()
    }

    /// Removes all.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Removes those behind.
    pub fn truncate(&mut self, length: usize) {
        self.0.truncate(length);
    }

    /// Keeps some.
    pub fn retain(&mut self, mut keep: impl FnMut(&mut T) -> bool) {
        self.0.retain_mut(|element| keep(element));
    }

    /// Takes all out.
    pub fn drain_all(&mut self) -> std::vec::Drain<'_, T> {
        self.0.drain(..)
    }

    /// The room that is left.
    pub fn spare_capacity_mut(&mut self) -> &mut [core::mem::MaybeUninit<T>] {
        self.0.spare_capacity_mut()
    }

    /// Where it begins.
    pub fn as_mut_ptr(&mut self) -> *mut T {
        self.0.as_mut_ptr()
    }

    /// The elements.
    pub fn as_slice(&self) -> &[T] {
        &self.0
    }
}

/// What is asked of vectors whose elements can be copied.
pub trait KVecExt<T> {
    /// Appends.
    fn extend_from_slice(&mut self, other: &[T], flags: Flags) -> Result<(), AllocError>;
    /// Appends the same.
    fn extend_with(&mut self, count: usize, value: T, flags: Flags) -> Result<(), AllocError>;
    /// Changes the length.
    fn resize(&mut self, length: usize, value: T, flags: Flags) -> Result<(), AllocError>;
    /// So many of the same.
    fn from_elem(value: T, count: usize, flags: Flags) -> Result<KVec<T>, AllocError>;
}

impl<T: Clone> KVecExt<T> for KVec<T> {
    fn extend_from_slice(&mut self, other: &[T], flags: Flags) -> Result<(), AllocError> {
        self.reserve(other.len(), flags)?;
        self.0.extend_from_slice(other);
        Ok(())
    }

    fn extend_with(&mut self, count: usize, value: T, flags: Flags) -> Result<(), AllocError> {
        self.reserve(count, flags)?;
        self.0.resize(self.0.len() + count, value);
        Ok(())
    }

    fn resize(&mut self, length: usize, value: T, flags: Flags) -> Result<(), AllocError> {
        self.reserve(length.saturating_sub(self.0.len()), flags)?;
        self.0.resize(length, value);
        Ok(())
    }

    fn from_elem(value: T, count: usize, flags: Flags) -> Result<KVec<T>, AllocError> {
        let mut vec = KVec::with_capacity(count, flags)?;
        vec.0.resize(count, value);
        Ok(vec)
    }
}

impl<T> Deref for KVec<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> DerefMut for KVec<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}

impl<T> Default for KVec<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: PartialEq> PartialEq for KVec<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T: Eq> Eq for KVec<T> {}

impl<T: core::fmt::Debug> core::fmt::Debug for KVec<T> {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(formatter)
    }
}

impl<T> IntoIterator for KVec<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a KVec<T> {
    type Item = &'a T;
    type IntoIter = core::slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<'a, T> IntoIterator for &'a mut KVec<T> {
    type Item = &'a mut T;
    type IntoIter = core::slice::IterMut<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter_mut()
    }
}

/// A value on the heap.
pub struct KBox<T: ?Sized>(Box<T>);

impl<T> KBox<T> {
    /// Allocates.
    pub fn new(value: T, _flags: Flags) -> Result<Self, AllocError> {
        allocate()?;
        Ok(Self(Box::new(value)))
    }

    /// Allocates, and makes the value there.
    pub fn pin_init(init: impl FnOnce() -> T, flags: Flags) -> crate::error::Result<Pin<Self>> {
        let value = Self::new(init(), flags)?;
        // SAFETY: The box is not moved out of.
        Ok(unsafe { Pin::new_unchecked(value) })
    }

    /// The value alone.
    pub fn into_inner(this: Self) -> T {
        *this.0
    }
}

impl<T: ?Sized> KBox<T> {
    /// Gives the pointer away.
    pub fn into_raw(this: Self) -> *mut T {
        Box::into_raw(this.0)
    }

    /// # Safety
    ///
    /// As for `Box::from_raw`.
    pub unsafe fn from_raw(pointer: *mut T) -> Self {
        // SAFETY: The caller says so.
        Self(unsafe { Box::from_raw(pointer) })
    }
}

impl<T: ?Sized> Deref for KBox<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: ?Sized> DerefMut for KBox<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: ?Sized + Unsize<U>, U: ?Sized> CoerceUnsized<KBox<U>> for KBox<T> {}
