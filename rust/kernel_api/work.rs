// SPDX-License-Identifier: GPL-2.0

//! Work that runs in the background: periodically, or when it is asked for.
//!
//! C header: [`include/linux/workqueue.h`](srctree/include/linux/workqueue.h)

use super::{
    bindings,
    net::netns::{
        NamespaceUse,
        Scope, //
    },
};
use core::mem::offset_of;
use kernel::{
    prelude::*,
    sync::Arc,
    types::Opaque, //
};

/// WORK_CPU_UNBOUND of `include/linux/workqueue.h`: any CPU.
const ANY_CPU: i32 = kernel::bindings::wq_misc_consts_WORK_CPU_UNBOUND as i32;

/// Work to do in the background.
pub(crate) trait Background: Send + Sync + 'static {
    /// Does the work, in process context, and returns the number of jiffies until the next run.
    fn run(&self) -> u32;
}

/// Runs a [`Background`] for a namespace until this is dropped.
///
/// # Invariants
///
/// The inner box is at a stable address, and its work is initialised.
///
/// # Examples
///
/// ```ignore
/// struct Ageing(Arc<Table>);
///
/// impl Background for Ageing {
///     fn run(&self) -> u32 {
///         self.0.remove_expired();
///         JIFFIES_PER_SECOND
///     }
/// }
///
/// let ageing = Periodic::start(&scope, Ageing(table), 0)?;
/// ```
pub(crate) struct Periodic<T: Background> {
    inner: KBox<Inner<T>>,
    /// Makes the end of the namespace wait for this.
    _namespace: NamespaceUse,
}

#[repr(C)]
struct Inner<T> {
    work: Opaque<bindings::delayed_work>,
    background: T,
}

// SAFETY: Delayed work can be queued and disabled by any task, and `T` is `Send`.
unsafe impl<T: Background> Send for Periodic<T> {}
// SAFETY: The workqueue functions may be called for the same work by several tasks, and `T` is
// `Sync`.
unsafe impl<T: Background> Sync for Periodic<T> {}

impl<T: Background> Periodic<T> {
    /// Starts the work, with a first run after `delay` jiffies.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory, `ENODEV` when the namespace is ending.
    pub(crate) fn start(scope: &Arc<Scope>, background: T, delay: u32) -> Result<Self> {
        let namespace = scope.enter()?;
        let inner = Inner::new(background, Self::run)?;
        // SAFETY: The work was just initialised.
        unsafe { queue(inner.work.get(), delay) };
        // INVARIANT: The work was just initialised, and a box does not move its content.
        Ok(Self {
            inner,
            _namespace: namespace,
        })
    }

    /// Runs the work now. The delay to the next run counts from there.
    pub(crate) fn hurry(&self) {
        self.run_after(0);
    }

    /// Runs the work after `delay` jiffies, instead of when it was due. May be called for a packet.
    pub(crate) fn run_after(&self, delay: u32) {
        // SAFETY: By the type invariant, the work is initialised.
        unsafe {
            bindings::mod_delayed_work_on(
                ANY_CPU,
                bindings::system_dfl_wq,
                self.inner.work.get(),
                delay as usize,
            );
        }
    }

    /// # Safety
    ///
    /// `work` has to be that of an [`Inner<T>`] that outlives the call.
    unsafe extern "C" fn run(work: *mut bindings::work_struct) {
        // SAFETY: By the function's safety requirements; `drop` waits for this call before it is freed.
        let inner = unsafe { Inner::<T>::of(work) };
        // SAFETY: By the function's safety requirements, the work is initialised: it is running.
        unsafe { queue(inner.work.get(), inner.background.run()) };
    }
}

/// Work to do in the background when it is asked for.
pub(crate) trait Deferrable: Send + Sync + 'static {
    /// Does the work, in process context. If something is left to do, returns the number of jiffies
    /// until the next run.
    fn run(&self) -> Option<u32>;
}

/// Runs a [`Deferrable`] whenever it is asked to, until this is stopped or dropped. It keeps no
/// namespace from ending: the work enters the [`Scope`] itself.
///
/// # Invariants
///
/// The inner box is at a stable address, and its work is initialised.
///
/// # Examples
///
/// ```ignore
/// struct Report(Arc<Statistics>);
///
/// impl Deferrable for Report {
///     fn run(&self) -> Option<u32> {
///         self.0.report();
///         None
///     }
/// }
///
/// let report = Deferred::new(Report(statistics))?;
/// report.schedule(JIFFIES_PER_SECOND);
/// ```
pub(crate) struct Deferred<T: Deferrable> {
    inner: KBox<Inner<T>>,
}

