// SPDX-License-Identifier: GPL-2.0

//! Memory cgroups: charging memory to those who asked for it, also where it is allocated later, on
//! behalf of a packet.
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

/// For what may be large: memory that is charged to the task's cgroup, whose limit makes the allocation fail
/// before anything is killed for it. May sleep.
// SAFETY: `Flags` is a number in a struct, whose size is checked here; all of these bits are flags.
pub(crate) const LARGE: Flags = unsafe {
    core::mem::transmute::<u32, Flags>(
        kernel::bindings::GFP_KERNEL_ACCOUNT
            | 1 << kernel::bindings::___GFP_RETRY_MAYFAIL_BIT
            | 1 << kernel::bindings::___GFP_NOWARN_BIT,
    )
};

/// A memory cgroup, or none where the kernel has none.
///
/// # Invariants
///
/// A reference is held to the cgroup.
pub(crate) struct MemoryCgroup(Option<NonNull<bindings::mem_cgroup>>);

// SAFETY: References can be used and dropped from any thread.
unsafe impl Send for MemoryCgroup {}
// SAFETY: As above.
unsafe impl Sync for MemoryCgroup {}

impl MemoryCgroup {
    /// The memory cgroup of the task that runs. To be called in process context.
    pub(crate) fn current() -> Self {
        kernel::task::might_sleep();
        // SAFETY: In process context there is a current task.
        // INVARIANT: The function returns a reference.
        Self(NonNull::new(unsafe {
            bindings::palisade_current_memory_cgroup()
        }))
    }

    /// Charges what `allocate` allocates to this cgroup, if the flags it is given are used for it.
    pub(crate) fn charge<R>(&self, flags: Flags, allocate: impl FnOnce(Flags) -> R) -> R {
        let Some(cgroup) = self.0 else {
            return allocate(flags);
        };
        // SAFETY: By the type invariant the cgroup stays until the scope ends below.
        let outer = unsafe { bindings::palisade_set_active_memory_cgroup(cgroup.as_ptr()) };
        // __GFP_ACCOUNT, of which the kernel crate has no constant.
        let result = allocate(flags | (GFP_KERNEL_ACCOUNT & !GFP_KERNEL));
        // SAFETY: This is what was active before.
        unsafe { bindings::palisade_set_active_memory_cgroup(outer) };
        result
    }
}

impl Drop for MemoryCgroup {
    fn drop(&mut self) {
        if let Some(cgroup) = self.0 {
            // SAFETY: By the type invariant there is a reference, and it is given back here.
            unsafe { bindings::palisade_put_memory_cgroup(cgroup.as_ptr()) };
        }
    }
}
