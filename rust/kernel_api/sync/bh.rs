// SPDX-License-Identifier: GPL-2.0

//! Keeping softirqs off this CPU.
//!
//! C header: [`include/linux/bottom_half.h`](srctree/include/linux/bottom_half.h)

use crate::kernel_api::bindings;
use core::marker::PhantomData;

/// While it exists, this CPU runs neither softirqs nor other tasks than this one, so that it may spin.
///
/// Where softirqs are off already, as where most packets are, there is nothing to do. With `PREEMPT_RT`,
/// that keeps no other task away. Of several, the one that was made first is to be dropped last.
pub(crate) struct BhDisabled {
    /// Whether they were on before.
    were_on: bool,
    /// It belongs to this CPU, so it stays with the task.
    not_send: PhantomData<*mut ()>,
}

impl BhDisabled {
    /// Turns them off until this is dropped.
    #[inline(always)]
    pub(crate) fn new() -> Self {
        // SAFETY: There are no requirements.
        let were_on = cfg!(CONFIG_PREEMPT_RT) || !unsafe { bindings::palisade_softirqs_are_off() };
        if were_on {
            // SAFETY: They are turned on again when this is dropped.
            unsafe { bindings::palisade_softirqs_off() };
        }
        Self {
            were_on,
            not_send: PhantomData,
        }
    }
}

impl Drop for BhDisabled {
    #[inline(always)]
    fn drop(&mut self) {
        if self.were_on {
            // SAFETY: They were turned off when this was made, by the same task.
            unsafe { bindings::palisade_softirqs_on() };
        }
    }
}
