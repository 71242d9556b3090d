// SPDX-License-Identifier: GPL-2.0

//! What the module uses of the kernel crate, on top of std.
//!
//! It has the kernel crate's names and types, so that the module's source is compiled as it is. Allocations fail
//! where [`alloc::fail_after`] says so; everything else is as simple as it can be.

#![allow(non_camel_case_types, non_upper_case_globals)]
#![feature(arbitrary_self_types, coerce_unsized, unsize)]

pub mod alloc;
pub mod error;
pub mod races;
pub mod sync;
pub mod types;

pub use std::fmt;

/// C's types, as the kernel has them.
pub mod ffi {
    pub use core::ffi::{
        c_int, c_longlong, c_schar, c_short, c_uchar, c_uint, c_ulonglong, c_ushort, c_void, CStr,
    };
    pub type c_char = u8;
    pub type c_long = isize;
    pub type c_ulong = usize;
}

/// The numbers that the module takes from the kernel crate's own bindings.
pub mod bindings {
    /// As in `include/linux/gfp_types.h`, of which only the sums count here.
    pub const GFP_KERNEL_ACCOUNT: u32 = 1 << 1;
    pub const ___GFP_RETRY_MAYFAIL_BIT: u32 = 2;
    pub const ___GFP_NOWARN_BIT: u32 = 3;
    pub const wq_misc_consts_WORK_CPU_UNBOUND: u32 = 64;

    /// # Safety
    ///
    /// There are no requirements.
    pub unsafe fn synchronize_rcu() {}
}

/// Strings of C.
pub mod str {
    pub use core::ffi::CStr;

    /// What the kernel's strings have in addition.
    pub trait CStrExt {
        /// Where it begins.
        fn as_char_ptr(&self) -> *const u8;
    }

    impl CStrExt for CStr {
        fn as_char_ptr(&self) -> *const u8 {
            self.as_ptr().cast()
        }
    }
}

/// The task that runs.
pub mod processor {
    /// What a CPU does while it waits for another one.
    pub fn cpu_relax() {
        crate::races::wait();
        core::hint::spin_loop();
    }
}

pub mod task {
    /// It may always sleep here.
    pub fn might_sleep() {}
}

/// There is no module here.
pub struct ThisModule;

impl ThisModule {
    /// Null.
    pub fn as_ptr(&self) -> *mut core::ffi::c_void {
        core::ptr::null_mut()
    }
}

/// Makes a value when it is asked for; fields with `<-` are made then, too, and need no pinning here.
#[macro_export]
macro_rules! pin_init {
    (Self { $($fields:tt)* }) => {
        || $crate::pin_init!(@fields { } $($fields)*)
    };
    (@fields { $($done:tt)* } $name:ident <- $value:expr, $($rest:tt)*) => {
        $crate::pin_init!(@fields { $($done)* $name: ($value)(), } $($rest)*)
    };
    (@fields { $($done:tt)* } $name:ident : $value:expr, $($rest:tt)*) => {
        $crate::pin_init!(@fields { $($done)* $name: $value, } $($rest)*)
    };
    (@fields { $($done:tt)* } $name:ident, $($rest:tt)*) => {
        $crate::pin_init!(@fields { $($done)* $name, } $($rest)*)
    };
    (@fields { $($done:tt)* }) => { Self { $($done)* } };
}

/// A mutex with a name, which is for lockdep.
#[macro_export]
macro_rules! new_mutex {
    ($value:expr, $name:literal) => {
        move || $crate::sync::Mutex::new($value)
    };
}

/// A spinlock with a name, which is for lockdep.
#[macro_export]
macro_rules! new_spinlock {
    ($value:expr, $name:literal) => {
        move || $crate::sync::SpinLock::new($value)
    };
}

/// The kernel's log is of no interest here.
#[macro_export]
macro_rules! pr_err {
    ($($argument:tt)*) => { let _ = format_args!($($argument)*); };
}

/// What everybody imports.
pub mod prelude {
    pub use crate::{
        alloc::{
            flags::{GFP_ATOMIC, GFP_KERNEL, GFP_KERNEL_ACCOUNT, GFP_NOWAIT},
            KBox, KVVec, KVec, KVecExt,
        },
        error::{code::*, Error, Result},
        ffi::*,
        pin_init, pr_err,
        str::CStrExt,
        ThisModule,
    };
    pub use core::{
        format_args as fmt,
        mem::{align_of, size_of, size_of_val},
        pin::Pin,
    };
    pub use macros::{kunit_tests, pin_data};
}
