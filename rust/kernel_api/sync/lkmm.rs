// SPDX-License-Identifier: GPL-2.0

//! Marked accesses and barriers of the kernel's memory model (`tools/memory-model`).
//!
//! `kernel::sync::atomic` and `kernel::sync::barrier` (whose names Linux 7.3 has changed) have the
//! same, at one call of a helper per access: in the module for Debian's kernel, which does not inline
//! helpers, a look-up in a recent list would make 2 calls more, and a stamp 4. On x86, a load, a
//! store and all of these barriers only restrain the compiler
//! (`arch/x86/include/asm/barrier.h`), and core has the locked instruction; other architectures make
//! the calls.
//!
//! `tests/host/run races` tries what other CPUs may do between any two of them.

#[cfg(target_arch = "x86_64")]
use core::sync::atomic::{
    compiler_fence,
    AtomicU32,
    Ordering::SeqCst, //
};
#[cfg(not(target_arch = "x86_64"))]
use {
    crate::kernel_api::bindings,
    kernel::sync::atomic::{
        ordering,
        Atomic, //
    },
};

/// A point at which the race test may let another CPU run.
#[inline]
fn interleave() {
    #[cfg(palisade_races)]
    kernel::races::interleave();
}

/// Loads memory that other CPUs may store to, neither torn nor repeated (`READ_ONCE`). Loads
/// through a pointer that was loaded this way are ordered after it (address dependency, as with
/// `rcu_dereference`).
///
/// # Safety
///
/// The pointer has to be valid and aligned. `T` has to be a word that the machine accesses at once,
/// and all concurrent stores have to be of such words.
#[inline]
pub(in crate::kernel_api) unsafe fn read_once<T: Copy>(pointer: *const T) -> T {
    interleave();
    // SAFETY: By the function's safety requirements, `pointer` is valid and aligned.
    unsafe { pointer.read_volatile() }
}

/// Stores to memory that other CPUs may load from, neither torn nor repeated (`WRITE_ONCE`).
///
/// # Safety
///
/// As for [`read_once`]; the pointer has to be valid for writes.
#[inline]
pub(in crate::kernel_api) unsafe fn write_once<T: Copy>(pointer: *mut T, value: T) {
    interleave();
    // SAFETY: By the function's safety requirements, `pointer` is aligned and valid for writes.
    unsafe { pointer.write_volatile(value) }
}

/// Keeps the compiler from moving accesses across it (`barrier`).
#[cfg(target_arch = "x86_64")]
#[inline]
fn barrier() {
    compiler_fence(SeqCst);
}

/// Orders the loads before it before the loads after it (`smp_rmb`).
#[inline]
pub(in crate::kernel_api) fn smp_rmb() {
    #[cfg(target_arch = "x86_64")]
    barrier();
    #[cfg(not(target_arch = "x86_64"))]
    // SAFETY: A barrier may be anywhere.
    unsafe {
        bindings::palisade_smp_rmb()
    };
}

/// Orders the stores before it before the stores after it (`smp_wmb`).
#[inline]
pub(in crate::kernel_api) fn smp_wmb() {
    #[cfg(target_arch = "x86_64")]
    barrier();
    #[cfg(not(target_arch = "x86_64"))]
    // SAFETY: A barrier may be anywhere.
    unsafe {
        bindings::palisade_smp_wmb()
    };
}

/// Loads a word, ordered before all accesses that follow (`smp_load_acquire`).
///
/// # Safety
///
/// As for [`read_once`].
#[inline]
pub(in crate::kernel_api) unsafe fn load_acquire(pointer: *mut u32) -> u32 {
    #[cfg(target_arch = "x86_64")]
    {
        // SAFETY: By the function's safety requirements, `pointer` is valid and aligned for a word.
        let value = unsafe { read_once(pointer) };
        barrier();
        value
    }
    #[cfg(not(target_arch = "x86_64"))]
    // SAFETY: By the function's safety requirements, `pointer` is valid and aligned for a word.
    unsafe { Atomic::from_ptr(pointer) }.load(ordering::Acquire)
}

/// Stores a word, ordered after all accesses before it (`smp_store_release`).
///
/// # Safety
///
/// As for [`write_once`].
#[inline]
pub(in crate::kernel_api) unsafe fn store_release(pointer: *mut u32, value: u32) {
    #[cfg(target_arch = "x86_64")]
    {
        barrier();
        // SAFETY: By the function's safety requirements, `pointer` is aligned and valid for writes.
        unsafe { write_once(pointer, value) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    // SAFETY: By the function's safety requirements, `pointer` is aligned and valid for writes.
    unsafe { Atomic::from_ptr(pointer) }.store(value, ordering::Release);
}

/// Sets bits atomically, fully ordered, and returns the word before (`atomic_fetch_or`).
///
/// # Safety
///
/// As for [`write_once`].
#[inline]
pub(in crate::kernel_api) unsafe fn fetch_or(pointer: *mut u32, bits: u32) -> u32 {
    interleave();
    #[cfg(target_arch = "x86_64")]
    {
        // SAFETY: By the function's safety requirements, `pointer` is aligned and valid for writes.
        unsafe { AtomicU32::from_ptr(pointer) }.fetch_or(bits, SeqCst)
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        // SAFETY: By the function's safety requirements, `pointer` is aligned and valid for writes.
        let word = unsafe { Atomic::<u32>::from_ptr(pointer) };
        let mut before = word.load(ordering::Relaxed);
        loop {
            match word.cmpxchg(before, before | bits, ordering::Full) {
                Ok(before) => return before,
                Err(other) => before = other,
            }
        }
    }
}

/// Sets a bit atomically, fully ordered, and returns whether it was set (`test_and_set_bit`). On
/// x86 it compiles to the locked instruction of `arch_test_and_set_bit`
/// (`arch/x86/include/asm/bitops.h`), and a branch on its flag.
///
/// # Safety
///
/// As for [`write_once`].
#[inline]
pub(in crate::kernel_api) unsafe fn test_and_set_bit<const BIT: u32>(pointer: *mut u32) -> bool {
    const { assert!(BIT < u32::BITS) };
    // SAFETY: By the function's safety requirements, `pointer` is aligned and valid for writes.
    let before = unsafe { fetch_or(pointer, 1 << BIT) };
    before & 1 << BIT != 0
}
