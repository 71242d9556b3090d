// SPDX-License-Identifier: GPL-2.0

//! Locks, RCU, and memory that packets share.

pub(super) mod bh;
pub(crate) mod buckets;
pub(crate) mod counters;
mod lkmm;
pub(crate) mod lockdep;
mod queue;
pub(crate) mod rcu;
pub(crate) mod records;
pub(crate) mod softirq_lock;
pub(crate) mod words;
