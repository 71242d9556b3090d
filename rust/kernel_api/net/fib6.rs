// SPDX-License-Identifier: GPL-2.0

//! What the routing tables of IPv6 say of an address, where no rules choose between them.
//!
//! `fib6_table_lookup`, which does this for all that may be in a table, is not for modules. What is here knows the
//! commonest case and says so where it is none: a prefix with one route, which nothing was learned of.
//!
//! C header: [`include/net/ip6_fib.h`](srctree/include/net/ip6_fib.h)

use super::{
    ethernet::Neighbour,
    short_way::{
        Hop,
        Metrics, //
    },
};
use crate::kernel_api::bindings;

/// Bits of an address, which is how far down a node may lie.
const BITS: usize = 128;

/// What a table has for an address.
pub(in crate::kernel_api) enum Found {
    /// No route.
    Nothing,
    /// One, which is valid under RCU.
    One(Route),
    /// What is not for here to decide.
    Unclear,
}

/// The only route of its prefix, through one hop, that is in use.
pub(in crate::kernel_api) struct Route {
    route: *const bindings::fib6_info,
    hop: *const bindings::fib6_nh,
}

impl Found {
    /// What a table has for an address.
    ///
    /// # Safety
    ///
    /// The table has to be one of the namespace, which has to be valid, and RCU be held for as long as this is used. No
    /// route of the namespace may ask for a source.
    #[inline(always)]
    pub(in crate::kernel_api) unsafe fn look_up(
        net: *mut bindings::net,
        table: *const bindings::fib6_table,
        address: [u32; 4],
    ) -> Self {
        // SAFETY: The caller says so. Nodes, routes and their hops are valid under RCU (`fib6_node_lookup_1`, `rt6_select`).
        unsafe {
            let root = &raw const (*table).tb6_root;
            let Some(node) = longest(root, address) else {
                return Self::Unclear;
            };
            let route = (&raw const (*node).leaf).read_volatile().cast_const();
            if route.is_null() || core::ptr::eq(route, (*net).ipv6.fib6_null_entry) {
                return match core::ptr::eq(node, root) {
                    true => Self::Nothing,
                    false => Self::Unclear,
                };
            }
            only(node, route).map_or(Self::Unclear, Self::One)
        }
    }
}

/// The node of the longest prefix of an address that has routes, as `fib6_node_lookup` finds it; none if the tree changes
/// all the while.
///
/// # Safety
///
/// The root has to be that of a table, under RCU, without routes that ask for a source.
#[inline(always)]
unsafe fn longest(
    root: *const bindings::fib6_node,
    address: [u32; 4],
) -> Option<*const bindings::fib6_node> {
    let mut node = root;
    let mut steps = 0..BITS.wrapping_add(1);
    // SAFETY: The caller says so: what a node points at is another one, or null, valid under RCU.
    unsafe {
        loop {
            steps.next()?;
            let bit = u32::from((*node).fn_bit);
            // There is no such word for the bit behind the last one, where nodes end.
            let word = address.get((bit >> 5) as usize).copied().unwrap_or(0);
            let is_set = u32::from_be(word).wrapping_shl(bit) & 1 << 31 != 0;
            let next = match is_set {
                true => (&raw const (*node).right).read_volatile(),
                false => (&raw const (*node).left).read_volatile(),
            };
            if next.is_null() {
                break;
            }
            node = next;
        }
        for _ in 0..=BITS {
            let flags = u32::from((*node).fn_flags);
            if flags & bindings::RTN_RTINFO != 0 {
                let leaf = (&raw const (*node).leaf).read_volatile();
                if !leaf.is_null() && has_prefix(leaf, address) {
                    return Some(node);
                }
            }
            if flags & bindings::RTN_ROOT != 0 {
                return Some(root);
            }
            node = (&raw const (*node).parent).read_volatile();
            if node.is_null() {
                return Some(root);
            }
        }
        None
    }
}

/// Whether an address lies in the network of a route.
///
/// # Safety
///
/// The route has to be valid.
#[inline]
unsafe fn has_prefix(route: *const bindings::fib6_info, address: [u32; 4]) -> bool {
    // SAFETY: The caller says so. All forms of an address are there.
    let (network, length) = unsafe {
        let key = &(*route).fib6_dst;
        (key.addr.in6_u.u6_addr32, key.plen)
    };
    let number = |[a, b, c, d]: [u32; 4]| {
        let half = |high, low| u64::from(u32::from_be(high)) << 32 | u64::from(u32::from_be(low));
        (half(a, b), half(c, d))
    };
    let ((network, network_low), (own, own_low)) = (number(network), number(address));
    let (difference, difference_low) = (network ^ own, network_low ^ own_low);
    let same = |difference: u64, bits: u32| {
        bits == 0 || difference.checked_shr(64_u32.wrapping_sub(bits)) == Some(0)
    };
    match u32::try_from(length) {
        Ok(length @ ..=64) => same(difference, length),
        Ok(length) => difference == 0 && same(difference_low, length.wrapping_sub(64)),
        Err(_) => false,
    }
}

