// SPDX-License-Identifier: GPL-2.0

//! Tables of fixed size for what is kept of connections for a while.

use crate::{
    kernel_api::sync::softirq_lock::SoftirqLock,
    synproxy::prelude::*, //
};

/// The maximum number of entries. A fuzzer creates a table for each run.
const CAPACITY: usize = if cfg!(fuzzing) { 64 } else { 1024 };

/// Slots per connection.
const WAYS: usize = 4;

/// Slots scanned under the lock at a time.
const STEP: usize = 64;

/// The longest time between two runs of the work on an empty table, in jiffies.
const NEVER: u32 = 3600 * JIFFIES_PER_SECOND;

/// There is nothing in the table.
const NONE: i32 = 0;

/// There may be something.
const SOME: i32 = 1;

/// As [`SOME`], and a scan is running; nothing was added since it started.
const COUNTING: i32 = 2;

/// What is kept of a connection.
pub(crate) trait Kept: Unpin {
    /// The client's address and port, and the server's.
    fn endpoints(&self) -> &Endpoints;
}

/// What is kept of connections, each in one of a few slots. Whoever adds something decides what gives
/// way to it.
pub(crate) struct ConnectionTable<E> {
    key: HashKey,
    slots: SoftirqLock<KVVec<Option<E>>>,
    /// [`NONE`], [`SOME`] or [`COUNTING`].
    is_any: Atomic<i32>,
}

/// The first slot of the connection's set. Hashes every word of the addresses with the key: the
/// owner of a network can choose addresses freely.
pub(crate) fn first_way(key: &HashKey, endpoints: &Endpoints) -> usize {
    let ([a, b, c, d], [e, f, g, h]) = endpoints.addresses;
    let hash = key.hash(&[a, b, c, d, e, f, g, h, endpoints.port_word()]);
    (hash as usize % (CAPACITY / WAYS)).wrapping_mul(WAYS)
}

impl<E: Kept> ConnectionTable<E> {
    /// An empty table.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory.
    pub(crate) fn new() -> Result<Self> {
        let mut slots = KVVec::with_capacity(CAPACITY, GFP_KERNEL_ACCOUNT)?;
        for _ in 0..CAPACITY {
            slots.push(None, GFP_KERNEL_ACCOUNT)?;
        }
        Ok(Self {
            key: HashKey::random(),
            slots: SoftirqLock::new(slots)?,
            is_any: Atomic::new(NONE),
        })
    }

    /// Runs `with` on the slots of the connection between these endpoints, under the lock.
    pub(crate) fn with_ways<R>(
        &self,
        endpoints: &Endpoints,
        with: impl FnOnce(&mut [Option<E>]) -> R,
    ) -> R {
        self.slots.with(|slots| {
            let first = first_way(&self.key, endpoints);
            let ways = slots.get_mut(first..).unwrap_or_default();
            with(ways.get_mut(..WAYS).unwrap_or_default())
        })
    }

    /// Runs `with` on the slot of the connection between these endpoints, if there is one.
    pub(crate) fn with_slot<R>(
        &self,
        endpoints: &Endpoints,
        with: impl FnOnce(&mut Option<E>) -> Option<R>,
    ) -> Option<R> {
        self.with_ways(endpoints, |ways| {
            let is_it = |slot: &&mut Option<E>| {
                let entry = slot.as_ref();
                entry.is_some_and(|entry| entry.endpoints() == endpoints)
            };
            with(ways.iter_mut().find(is_it)?)
        })
    }

    /// Says that something was added. Returns whether the caller has to schedule the work on the
    /// table: there was nothing before.
    pub(crate) fn has_grown(&self) -> bool {
        self.is_any.load(Relaxed) != SOME && self.is_any.xchg(SOME, Relaxed) != SOME
    }

    /// Whether the table is empty.
    #[inline]
    pub(crate) fn is_idle(&self) -> bool {
        self.is_any.load(Relaxed) == NONE
    }

    /// Runs `with` on [`STEP`] slots from `first` on, under the lock.
    pub(crate) fn with_step<R>(
        &self,
        first: usize,
        with: impl FnOnce(&mut dyn Iterator<Item = &mut Option<E>>) -> R,
    ) -> R {
        self.slots.with(|slots| {
            let rest = slots.get_mut(first..).unwrap_or_default();
            with(&mut rest.iter_mut().take(STEP))
        })
    }

    /// Takes everything out, and runs `with` on it, without the lock. May sleep.
    pub(crate) fn take_all(&self, mut with: impl FnMut(&E)) {
        let Ok(mut taken) = KVec::with_capacity(STEP, GFP_KERNEL_ACCOUNT) else {
            return;
        };
        for first in (0..CAPACITY).step_by(STEP) {
            self.with_step(first, |slots| {
                for entry in slots.filter_map(Option::take) {
                    // There is room, so nothing is allocated.
                    let _ = taken.push(entry, GFP_ATOMIC);
                }
            });
            taken.iter().for_each(&mut with);
            taken.clear();
        }
    }

    /// Does the work that is due, see [`Background::run`](crate::kernel_api::work::Background::run):
    /// runs `step` for all steps, with room for something for each slot; it returns whether any of
    /// them was in use.
    pub(crate) fn work<T>(&self, mut step: impl FnMut(usize, &mut KVec<T>) -> bool) -> u32 {
        if self.is_idle() {
            return NEVER;
        }
        let Ok(mut due) = KVec::with_capacity(STEP, GFP_KERNEL_ACCOUNT) else {
            return JIFFIES_PER_SECOND;
        };
        // What is added from here on sets it back to SOME.
        self.is_any.store(COUNTING, Relaxed);
        let mut is_any = false;
        for first in (0..CAPACITY).step_by(STEP) {
            is_any |= step(first, &mut due);
        }
        if is_any {
            self.is_any.store(SOME, Relaxed);
        } else {
            // Unless something was added.
            let _ = self.is_any.cmpxchg(COUNTING, NONE, Relaxed);
        }
        // A quarter of a second does not matter after waiting for a second.
        JIFFIES_PER_SECOND / 4
    }
}
