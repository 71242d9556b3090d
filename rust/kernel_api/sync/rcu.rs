// SPDX-License-Identifier: GPL-2.0

//! Values that packets read under RCU while the configuration replaces them.
//!
//! What is replaced is dropped in a workqueue after a grace period, so that whoever replaces it need not
//! wait and whatever its destructor does may sleep.
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

/// The workqueue that drops what was retired, while a [`Reclaimer`] exists.
static QUEUE: Atomic<*mut bindings::workqueue_struct> = Atomic::new(core::ptr::null_mut());

/// Lets values be retired. One exists while the module is loaded; it has to go last.
///
/// # Invariants
///
/// [`QUEUE`] holds a workqueue that belongs to this reclaimer.
pub(crate) struct Reclaimer(());

impl Reclaimer {
    /// Starts the workqueue.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory, `EBUSY` when there is a reclaimer already.
    pub(crate) fn start() -> Result<Self> {
        // SAFETY: The name is a C string that lives for ever.
        let queue =
            unsafe { bindings::palisade_workqueue_alloc(c"palisade_reclaim".as_char_ptr()) };
        if queue.is_null() {
            return Err(ENOMEM);
        }
        if QUEUE.cmpxchg(core::ptr::null_mut(), queue, Full).is_err() {
            // SAFETY: The queue was just made, and nobody else knows it.
            unsafe { bindings::destroy_workqueue(queue) };
            return Err(EBUSY);
        }
        // INVARIANT: The workqueue was just put there.
        Ok(Self(()))
    }
}

impl Drop for Reclaimer {
    fn drop(&mut self) {
        // From here on nobody finds the queue: what is dropped in it and retires something waits itself.
        let queue = QUEUE.xchg(core::ptr::null_mut(), Full);
        // SAFETY: By the type invariant it is our workqueue, and the module's exit may sleep. Grace periods
        // that are still running end with the first barrier; their work is in the queue then
        // (`rcu_work_rcufn`). What of that found the queue before it was taken away is over when the queue was
        // flushed, and what it has retired is in the queue after the second barrier. Nothing can be queued
        // any more then, as `destroy_workqueue` demands; it runs what is left.
        unsafe {
            bindings::rcu_barrier();
            bindings::palisade_workqueue_flush(queue);
            bindings::rcu_barrier();
            bindings::destroy_workqueue(queue);
        }
    }
}

/// Waits until all that was retired so far has been dropped. May sleep, for some grace periods.
pub(crate) fn wait_for_retired() {
    // When the grace periods of all that was retired are over, the work of each is in the queue.
    // SAFETY: The caller may sleep.
    unsafe { bindings::rcu_barrier() };
    let queue = QUEUE.load(Acquire);
    if !queue.is_null() {
        // SAFETY: The queue exists until the reclaimer goes, which is after all who retire anything.
        unsafe { bindings::palisade_workqueue_flush(queue) };
    }
}

/// A value that can wait for a grace period and then be dropped.
#[repr(C)]
pub(crate) struct Retirable<T> {
    work: Opaque<bindings::rcu_work>,
    value: T,
}

// SAFETY: The work is only used by whoever retires the value.
unsafe impl<T: Sync> Sync for Retirable<T> {}
// SAFETY: The value may be dropped by the thread that runs the workqueue.
unsafe impl<T: Send> Send for Retirable<T> {}

impl<T: Send + 'static> Retirable<T> {
    /// Puts a value on the heap together with what it takes to retire it. May sleep, if the flags say so.
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

    /// The value, which nobody else can see yet.
    pub(crate) fn value_mut(&mut self) -> &mut T {
        &mut self.value
    }

    /// Drops the value in process context, once all readers that may see it are gone.
    pub(crate) fn retire(this: KBox<Self>) {
        let queue = QUEUE.load(Acquire);
        if queue.is_null() {
            // The module is going away, and with it the hooks went: waiting is all that is left.
            // SAFETY: There are no requirements, but that the caller may sleep, as all callers can then.
            unsafe { kernel::bindings::synchronize_rcu() };
            drop(this);
            return;
        }
        let raw = KBox::into_raw(this);
        // SAFETY: `raw` is valid; the work is at its final place and not queued.
        unsafe {
            let work = Opaque::cast_into(&raw const (*raw).work);
            bindings::palisade_rcu_work_init(work, Some(Self::reclaim));
            bindings::queue_rcu_work(queue, work);
        }
    }

    /// # Safety
    ///
    /// The work has to be that of a value that [`Retirable::retire`] queued.
    unsafe extern "C" fn reclaim(work: *mut bindings::work_struct) {
        let offset = offset_of!(Self, work) + offset_of!(bindings::rcu_work, work);
        // SAFETY: The work was queued by `retire`, so it lies in a `Retirable<T>` that was a `KBox`.
        drop(unsafe { KBox::from_raw(work.byte_sub(offset).cast::<Self>()) });
    }
}