/// A node's route, if `rt6_select` and `ip6_pol_route` have no choice but to take that.
///
/// # Safety
///
/// The node has to be one of a table, and the route its first, under RCU.
#[inline(always)]
unsafe fn only(
    node: *const bindings::fib6_node,
    route: *const bindings::fib6_info,
) -> Option<Route> {
    const DOWN: u32 = bindings::RTNH_F_DEAD | bindings::RTNH_F_LINKDOWN;
    // SAFETY: The caller says so. Without a nexthop object there is one hop behind the route (`fib6_info_alloc`).
    unsafe {
        let next = (&raw const (*route).fib6_next).read_volatile();
        let turn = (&raw const (*node).rr_ptr).read_volatile().cast_const();
        if !next.is_null()
            || !(turn.is_null() || core::ptr::eq(turn, route))
            || (*route).fib6_nsiblings != 0
            || !(*route).nh.is_null()
            || i32::from((*node).fn_bit) != (*route).fib6_dst.plen
            || (*route).fib6_src.plen != 0
        {
            return None;
        }
        let flags = (*route).fib6_flags;
        if flags & bindings::RTF_REJECT != 0 || flags & bindings::RTF_EXPIRES != 0 && is_over(route)
        {
            return None;
        }
        let hop = (&raw const (*route).fib6_nh).cast::<bindings::fib6_nh>();
        let exceptions = (&raw const (*hop).rt6i_exception_bucket).read_volatile();
        let common = &(*hop).nh_common;
        if u32::from(common.nhc_flags) & DOWN != 0
            || !common.nhc_lwtstate.is_null()
            || !exceptions.is_null()
        {
            return None;
        }
        Some(Route { route, hop })
    }
}

/// As `fib6_check_expired`.
///
/// # Safety
///
/// The route has to be valid.
unsafe fn is_over(route: *const bindings::fib6_info) -> bool {
    // SAFETY: The caller says so. `jiffies` may be read at any time.
    let (end, now) = unsafe {
        (
            (*route).expires,
            (&raw const bindings::jiffies).read_volatile(),
        )
    };
    (end.wrapping_sub(now) as isize) < 0
}

impl Route {
    /// Whether it leads to this host.
    #[inline]
    pub(in crate::kernel_api) fn is_local(&self) -> bool {
        self.is(bindings::RTN_LOCAL) && self.own() == bindings::RTF_LOCAL
    }

    /// Whether it leads to another host.
    #[inline]
    pub(in crate::kernel_api) fn is_unicast(&self) -> bool {
        self.is(bindings::RTN_UNICAST) && self.own() == 0
    }

    #[inline]
    fn is(&self, kind: u32) -> bool {
        // SAFETY: The route is valid under RCU, which `look_up` asks for.
        u32::from(unsafe { (*self.route).fib6_type }) == kind
    }

    #[inline]
    fn own(&self) -> u32 {
        // SAFETY: As in `is`.
        unsafe { (*self.route).fib6_flags & (bindings::RTF_LOCAL | bindings::RTF_ANYCAST) }
    }

    /// Whether it leads through a gateway, so that it may be left out where that cannot be reached.
    #[inline]
    pub(in crate::kernel_api) fn has_gateway(&self) -> bool {
        // SAFETY: As in `is`.
        unsafe { (*self.hop).nh_common.nhc_gw_family != 0 }
    }

    /// Where packets to `destination` go next.
    #[inline]
    pub(in crate::kernel_api) fn hop(&self, destination: [u32; 4]) -> Option<Hop> {
        // SAFETY: As in `is`; a route has metrics (`ip_fib_metrics_init`). A gateway's address is of IPv6.
        unsafe {
            let common = &(*self.hop).nh_common;
            Some(Hop {
                device: common.nhc_dev,
                neighbour: Neighbour::Ipv6(match self.has_gateway() {
                    true => common.nhc_gw.ipv6.in6_u.u6_addr32,
                    false => destination,
                }),
                metrics: Metrics::of((*self.route).fib6_metrics)?,
            })
        }
    }
}
