// SPDX-License-Identifier: GPL-2.0

//! Whether the routing table of IPv4 knows all addresses of this host.

use super::fib4;
use crate::kernel_api::bindings;
use core::mem::offset_of;
use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};

/// Most devices and addresses that are looked at.
const LOOKED_AT_MAX: usize = 256;

/// Bits of what was found, above which is the generation of the routing table that it was found in.
const FOUND: u32 = 2;
/// Something was found.
const IS_KNOWN: u64 = 1;
/// All addresses are routed to this host.
const ARE_ROUTED: u64 = 2;

/// What was found in a namespace of its addresses. Those of devices that are down are not routed to this host, but nobody
/// else may send with them (`fib_validate_source`). To ask for each packet costs as much as a look-up in the routing table
/// does; and they change no more often than that, whose generation the kernel's own caches go by as well.
pub(crate) struct OwnAddresses(Atomic<u64>);

impl OwnAddresses {
    /// Nothing was found so far.
    pub(crate) const fn new() -> Self {
        Self(Atomic::new(0))
    }

    /// Whether all are known to be routed to this host.
    ///
    /// # Safety
    ///
    /// The namespace has to be valid, without rules of policy routing, and RCU be held.
    #[inline]
    pub(in crate::kernel_api) unsafe fn are_routed(&self, net: *mut bindings::net) -> bool {
        // SAFETY: The caller says so. The generation is read before what belongs to it; it is changed afterwards
        // (`rt_cache_flush`).
        let generation = unsafe { (&raw const (*net).ipv4.rt_genid.counter).read_volatile() };
        let now = u64::from(generation as u32) << FOUND | IS_KNOWN;
        let found = self.0.load(Relaxed);
        if found & !ARE_ROUTED == now {
            return found & ARE_ROUTED != 0;
        }
        // SAFETY: The caller says so.
        unsafe { self.look_again(net, now) }
    }

    /// # Safety
    ///
    /// As for [`Self::are_routed`].
    #[cold]
    #[inline(never)]
    unsafe fn look_again(&self, net: *mut bindings::net, now: u64) -> bool {
        // SAFETY: The caller says so.
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
    // SAFETY: The caller says so: devices are in a list of the namespace, which RCU keeps (`for_each_netdev_rcu`), and have
    // a list of addresses, which it keeps as well (`in_dev_for_each_ifa_rcu`).
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
