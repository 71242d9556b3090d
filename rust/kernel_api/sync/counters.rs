// SPDX-License-Identifier: GPL-2.0

//! Per-CPU counters of packets and bytes, which need no lock.
//!
//! C header: [`include/linux/percpu.h`](srctree/include/linux/percpu.h)

use crate::kernel_api::bindings;
use core::ptr::{
    addr_of_mut,
    NonNull, //
};
use kernel::prelude::*;

/// The sums of a [`Counters`].
#[derive(Clone, Copy, Default)]
pub(crate) struct Totals {
    /// Number of packets.
    pub(crate) packets: u64,
    /// Number of bytes, from the network header on.
    pub(crate) bytes: u64,
}

/// Per-CPU counters of packets and bytes.
///
/// # Invariants
///
/// The pointer came from `alloc_percpu_gfp` and was not freed.
///
/// # Examples
///
/// ```ignore
/// let counters = Counters::new()?;
/// counters.count(skb.len());
/// let Totals { packets, bytes } = counters.totals();
/// ```
pub(crate) struct Counters(NonNull<bindings::palisade_counters>);

// SAFETY: Per-CPU memory belongs to no task, and `free_percpu` may be called from any task.
unsafe impl Send for Counters {}
// SAFETY: Each CPU adds to its own counters only, in a way that nothing else on that CPU
// interrupts; `totals` and `set` access each counter with one load or store.
unsafe impl Sync for Counters {}

impl Counters {
    /// Allocates zeroed counters. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory.
    pub(crate) fn new() -> Result<Self> {
        // SAFETY: `palisade_counters_alloc` has no requirements but process context, in which a
        // misuse warns.
        let counters = unsafe { bindings::palisade_counters_alloc() };
        // INVARIANT: The pointer is what `alloc_percpu_gfp` returned.
        Ok(Self(NonNull::new(counters).ok_or(ENOMEM)?))
    }

    /// Counts a packet of `bytes` bytes.
    #[inline]
    pub(crate) fn count(&self, bytes: u32) {
        // SAFETY: By the type invariant, the pointer is to per-CPU counters.
        unsafe { bindings::palisade_counters_add(self.0.as_ptr(), u64::from(bytes)) };
    }

    /// Sums up the counters of all CPUs.
    pub(crate) fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        self.for_each_cpu(|counters| {
            // SAFETY: `for_each_cpu` passes valid counters. Their CPU may update them meanwhile,
            // with one store each.
            let (packets, bytes) = unsafe {
                (
                    addr_of_mut!((*counters).packets).read_volatile(),
                    addr_of_mut!((*counters).bytes).read_volatile(),
                )
            };
            totals.packets = totals.packets.wrapping_add(packets);
            totals.bytes = totals.bytes.wrapping_add(bytes);
        });
        totals
    }

    /// Sets the sums. Packets counted at the same time may be lost.
    pub(crate) fn set(&self, totals: Totals) {
        let mut rest = totals;
        self.for_each_cpu(|counters| {
            // SAFETY: `for_each_cpu` passes valid counters. Their CPU may update them meanwhile,
            // with one store each.
            unsafe {
                addr_of_mut!((*counters).packets).write_volatile(rest.packets);
                addr_of_mut!((*counters).bytes).write_volatile(rest.bytes);
            }
            rest = Totals::default();
        });
    }

    fn for_each_cpu(&self, mut with: impl FnMut(*mut bindings::palisade_counters)) {
        for_each_cpu(|cpu| {
            // SAFETY: By the type invariant, the pointer is to per-CPU counters, and `cpu` is a
            // possible CPU.
            with(unsafe { bindings::palisade_counters_of(self.0.as_ptr(), cpu) });
        });
    }
}

impl Drop for Counters {
    fn drop(&mut self) {
        // SAFETY: By the type invariant, the pointer came from the per-CPU allocator. Nobody uses
        // it any more, since `self` is borrowed exclusively.
        unsafe { bindings::free_percpu(self.0.as_ptr().cast()) };
    }
}

fn for_each_cpu(mut with: impl FnMut(u32)) {
    // SAFETY: `palisade_cpu_count` has no requirements.
    let count = unsafe { bindings::palisade_cpu_count() };
    // SAFETY: -1 asks for the first CPU.
    let mut cpu = unsafe { bindings::palisade_next_possible_cpu(-1) };
    while cpu < count {
        with(cpu);
        // SAFETY: `cpu` is below `nr_cpu_ids`.
        cpu = unsafe { bindings::palisade_next_possible_cpu(cpu as i32) };
    }
}

/// Per-CPU counters of `N` kinds of events.
///
/// # Invariants
///
/// The pointer came from `palisade_events_alloc` for `N` counters and was not freed.
pub(crate) struct EventCounters<const N: usize>(NonNull<u64>);

// SAFETY: Per-CPU memory belongs to no task, and `free_percpu` may be called from any task.
unsafe impl<const N: usize> Send for EventCounters<N> {}
// SAFETY: Each CPU adds to its own counters only, in a way that nothing else on that CPU
// interrupts; `totals` reads each counter with one load.
unsafe impl<const N: usize> Sync for EventCounters<N> {}

impl<const N: usize> EventCounters<N> {
    /// Allocates zeroed counters. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory.
    pub(crate) fn new() -> Result<Self> {
        // SAFETY: `palisade_events_alloc` has no requirements but process context, in which a
        // misuse warns.
        let events = unsafe { bindings::palisade_events_alloc(N as u32) };
        // INVARIANT: The pointer is what the allocation for `N` counters returned.
        Ok(Self(NonNull::new(events).ok_or(ENOMEM)?))
    }

    /// Counts an event. A `kind` of `N` or more is ignored.
    #[inline]
    pub(crate) fn count(&self, kind: usize) {
        if kind < N {
            // SAFETY: By the type invariant there are `N` per-CPU counters, and `kind` is below
            // `N`.
            unsafe { bindings::palisade_events_add(self.0.as_ptr(), kind as u32) };
        }
    }

    /// Sums up the counters of all CPUs.
    pub(crate) fn totals(&self) -> [u64; N] {
        let mut totals = [0_u64; N];
        for_each_cpu(|cpu| {
            // SAFETY: By the type invariant, the pointer is to per-CPU counters, and `cpu` is a
            // possible CPU.
            let events = unsafe { bindings::palisade_events_of(self.0.as_ptr(), cpu) };
            for (kind, total) in totals.iter_mut().enumerate() {
                // SAFETY: By the type invariant, a CPU has `N` counters, and `kind` is below `N`.
                // The CPU may update them meanwhile, with one store each.
                *total = total.wrapping_add(unsafe { events.add(kind).read_volatile() });
            }
        });
        totals
    }
}

impl<const N: usize> Drop for EventCounters<N> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant, the pointer came from the per-CPU allocator. Nobody uses
        // it any more, since `self` is borrowed exclusively.
        unsafe { bindings::free_percpu(self.0.as_ptr().cast()) };
    }
}
