// SPDX-License-Identifier: GPL-2.0

//! Values that packets read under RCU while configuration changes replace them.
//!
//! A replaced value is dropped by a workqueue after a grace period. So replacing one does not wait,
//! and its destructor may sleep.
//!
//! C headers: [`include/linux/rcupdate.h`](srctree/include/linux/rcupdate.h),
//! [`include/linux/workqueue.h`](srctree/include/linux/workqueue.h)

use super::lkmm::read_once;
use crate::kernel_api::bindings;
use core::{
    marker::PhantomData,
    mem::offset_of,
    ptr::NonNull, //
};
use kernel::{
    alloc::Flags,
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Full, //
        },
        rcu::Guard, //
    },
    types::Opaque, //
};

/// The workqueue that drops retired values, while a [`Reclaimer`] exists.
static QUEUE: Atomic<*mut bindings::workqueue_struct> = Atomic::new(core::ptr::null_mut());

/// Allows values to be retired. One exists while the module is loaded, and it has to be dropped
/// last.
///
/// # Invariants
///
/// [`QUEUE`] holds a workqueue that belongs to this.
pub(crate) struct Reclaimer(());

impl Reclaimer {
    /// Starts the workqueue.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory, `EBUSY` when there is a reclaimer already.
    pub(crate) fn start() -> Result<Self> {
        // SAFETY: The name is a C string with static lifetime.
        let queue =
            unsafe { bindings::palisade_workqueue_alloc(c"palisade_reclaim".as_char_ptr()) };
        if queue.is_null() {
            return Err(ENOMEM);
        }
        if QUEUE.cmpxchg(core::ptr::null_mut(), queue, Full).is_err() {
            // SAFETY: The workqueue was just allocated, and nobody else knows it.
            unsafe { bindings::destroy_workqueue(queue) };
            return Err(EBUSY);
        }
        // INVARIANT: `queue` was just stored in `QUEUE`.
        Ok(Self(()))
    }
}

impl Drop for Reclaimer {
    fn drop(&mut self) {
        // Nobody finds the queue from here on: a destructor that retires something waits itself.
        let queue = QUEUE.xchg(core::ptr::null_mut(), Full);
        // SAFETY: By the type invariant, `queue` is our workqueue, and the module's exit may sleep.
        // After the first barrier, the work of all pending grace periods is queued
        // (`rcu_work_rcufn`). After the flush, all of it that found `QUEUE` set has run, and after
        // the second barrier, what it retired is queued. Nothing can be queued any more then, as
        // `destroy_workqueue` requires, which runs what is left.
        unsafe {
            bindings::rcu_barrier();
            bindings::palisade_workqueue_flush(queue);
            bindings::rcu_barrier();
            bindings::destroy_workqueue(queue);
        }
    }
}

/// Waits until everything retired so far was dropped. May sleep for several grace periods.
pub(crate) fn wait_for_retired() {
    // After this, the grace periods of all retired values are over and their work is queued.
    // SAFETY: `rcu_barrier` has no requirements but process context, which the caller is in.
    unsafe { bindings::rcu_barrier() };
    let queue = QUEUE.load(Acquire);
    if !queue.is_null() {
        // SAFETY: The queue exists until the reclaimer is dropped, which outlives all callers.
        unsafe { bindings::palisade_workqueue_flush(queue) };
    }
}

/// A value that can be dropped after a grace period.
#[repr(C)]
pub(crate) struct Retirable<T> {
    work: Opaque<bindings::rcu_work>,
    value: T,
}

// SAFETY: `&Retirable` gives access to nothing but `&T`: the work is used by `retire` alone, which
// owns the box.
unsafe impl<T: Sync> Sync for Retirable<T> {}
// SAFETY: A `T: Send` may be dropped by a kworker, and the work belongs to no task.
unsafe impl<T: Send> Send for Retirable<T> {}

impl<T: Send + 'static> Retirable<T> {
    /// Allocates a value together with what it takes to retire it. May sleep if `flags` allow it.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory.
    pub(crate) fn new(value: T, flags: Flags) -> Result<KBox<Self>> {
        Ok(KBox::new(
            Self {
                work: Opaque::zeroed(),
                value,
            },
            flags,
        )?)
    }

    /// The value. Nobody else can see it yet.
    pub(crate) fn value_mut(&mut self) -> &mut T {
        &mut self.value
    }

    /// Drops the value in process context, once no reader can see it any more.
    pub(crate) fn retire(this: KBox<Self>) {
        let queue = QUEUE.load(Acquire);
        if queue.is_null() {
            // The module is being unloaded and its hooks are gone, so all that is left is to wait.
            // SAFETY: `synchronize_rcu` has no requirements but a context that may sleep, which all
            // callers are in by then.
            unsafe { kernel::bindings::synchronize_rcu() };
            drop(this);
            return;
        }
        let raw = KBox::into_raw(this);
        // SAFETY: `raw` is valid. Its work stays where it is, and is not queued yet.
        unsafe {
            let work = Opaque::cast_into(&raw const (*raw).work);
            bindings::palisade_rcu_work_init(work, Some(Self::reclaim));
            bindings::queue_rcu_work(queue, work);
        }
    }

    /// # Safety
    ///
    /// `work` has to be that of a `Retirable<T>` that [`Retirable::retire`] queued.
    unsafe extern "C" fn reclaim(work: *mut bindings::work_struct) {
        let offset = offset_of!(Self, work) + offset_of!(bindings::rcu_work, work);
        // SAFETY: By the function's safety requirements, `work` lies in a `Retirable<T>` that came
        // from `KBox::into_raw`, and that nobody else owns.
        drop(unsafe { KBox::from_raw(work.byte_sub(offset).cast::<Self>()) });
    }
}

