// SPDX-License-Identifier: GPL-2.0

//! Work that is done in the background from time to time.
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

/// What is to be done in the background.
pub(crate) trait Background: Send + Sync + 'static {
    /// Does it, in process context, and returns after how many jiffies it is to be done again.
    fn run(&self) -> u32;
}

/// Runs a [`Background`] on behalf of a namespace until it is dropped.
///
/// # Invariants
///
/// The inner box is at a stable address, and its work is initialised.
pub(crate) struct Periodic<T: Background> {
    inner: KBox<Inner<T>>,
    /// So it does not go on when the namespace ends.
    _namespace: NamespaceUse,
}

#[repr(C)]
struct Inner<T> {
    work: Opaque<bindings::delayed_work>,
    background: T,
}

// SAFETY: The work is made to be queued and cancelled from any thread.
unsafe impl<T: Background> Send for Periodic<T> {}
// SAFETY: As above.
unsafe impl<T: Background> Sync for Periodic<T> {}

impl<T: Background> Periodic<T> {
    /// Starts it: it runs for the first time after `delay` jiffies.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory, `ENODEV` when the namespace ends.
    pub(crate) fn start(scope: &Arc<Scope>, background: T, delay: u32) -> Result<Self> {
        let namespace = scope.enter()?;
        let inner = KBox::new(
            Inner {
                work: Opaque::zeroed(),
                background,
            },
            GFP_KERNEL_ACCOUNT,
        )?;
        // SAFETY: The work is at its final place and not queued.
        unsafe { bindings::palisade_delayed_work_init(inner.work.get(), Some(Self::run)) };
        queue(inner.work.get(), delay);
        // INVARIANT: The work was just initialised, and a box does not move what is in it.
        Ok(Self {
            inner,
            _namespace: namespace,
        })
    }

    /// Runs it now; the time to the next run counts from there.
    pub(crate) fn hurry(&self) {
        self.run_after(0);
    }

    /// Runs it after so many jiffies instead of when it would have run. Packets may call this, too.
    pub(crate) fn run_after(&self, delay: u32) {
        // SAFETY: By the type invariant the work is initialised.
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
    /// The work has to be that of an [`Inner`] which outlives the call.
    unsafe extern "C" fn run(work: *mut bindings::work_struct) {
        let offset = offset_of!(Inner<T>, work) + offset_of!(bindings::delayed_work, work);
        // SAFETY: The work lies in an `Inner<T>`, which is not freed before the work is disabled.
        let inner = unsafe { &*work.byte_sub(offset).cast::<Inner<T>>() };
        queue(inner.work.get(), inner.background.run());
    }
}

fn queue(work: *mut bindings::delayed_work, delay: u32) {
    // SAFETY: The work is initialised; queueing one that was disabled does nothing.
    unsafe {
        bindings::queue_delayed_work_on(ANY_CPU, bindings::system_dfl_wq, work, delay as usize);
    }
}

impl<T: Background> Drop for Periodic<T> {
    fn drop(&mut self) {
        // SAFETY: The work is initialised. After this it neither runs nor can be queued.
        unsafe { bindings::disable_delayed_work_sync(self.inner.work.get()) };
    }
}

/// Lets others run, where that is due. Has to be called in process context, without locks.
pub(crate) fn cond_resched() {
    // SAFETY: There are no requirements but those above.
    unsafe { bindings::palisade_cond_resched() };
}
