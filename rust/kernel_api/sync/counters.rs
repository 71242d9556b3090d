// SPDX-License-Identifier: GPL-2.0

//! Counters of packets and bytes, one pair a CPU, so that counting needs no lock.
//!
//! C header: [`include/linux/percpu.h`](srctree/include/linux/percpu.h)

use crate::kernel_api::bindings;
use core::ptr::{
    addr_of_mut,
    NonNull, //
};
use kernel::prelude::*;

/// How many packets and how many bytes.
#[derive(Clone, Copy, Default)]
pub(crate) struct Totals {
    /// Number of packets.
    pub(crate) packets: u64,
    /// Number of bytes, from the network header on.
    pub(crate) bytes: u64,
}

/// Counters of packets and bytes.
///
/// # Invariants
///
/// The pointer came from `alloc_percpu_gfp`.
pub(crate) struct Counters(NonNull<bindings::palisade_counters>);

// SAFETY: Each CPU writes its own counters, with operations that are atomic on that CPU.
unsafe impl Send for Counters {}
// SAFETY: As above.
unsafe impl Sync for Counters {}

impl Counters {
    /// Allocates counters that are zero. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory.
    pub(crate) fn new() -> Result<Self> {
        // SAFETY: There are no requirements.
        let counters = unsafe { bindings::palisade_counters_alloc() };
        // INVARIANT: The pointer is what the allocation returned.
        Ok(Self(NonNull::new(counters).ok_or(ENOMEM)?))
    }

    /// Counts a packet.
    #[inline]
    pub(crate) fn count(&self, bytes: u32) {
        // SAFETY: By the type invariant these are per-CPU counters.
        unsafe { bindings::palisade_counters_add(self.0.as_ptr(), u64::from(bytes)) };
    }

    /// Sums up all CPUs.
    pub(crate) fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        self.for_each_cpu(|counters| {
            // SAFETY: The counters are valid; another CPU may write them meanwhile, as one store.
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

    /// Sets the sum; what is counted at the same moment may be lost.
    pub(crate) fn set(&self, totals: Totals) {
        let mut rest = totals;
        self.for_each_cpu(|counters| {
            // SAFETY: The counters are valid; another CPU may write them meanwhile, as one store.
            unsafe {
                addr_of_mut!((*counters).packets).write_volatile(rest.packets);
                addr_of_mut!((*counters).bytes).write_volatile(rest.bytes);
            }
            rest = Totals::default();
        });
    }

    fn for_each_cpu(&self, mut with: impl FnMut(*mut bindings::palisade_counters)) {
        for_each_cpu(|cpu| {
            // SAFETY: By the type invariant these are per-CPU counters, and the CPU is possible.
            with(unsafe { bindings::palisade_counters_of(self.0.as_ptr(), cpu) });
        });
    }
}

impl Drop for Counters {
    fn drop(&mut self) {
        // SAFETY: By the type invariant the pointer came from the per-CPU allocator.
        unsafe { bindings::free_percpu(self.0.as_ptr().cast()) };
    }
}

fn for_each_cpu(mut with: impl FnMut(u32)) {
    // SAFETY: There are no requirements.
    let count = unsafe { bindings::palisade_cpu_count() };
    // SAFETY: -1 asks for the first CPU.
    let mut cpu = unsafe { bindings::palisade_next_possible_cpu(-1) };
    while cpu < count {
        with(cpu);
        // SAFETY: The CPU is below the number of CPUs.
        cpu = unsafe { bindings::palisade_next_possible_cpu(cpu as i32) };
    }
}

/// Counters of `N` kinds of events.
///
/// # Invariants
///
/// The pointer came from `palisade_events_alloc` for that number.
pub(crate) struct EventCounters<const N: usize>(NonNull<u64>);

// SAFETY: As for `Counters`.
unsafe impl<const N: usize> Send for EventCounters<N> {}
// SAFETY: As for `Counters`.
unsafe impl<const N: usize> Sync for EventCounters<N> {}

impl<const N: usize> EventCounters<N> {
    /// Allocates counters that are zero. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory.
    pub(crate) fn new() -> Result<Self> {
        // SAFETY: There are no requirements.
        let events = unsafe { bindings::palisade_events_alloc(N as u32) };
        // INVARIANT: The pointer is what the allocation returned.
        Ok(Self(NonNull::new(events).ok_or(ENOMEM)?))
    }

    /// Counts an event of that kind; of one that there is not, nothing.
    #[inline]
    pub(crate) fn count(&self, kind: usize) {
        if kind < N {
            // SAFETY: By the type invariant there is such a per-CPU counter.
            unsafe { bindings::palisade_events_add(self.0.as_ptr(), kind as u32) };
        }
    }

    /// Sums up all CPUs.
    pub(crate) fn totals(&self) -> [u64; N] {
        let mut totals = [0_u64; N];
        for_each_cpu(|cpu| {
            // SAFETY: By the type invariant these are per-CPU counters, and the CPU is possible.
            let events = unsafe { bindings::palisade_events_of(self.0.as_ptr(), cpu) };
            for (kind, total) in totals.iter_mut().enumerate() {
                // SAFETY: There are so many; another CPU may write them meanwhile, as one store.
                *total = total.wrapping_add(unsafe { events.add(kind).read_volatile() });
            }
        });
        totals
    }
}

impl<const N: usize> Drop for EventCounters<N> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant the pointer came from the per-CPU allocator.
        unsafe { bindings::free_percpu(self.0.as_ptr().cast()) };
    }
}