/// A value whose address C code was given, which reads it under RCU: until a grace period after it was taken back.
///
/// However its owner loses it, on the way of an error as well, it is retired and never dropped at once. So where C
/// code may have published an address before it failed, nothing has to be remembered.
///
/// # Invariants
///
/// The pointer came from `KBox::into_raw`.
pub(crate) struct Published<T: Send + Sync + 'static> {
    pointer: NonNull<Retirable<T>>,
    owned: PhantomData<KBox<Retirable<T>>>,
}

// SAFETY: Others get `&T`, and a `T` may be dropped by another thread.
unsafe impl<T: Send + Sync> Send for Published<T> {}
// SAFETY: As above.
unsafe impl<T: Send + Sync> Sync for Published<T> {}

impl<T: Send + Sync> Published<T> {
    /// Puts a value where it stays. May sleep, if the flags say so.
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
        // SAFETY: By the type invariant the pointer is valid, and nobody has a reference that can write.
        unsafe { &self.pointer.as_ref().value }
    }
}

impl<T: Send + Sync> Drop for Published<T> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant.
        Retirable::retire(unsafe { KBox::from_raw(self.pointer.as_ptr()) });
    }
}

/// A value that is read under RCU and replaced as a whole.
///
/// # Invariants
///
/// The pointer came from `KBox::into_raw`.
pub(crate) struct RcuBox<T: Send + Sync + 'static> {
    pointer: Atomic<*mut Retirable<T>>,
    owned: PhantomData<Retirable<T>>,
}

// SAFETY: Readers get `&T`, and a `T` may be dropped by another thread.
unsafe impl<T: Send + Sync> Send for RcuBox<T> {}
// SAFETY: As above.
unsafe impl<T: Send + Sync> Sync for RcuBox<T> {}

impl<T: Send + Sync> RcuBox<T> {
    /// Puts a first value there.
    pub(crate) fn new(value: KBox<Retirable<T>>) -> Self {
        // INVARIANT: The pointer comes from `KBox::into_raw`.
        Self {
            pointer: Atomic::new(KBox::into_raw(value)),
            owned: PhantomData,
        }
    }

    /// The value now. Whoever holds the guard may use it as long, even when it was replaced.
    #[inline]
    pub(crate) fn read<'a>(&'a self, _guard: &'a Guard) -> &'a T {
        // SAFETY: By the type invariant the pointer is valid; what is replaced lives for another grace
        // period, which does not end before the guard does. Reading once is enough for what depends
        // on the pointer, as in `rcu_dereference`.
        unsafe { &(*read_once(self.pointer.as_ptr())).value }
    }

    /// Replaces the value and retires the old one.
    pub(crate) fn replace(&self, value: KBox<Retirable<T>>) {
        // INVARIANT: The pointer comes from `KBox::into_raw`.
        let old = self.pointer.xchg(KBox::into_raw(value), Full);
        // SAFETY: By the type invariant, and since it was taken out by this call alone.
        Retirable::retire(unsafe { KBox::from_raw(old) });
    }
}

impl<T: Send + Sync> Drop for RcuBox<T> {
    fn drop(&mut self) {
        // Readers borrow the box, so there are none.
        // SAFETY: By the type invariant.
        drop(unsafe {
            NonNull::new(*self.pointer.get_mut()).map(|raw| KBox::from_raw(raw.as_ptr()))
        });
    }
}