// SAFETY: Delayed work can be queued and disabled by any task, and `T` is `Send`.
unsafe impl<T: Deferrable> Send for Deferred<T> {}
// SAFETY: The workqueue functions may be called for the same work by several tasks, and `T` is
// `Sync`.
unsafe impl<T: Deferrable> Sync for Deferred<T> {}

impl<T: Deferrable> Deferred<T> {
    /// Work that is not asked for yet. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory.
    pub(crate) fn new(background: T) -> Result<Self> {
        let inner = Inner::new(background, Self::run)?;
        // INVARIANT: The work was just initialised, and a box does not move its content.
        Ok(Self { inner })
    }

    /// Runs the work after `delay` jiffies, unless it is due already. May be called for a packet.
    pub(crate) fn schedule(&self, delay: u32) {
        // SAFETY: By the type invariant, the work is initialised.
        unsafe { queue(self.inner.work.get(), delay) };
    }

    /// Waits for the work if it runs. After this it does not run any more. May sleep.
    pub(crate) fn stop(&self) {
        // SAFETY: By the type invariant, the work is initialised.
        unsafe { disable(self.inner.work.get()) };
    }

    /// # Safety
    ///
    /// `work` has to be that of an [`Inner<T>`] that outlives the call.
    unsafe extern "C" fn run(work: *mut bindings::work_struct) {
        // SAFETY: By the function's safety requirements.
        let inner = unsafe { Inner::<T>::of(work) };
        if let Some(delay) = inner.background.run() {
            // SAFETY: By the function's safety requirements, the work is initialised: it is running.
            unsafe { queue(inner.work.get(), delay) };
        }
    }
}

impl<T: Deferrable> Drop for Deferred<T> {
    fn drop(&mut self) {
        self.stop();
    }
}

impl<T> Inner<T> {
    /// Work that calls `run`, initialised and not queued yet.
    fn new(
        background: T,
        run: unsafe extern "C" fn(*mut bindings::work_struct),
    ) -> Result<KBox<Self>> {
        let inner = KBox::new(
            Self {
                work: Opaque::zeroed(),
                background,
            },
            GFP_KERNEL_ACCOUNT,
        )?;
        // SAFETY: The work is in its box, where it stays, and is not queued yet.
        unsafe { bindings::palisade_delayed_work_init(inner.work.get(), Some(run)) };
        Ok(inner)
    }

    /// # Safety
    ///
    /// `work` has to be that of an `Inner<T>` that is valid for `'a`.
    unsafe fn of<'a>(work: *mut bindings::work_struct) -> &'a Self {
        let offset = offset_of!(Self, work) + offset_of!(bindings::delayed_work, work);
        // SAFETY: By the function's safety requirements, `work` lies in a valid `Inner<T>`.
        unsafe { &*work.byte_sub(offset).cast::<Self>() }
    }
}

/// # Safety
///
/// The work has to be initialised.
unsafe fn disable(work: *mut bindings::delayed_work) {
    // SAFETY: By the function's safety requirements, the work is initialised. After this it does not
    // run and cannot be queued.
    unsafe { bindings::disable_delayed_work_sync(work) };
}

/// # Safety
///
/// The work has to be initialised.
unsafe fn queue(work: *mut bindings::delayed_work, delay: u32) {
    // SAFETY: By the function's safety requirements, the work is initialised. Queueing disabled
    // work does nothing.
    unsafe {
        bindings::queue_delayed_work_on(ANY_CPU, bindings::system_dfl_wq, work, delay as usize);
    }
}

impl<T: Background> Drop for Periodic<T> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant, the work is initialised.
        unsafe { disable(self.inner.work.get()) };
    }
}

/// Reschedules if that is due. Has to be called in process context, without locks.
pub(crate) fn cond_resched() {
    // SAFETY: `palisade_cond_resched` has no requirements but the context, in which a misuse warns.
    unsafe { bindings::palisade_cond_resched() };
}
