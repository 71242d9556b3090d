// SPDX-License-Identifier: GPL-2.0

//! What is used by several CPUs without a lock, in many of the orders that their accesses may have.
//!
//! Each thread stands for a CPU. Shuttle decides at each access to shared memory of the module's own source, in
//! `kernel_api/lkmm.rs` and the stand-in for `kernel::sync::atomic`, which one goes on. It takes all accesses to
//! happen one after another: what a CPU or a compiler may put in another order is not tried.
//! A grace period ends as soon as it can, and memory that was freed is filled with rubbish.

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

/// How many orders are tried, half of them with few changes of the CPU that goes on.
const ORDERS: usize = 300;

/// So many changes then.
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

/// Tries many orders; `RACES_ORDERS` says how many, `RACES_SEED` which.
pub(crate) fn explore(test: fn()) {
    explore_more(1, test);
}

/// As [`explore`], so many times as many orders: where hardly any of them matters.
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

/// What these CPUs do at once.
pub(crate) fn at_once(cpus: &[&(dyn Fn() + Sync)]) {
    shuttle::thread::scope(|scope| {
        for cpu in cpus {
            scope.spawn(cpu);
        }
    });
}