/// A value whose address was given to C code, which may read it under RCU until a grace period
/// after the address was withdrawn.
///
/// It is retired however its owner drops it, on error paths, too, and never dropped at once. So
/// callers need not track whether C code published the address before it failed.
///
/// # Invariants
///
/// The pointer came from `KBox::into_raw`, and this owns it.
pub(crate) struct Published<T: Send + Sync + 'static> {
    pointer: NonNull<Retirable<T>>,
    owned: PhantomData<KBox<Retirable<T>>>,
}

// SAFETY: A `T: Send` may be dropped by another task, and other tasks may have `&T` meanwhile.
unsafe impl<T: Send + Sync> Send for Published<T> {}
// SAFETY: `&Published<T>` gives access to nothing but `&T`.
unsafe impl<T: Send + Sync> Sync for Published<T> {}

impl<T: Send + Sync> Published<T> {
    /// Allocates a value at an address that does not change. May sleep if `flags` allow it.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory.
    pub(crate) fn new(value: T, flags: Flags) -> Result<Self> {
        let pointer = KBox::into_raw(Retirable::new(value, flags)?);
        // INVARIANT: The pointer comes from `KBox::into_raw`.
        Ok(Self {
            pointer: NonNull::new(pointer).ok_or(ENOMEM)?,
            owned: PhantomData,
        })
    }

    /// The value, whose address does not change.
    pub(crate) fn value(&self) -> &T {
        // SAFETY: By the type invariant, the pointer is valid, and there are shared references to
        // the value only.
        unsafe { &self.pointer.as_ref().value }
    }
}

impl<T: Send + Sync> Drop for Published<T> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant, the pointer came from `KBox::into_raw`, and this owns it.
        Retirable::retire(unsafe { KBox::from_raw(self.pointer.as_ptr()) });
    }
}

/// A value that is read under RCU and replaced as a whole.
///
/// # Invariants
///
/// The pointer came from `KBox::into_raw`, and this owns it.
///
/// # Examples
///
/// ```ignore
/// let limit = RcuBox::new(Retirable::new(10_u32, GFP_KERNEL)?);
///
/// // A packet in a hook.
/// let now = *limit.read(context.rcu());
///
/// // A configuration change.
/// limit.replace(Retirable::new(20, GFP_KERNEL)?);
/// ```
pub(crate) struct RcuBox<T: Send + Sync + 'static> {
    pointer: Atomic<*mut Retirable<T>>,
    owned: PhantomData<Retirable<T>>,
}

// SAFETY: A `T: Send` may be dropped by another task, and other tasks may have `&T` meanwhile.
unsafe impl<T: Send + Sync> Send for RcuBox<T> {}
// SAFETY: `&RcuBox<T>` gives access to `&T`, and to a swap of the pointer, which is atomic.
unsafe impl<T: Send + Sync> Sync for RcuBox<T> {}

impl<T: Send + Sync> RcuBox<T> {
    /// Creates a box with a first value.
    pub(crate) fn new(value: KBox<Retirable<T>>) -> Self {
        // INVARIANT: The pointer comes from `KBox::into_raw`.
        Self {
            pointer: Atomic::new(KBox::into_raw(value)),
            owned: PhantomData,
        }
    }

    /// The current value. It stays valid for as long as the guard is held, even if it is replaced
    /// meanwhile.
    #[inline]
    pub(crate) fn read<'a>(&'a self, _guard: &'a Guard) -> &'a T {
        // SAFETY: By the type invariant, the pointer is valid. A replaced value is dropped after a
        // grace period, which does not end before the guard is dropped. Accesses through the
        // pointer are ordered after the load by address dependency, as with `rcu_dereference`.
        unsafe { &(*read_once(self.pointer.as_ptr())).value }
    }

    /// Replaces the value and retires the old one.
    pub(crate) fn replace(&self, value: KBox<Retirable<T>>) {
        // INVARIANT: The new pointer comes from `KBox::into_raw`.
        let old = self.pointer.xchg(KBox::into_raw(value), Full);
        // SAFETY: By the type invariant, `old` came from `KBox::into_raw`; this exchange alone has
        // taken it out.
        Retirable::retire(unsafe { KBox::from_raw(old) });
    }
}

impl<T: Send + Sync> Drop for RcuBox<T> {
    fn drop(&mut self) {
        // Readers borrow the box, so there are none.
        // SAFETY: By the type invariant, the pointer came from `KBox::into_raw`, and this owns it.
        drop(unsafe {
            NonNull::new(*self.pointer.get_mut()).map(|raw| KBox::from_raw(raw.as_ptr()))
        });
    }
}
