// SPDX-License-Identifier: GPL-2.0

//! Where other CPUs may come between: the tests of races have a scheduler there, all others nothing.

use std::{cell::Cell, sync::OnceLock};

/// What the scheduler offers.
pub struct Scheduler {
    /// Lets another CPU go on, or not.
    pub interleave: fn(),
    /// Lets another CPU go on, as this one can do nothing before that.
    pub wait: fn(),
    /// Which CPU this is.
    pub cpu: fn() -> usize,
}

static SCHEDULER: OnceLock<Scheduler> = OnceLock::new();

thread_local! {
    static IS_RUNNING: Cell<bool> = const { Cell::new(false) };
}

/// From here on, or no more.
pub fn run(scheduler: Scheduler, is_running: bool) {
    SCHEDULER.get_or_init(|| scheduler);
    IS_RUNNING.set(is_running);
}

/// Whether there are other CPUs.
pub fn is_running() -> bool {
    IS_RUNNING.get() && !std::thread::panicking()
}

/// Which CPU this is, where there are others.
pub fn cpu() -> Option<usize> {
    is_running().then(|| (SCHEDULER.get().unwrap().cpu)())
}

/// Here another CPU may come between.
pub fn interleave() {
    if is_running() {
        (SCHEDULER.get().unwrap().interleave)();
    }
}

/// Here another CPU has to come between.
pub fn wait() {
    if is_running() {
        (SCHEDULER.get().unwrap().wait)();
    }
}
