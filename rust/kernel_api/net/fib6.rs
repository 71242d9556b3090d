// SPDX-License-Identifier: GPL-2.0

//! Lookups in the IPv6 routing tables, where no policy rules choose between them.
//!
//! `fib6_table_lookup`, which handles all cases, is not exported. This handles the most common one,
//! a prefix with one route that has no exceptions, and tells when it is another.
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

/// Bits of an address, the maximum depth of a node.
const BITS: usize = 128;

/// The result of a lookup in a table.
pub(in crate::kernel_api) enum Found {
    /// There is no route.
    Nothing,
    /// There is one, which is valid under RCU.
    One(Route),
    /// This needs a full lookup.
    Unclear,
}

/// A usable route with one nexthop, the only one of its prefix.
pub(in crate::kernel_api) struct Route {
    route: *const bindings::fib6_info,
    hop: *const bindings::fib6_nh,
}

impl Found {
    /// Looks an address up in a table.
    ///
    /// # Safety
    ///
    /// The table has to be one of the namespace, which has to be valid, and RCU has to be held for
    /// as long as the result is used. No route of the namespace may depend on the source.
    #[inline]
    pub(in crate::kernel_api) unsafe fn look_up(
        net: *mut bindings::net,
        table: *const bindings::fib6_table,
        address: [u32; 4],
    ) -> Self {
        // SAFETY: By the function's safety requirements, namespace and table are valid, and RCU is
        // held, which keeps nodes, routes and nexthops valid (`fib6_node_lookup_1`, `rt6_select`).
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

/// The node with routes for the longest matching prefix, as `fib6_node_lookup` finds it. None if
/// the tree keeps changing.
///
/// # Safety
///
/// The root has to be that of a table without routes that depend on the source, and RCU held.
#[inline]
unsafe fn longest(
    root: *const bindings::fib6_node,
    address: [u32; 4],
) -> Option<*const bindings::fib6_node> {
    let mut node = root;
    let mut steps = 0..BITS.wrapping_add(1);
    // SAFETY: By the function's safety requirements, the root is valid and RCU is held: what a node
    // points to is null, or another node or route that stays valid.
    unsafe {
        loop {
            steps.next()?;
            let bit = u32::from((*node).fn_bit);
            // Past the last bit, where nodes end, there is no word.
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

/// Whether an address matches the prefix of a route.
///
/// # Safety
///
/// The route has to be valid.
#[inline]
unsafe fn has_prefix(route: *const bindings::fib6_info, address: [u32; 4]) -> bool {
    // SAFETY: By the function's safety requirements, the route is valid. All fields of the union
    // are plain words.
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

/// The route of a node, if it is the only one that `rt6_select` and `ip6_pol_route` can use.
///
/// # Safety
///
/// The node has to be one of a table, and `route` its first one, under RCU.
#[inline]
unsafe fn only(
    node: *const bindings::fib6_node,
    route: *const bindings::fib6_info,
) -> Option<Route> {
    const DOWN: u32 = bindings::RTNH_F_DEAD | bindings::RTNH_F_LINKDOWN;
    // SAFETY: By the function's safety requirements, node and route are valid, under RCU. A route
    // without a nexthop object has one nexthop behind it (`fib6_info_alloc`).
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

/// Whether a route has expired, as `fib6_check_expired`.
///
/// # Safety
///
/// The route has to be valid.
unsafe fn is_over(route: *const bindings::fib6_info) -> bool {
    // SAFETY: By the function's safety requirements, the route is valid. `jiffies` is an aligned
    // machine word.
    let (end, now) = unsafe {
        (
            (*route).expires,
            (&raw const bindings::jiffies).read_volatile(),
        )
    };
    (end.wrapping_sub(now) as isize) < 0
}

impl Route {
    /// Whether the route leads to this host.
    #[inline]
    pub(in crate::kernel_api) fn is_local(&self) -> bool {
        self.is(bindings::RTN_LOCAL) && self.own() == bindings::RTF_LOCAL
    }

    /// Whether the route leads to another host.
    #[inline]
    pub(in crate::kernel_api) fn is_unicast(&self) -> bool {
        self.is(bindings::RTN_UNICAST) && self.own() == 0
    }

    #[inline]
    fn is(&self, kind: u32) -> bool {
        // SAFETY: RCU keeps the route valid, as `look_up` requires.
        u32::from(unsafe { (*self.route).fib6_type }) == kind
    }

    #[inline]
    fn own(&self) -> u32 {
        // SAFETY: RCU keeps the route valid, as `look_up` requires.
        unsafe { (*self.route).fib6_flags & (bindings::RTF_LOCAL | bindings::RTF_ANYCAST) }
    }

    /// Whether the route has a gateway; it may be skipped if that is unreachable.
    #[inline]
    pub(in crate::kernel_api) fn has_gateway(&self) -> bool {
        // SAFETY: RCU keeps the nexthop valid, as `look_up` requires.
        unsafe { (*self.hop).nh_common.nhc_gw_family != 0 }
    }

    /// The nexthop for packets to `destination`.
    #[inline]
    pub(in crate::kernel_api) fn hop(&self, destination: [u32; 4]) -> Option<Hop> {
        // SAFETY: RCU keeps route and nexthop valid, as `look_up` requires. A route has metrics
        // (`ip_fib_metrics_init`), and its gateway is an IPv6 address.
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
