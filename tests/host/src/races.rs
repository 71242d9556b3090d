// SPDX-License-Identifier: GPL-2.0

//! Lockless code on several CPUs, in many of the possible orders of their accesses.
//!
//! Each thread stands for a CPU. At each access to shared memory of the module's own source, in
//! `kernel_api/sync/lkmm.rs` and the stand-in for `kernel::sync::atomic`, Shuttle decides which one
//! continues. It assumes sequential consistency: reordering by CPUs and compilers is not tested. A
//! grace period ends as soon as it can, and freed memory is filled with garbage.

mod heap;
mod lists;
mod published;

use crate::c;
use kernel::races::Scheduler;
use shuttle::{
    scheduler::{PctScheduler, RandomScheduler, Scheduler as Schedules},
    sync::atomic::AtomicU32,
    Config, FailurePersistence, MaxSteps, Runner,
};
use std::{
    env,
    sync::{atomic::Ordering, Once},
};

/// How many orders to try, half of them with few switches between CPUs.
const ORDERS: usize = 300;

/// The number of switches in those.
const CHANGES: usize = 3;

fn interleave() {
    static ANY: AtomicU32 = AtomicU32::new(0);
    ANY.load(Ordering::SeqCst);
}

fn scheduler() -> Scheduler {
    Scheduler {
        interleave,
        wait: shuttle::thread::yield_now,
        cpu: || shuttle::current::me().into(),
    }
}

/// Tries many orders; `RACES_ORDERS` sets how many, `RACES_SEED` which.
pub(crate) fn explore(test: fn()) {
    explore_more(1, test);
}

/// As [`explore`], with `times` times as many orders, if hardly any of them matters.
pub(crate) fn explore_more(times: usize, test: fn()) {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        core::mem::forget(crate::kernel_api::sync::rcu::Reclaimer::start());
    });
    let number = |name, default| {
        let variable = env::var(name).ok().filter(|value| !value.is_empty());
        variable.map_or(default, |value| value.parse().expect("a number"))
    };
    let orders = times * number("RACES_ORDERS", ORDERS);
    let seed = number("RACES_SEED", 1) as u64;
    run(RandomScheduler::new_from_seed(seed, orders / 2), test);
    run(PctScheduler::new_from_seed(seed, CHANGES, orders / 2), test);
}

fn run(schedules: impl Schedules + 'static, test: fn()) {
    let mut config = Config::new();
    config.stack_size = 1 << 18;
    config.failure_persistence = FailurePersistence::None;
    config.max_steps = MaxSteps::FailAfter(200_000);
    config.silence_warnings = true;
    Runner::new(schedules, config).run(move || {
        kernel::races::run(scheduler(), true);
        test();
        kernel::races::run(scheduler(), false);
        c::run_retired();
        c::set_hash_mask(u32::MAX);
    });
}

/// Runs these CPUs concurrently.
pub(crate) fn at_once(cpus: &[&(dyn Fn() + Sync)]) {
    shuttle::thread::scope(|scope| {
        for cpu in cpus {
            scope.spawn(cpu);
        }
    });
}
