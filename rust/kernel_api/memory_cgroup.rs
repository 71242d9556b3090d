// SPDX-License-Identifier: GPL-2.0

//! Memory cgroups: charging memory to whoever asked for it, even if it is allocated later, for a
//! packet.
//!
//! C headers: [`include/linux/memcontrol.h`](srctree/include/linux/memcontrol.h),
//! [`include/linux/sched/mm.h`](srctree/include/linux/sched/mm.h)

use super::bindings;
use core::ptr::NonNull;
use kernel::alloc::{
    flags::{
        GFP_KERNEL,
        GFP_KERNEL_ACCOUNT, //
    },
    Flags, //
};

/// For allocations that may be large. They are charged to the task's memory cgroup, and fail at its
/// limit before the OOM killer runs. May sleep.
// SAFETY: `Flags` is a struct around a `u32`, whose size `transmute` checks, and all of these bits
// are GFP flags.
pub(crate) const LARGE: Flags = unsafe {
    core::mem::transmute::<u32, Flags>(
        kernel::bindings::GFP_KERNEL_ACCOUNT
            | 1 << kernel::bindings::___GFP_RETRY_MAYFAIL_BIT
            | 1 << kernel::bindings::___GFP_NOWARN_BIT,
    )
};

/// A memory cgroup, or none on kernels without memory cgroups.
///
/// # Invariants
///
/// If there is a cgroup, this holds a reference to it.
pub(crate) struct MemoryCgroup(Option<NonNull<bindings::mem_cgroup>>);

// SAFETY: References to a memory cgroup belong to no task and can be dropped by any.
unsafe impl Send for MemoryCgroup {}
// SAFETY: `charge` only passes the pointer to C code, which may use a cgroup from several tasks.
unsafe impl Sync for MemoryCgroup {}

impl MemoryCgroup {
    /// The memory cgroup of the current task. Has to be called in process context.
    pub(crate) fn current() -> Self {
        kernel::task::might_sleep();
        // SAFETY: In process context there is a current task, and its `mm` may be null.
        // INVARIANT: `get_mem_cgroup_from_mm` returns a reference, or null where there are no
        // cgroups.
        Self(NonNull::new(unsafe {
            bindings::palisade_current_memory_cgroup()
        }))
    }

    /// Charges what `allocate` allocates to this cgroup, if it uses the flags that it is passed.
    pub(crate) fn charge<R>(&self, flags: Flags, allocate: impl FnOnce(Flags) -> R) -> R {
        let Some(cgroup) = self.0 else {
            return allocate(flags);
        };
        // SAFETY: By the type invariant, the cgroup is valid until it is replaced below.
        let outer = unsafe { bindings::palisade_set_active_memory_cgroup(cgroup.as_ptr()) };
        // __GFP_ACCOUNT, for which the kernel crate has no constant.
        let result = allocate(flags | (GFP_KERNEL_ACCOUNT & !GFP_KERNEL));
        // SAFETY: `outer` is the cgroup that was active before, which the outer scope keeps valid.
        unsafe { bindings::palisade_set_active_memory_cgroup(outer) };
        result
    }
}

impl Drop for MemoryCgroup {
    fn drop(&mut self) {
        if let Some(cgroup) = self.0 {
            // SAFETY: By the type invariant, this holds a reference, which is released here.
            unsafe { bindings::palisade_put_memory_cgroup(cgroup.as_ptr()) };
        }
    }
}
