// SPDX-License-Identifier: GPL-2.0

//! Whether the IPv4 routing table has a local route for each address of this host.

use super::fib4;
use crate::kernel_api::bindings;
use core::mem::offset_of;
use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};

/// The most devices and addresses that are checked.
const LOOKED_AT_MAX: usize = 256;

/// The number of bits for the result; the generation of the routing table is above them.
const FOUND: u32 = 2;
/// There is a result.
const IS_KNOWN: u64 = 1;
/// All addresses have a local route.
const ARE_ROUTED: u64 = 2;

/// A cache of whether all addresses of a namespace have a local route. Addresses of devices that
/// are down have none, but are still not valid as the source of others (`fib_validate_source`).
/// Checking per packet would cost as much as a route lookup, so the result is cached with the
/// generation of the routing table, as the kernel's own caches are.
pub(crate) struct OwnAddresses(Atomic<u64>);

impl OwnAddresses {
    /// Creates an empty cache.
    pub(crate) const fn new() -> Self {
        Self(Atomic::new(0))
    }

    /// Whether all addresses are known to have a local route.
    ///
    /// # Safety
    ///
    /// The namespace has to be valid and have no policy rules, and RCU has to be held.
    #[inline]
    pub(in crate::kernel_api) unsafe fn are_routed(&self, net: *mut bindings::net) -> bool {
        // SAFETY: By the function's safety requirements, the namespace is valid. The generation is
        // read before the tables, and bumped after they change (`rt_cache_flush`).
        let generation = unsafe { (&raw const (*net).ipv4.rt_genid.counter).read_volatile() };
        let now = u64::from(generation as u32) << FOUND | IS_KNOWN;
        let found = self.0.load(Relaxed);
        if found & !ARE_ROUTED == now {
            return found & ARE_ROUTED != 0;
        }
        // SAFETY: By the function's safety requirements, the namespace is valid, and RCU is held.
        unsafe { self.look_again(net, now) }
    }

    /// # Safety
    ///
    /// As for [`Self::are_routed`].
    #[cold]
    #[inline(never)]
    unsafe fn look_again(&self, net: *mut bindings::net, now: u64) -> bool {
        // SAFETY: By the function's safety requirements, the namespace is valid, and RCU is held.
        let are_routed = unsafe { all_are_routed(net) };
        let found = if are_routed { now | ARE_ROUTED } else { now };
        self.0.store(found, Relaxed);
        are_routed
    }
}

/// # Safety
///
/// As for [`OwnAddresses::are_routed`].
unsafe fn all_are_routed(net: *mut bindings::net) -> bool {
    let mut steps = 0..LOOKED_AT_MAX;
    // SAFETY: By the function's safety requirements, the namespace is valid and RCU is held, which
    // keeps its list of devices (`for_each_netdev_rcu`) and their lists of addresses
    // (`in_dev_for_each_ifa_rcu`) valid.
    unsafe {
        let head = (&raw const (*net).dev_base_head).cast::<bindings::list_head>();
        let mut entry = (&raw const (*head).next).read_volatile().cast_const();
        while !core::ptr::eq(entry, head) {
            if steps.next().is_none() {
                return false;
            }
            let device = entry
                .byte_sub(offset_of!(bindings::net_device, dev_list))
                .cast::<bindings::net_device>();
            let settings = (&raw const (*device).ip_ptr).read_volatile();
            if !settings.is_null() {
                let mut address = (&raw const (*settings).ifa_list).read_volatile();
                while !address.is_null() {
                    let is_routed = fib4::Found::look_up(net, 0, (*address).ifa_local, 0)
                        .is_some_and(|found| found.is_local());
                    if !is_routed || steps.next().is_none() {
                        return false;
                    }
                    address = (&raw const (*address).ifa_next).read_volatile();
                }
            }
            entry = (&raw const (*entry).next).read_volatile();
        }
    }
    true
}
