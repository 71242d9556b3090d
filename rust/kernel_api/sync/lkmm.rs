// SPDX-License-Identifier: GPL-2.0

//! Single accesses and their order, as the kernel's memory model has them (`tools/memory-model`).
//!
//! `kernel::sync::atomic` and `kernel::sync::barrier` have the same, and are a call for each access. On x86 a load, a
//! store and all of these barriers cost nothing but what the compiler may not move across them
//! (`arch/x86/include/asm/barrier.h`); other machines make the calls.
//!
//! The program of `tests/host/run races` tries what other CPUs may do between any two of them.

#[cfg(target_arch = "x86_64")]
use core::sync::atomic::{
    compiler_fence,
    AtomicU32,
    Ordering::SeqCst, //
};
#[cfg(not(target_arch = "x86_64"))]
use kernel::sync::{
    atomic::{
        ordering,
        Atomic, //
    },
    barrier::{
        smp_mb,
        Read,
        Write, //
    },
};

/// Where another CPU may come between.
#[inline(always)]
fn interleave() {
    #[cfg(palisade_races)]
    kernel::races::interleave();
}

/// Loads what other CPUs may store, neither torn nor repeated (`READ_ONCE`). What is read through a pointer that
/// was loaded so is read after it (address dependency, as with `rcu_dereference`).
///
/// # Safety
///
/// The pointer has to be valid and aligned, for a word that the machine loads at once, and all stores to it have to
/// be of such words.
#[inline(always)]
pub(in crate::kernel_api) unsafe fn read_once<T: Copy>(pointer: *const T) -> T {
    interleave();
    // SAFETY: The caller says so.
    unsafe { pointer.read_volatile() }
}

/// Stores what other CPUs may load, neither torn nor repeated (`WRITE_ONCE`).
///
/// # Safety
///
/// As for [`read_once`].
#[inline(always)]
pub(in crate::kernel_api) unsafe fn write_once<T: Copy>(pointer: *mut T, value: T) {
    interleave();
    // SAFETY: The caller says so.
    unsafe { pointer.write_volatile(value) }
}

/// What the compiler moves no access across (`barrier`).
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn barrier() {
    compiler_fence(SeqCst);
}

/// What was loaded before is loaded before what is loaded after (`smp_rmb`).
#[inline(always)]
pub(in crate::kernel_api) fn smp_rmb() {
    #[cfg(target_arch = "x86_64")]
    barrier();
    #[cfg(not(target_arch = "x86_64"))]
    smp_mb(Read);
}

/// What was stored before is stored before what is stored after (`smp_wmb`).
#[inline(always)]
pub(in crate::kernel_api) fn smp_wmb() {
    #[cfg(target_arch = "x86_64")]
    barrier();
    #[cfg(not(target_arch = "x86_64"))]
    smp_mb(Write);
}

/// Loads a word before anything that comes after it (`smp_load_acquire`).
///
/// # Safety
///
/// As for [`read_once`].
#[inline(always)]
pub(in crate::kernel_api) unsafe fn load_acquire(pointer: *mut u32) -> u32 {
    #[cfg(target_arch = "x86_64")]
    {
        // SAFETY: The caller says so.
        let value = unsafe { read_once(pointer) };
        barrier();
        value
    }
    #[cfg(not(target_arch = "x86_64"))]
    // SAFETY: The caller says so.
    unsafe { Atomic::from_ptr(pointer) }.load(ordering::Acquire)
}

/// Stores a word after anything that came before it (`smp_store_release`).
///
/// # Safety
///
/// As for [`read_once`].
#[inline(always)]
pub(in crate::kernel_api) unsafe fn store_release(pointer: *mut u32, value: u32) {
    #[cfg(target_arch = "x86_64")]
    {
        barrier();
        // SAFETY: The caller says so.
        unsafe { write_once(pointer, value) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    // SAFETY: The caller says so.
    unsafe { Atomic::from_ptr(pointer) }.store(value, ordering::Release);
}

/// Sets a bit, whoever else stores the word, and tells whether it was set (`test_and_set_bit`): fully ordered.
///
/// # Safety
///
/// As for [`read_once`].
#[inline(always)]
pub(in crate::kernel_api) unsafe fn test_and_set_bit<const BIT: u32>(pointer: *mut u32) -> bool {
    const { assert!(BIT < u32::BITS) };
    interleave();
    #[cfg(target_arch = "x86_64")]
    {
        // SAFETY: The caller says so. It becomes the locked instruction of `arch_test_and_set_bit`
        // (`arch/x86/include/asm/bitops.h`), and a branch on its flag.
        unsafe { AtomicU32::from_ptr(pointer) }.fetch_or(1 << BIT, SeqCst) & 1 << BIT != 0
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        // SAFETY: The caller says so.
        let word = unsafe { Atomic::<u32>::from_ptr(pointer) };
        let mut before = word.load(ordering::Relaxed);
        loop {
            match word.cmpxchg(before, before | 1 << BIT, ordering::Full) {
                Ok(before) => return before & 1 << BIT != 0,
                Err(other) => before = other,
            }
        }
    }
}
