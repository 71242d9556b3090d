// SPDX-License-Identifier: GPL-2.0

//! Disabling softirqs on this CPU.
//!
//! C header: [`include/linux/bottom_half.h`](srctree/include/linux/bottom_half.h)

use crate::kernel_api::bindings;
use core::marker::PhantomData;

/// While this exists, the CPU runs neither softirqs nor other tasks, so the holder may spin.
///
/// It costs nothing where softirqs are off already, as for most packets. With `PREEMPT_RT` other
/// tasks may still run. Nested guards have to be dropped in reverse order.
pub(crate) struct BhDisabled {
    /// Whether softirqs were on before.
    were_on: bool,
    /// The state is that of this CPU, so it has to stay with the task.
    not_send: PhantomData<*mut ()>,
}

impl BhDisabled {
    /// Disables softirqs until this is dropped.
    #[inline]
    pub(crate) fn new() -> Self {
        // SAFETY: `palisade_softirqs_are_off` has no requirements.
        let were_on = cfg!(CONFIG_PREEMPT_RT) || !unsafe { bindings::palisade_softirqs_are_off() };
        if were_on {
            // SAFETY: No hardirq handler calls this. `drop` enables them again, in the same task.
            unsafe { bindings::palisade_softirqs_off() };
        }
        Self {
            were_on,
            not_send: PhantomData,
        }
    }
}

impl Drop for BhDisabled {
    #[inline]
    fn drop(&mut self) {
        if self.were_on {
            // SAFETY: `new` disabled them, in the same task, as this is not `Send`.
            unsafe { bindings::palisade_softirqs_on() };
        }
    }
}
