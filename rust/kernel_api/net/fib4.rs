// SPDX-License-Identifier: GPL-2.0

//! Lookups in the IPv4 routing tables, where no policy rules choose between them.
//!
//! C header: [`include/net/ip_fib.h`](srctree/include/net/ip_fib.h)

use super::{
    ethernet::Neighbour,
    short_way::{
        Hop,
        Metrics, //
    },
};
use crate::kernel_api::bindings;

/// Mask for the DSCP bits of an IPv4 header's second byte (INET_DSCP_MASK).
pub(in crate::kernel_api) const DSCP: u8 = 0xfc;

/// The result of a lookup. It is valid under RCU.
pub(in crate::kernel_api) struct Found(bindings::fib_result);

impl Found {
    /// Looks up the route of packets from `source` to `destination`.
    ///
    /// # Safety
    ///
    /// The namespace has to be valid, and RCU held for as long as the result is used.
    #[inline]
    pub(in crate::kernel_api) unsafe fn look_up(
        net: *mut bindings::net,
        source: u32,
        destination: u32,
        dscp: u8,
    ) -> Option<Self> {
        let mut flow = bindings::flowi4 {
            __fl_common: bindings::flowi_common {
                flowic_dscp: dscp,
                ..Default::default()
            },
            saddr: source,
            daddr: destination,
            ..Default::default()
        };
        let mut result = bindings::fib_result::default();
        // SAFETY: By the function's safety requirements, the namespace is valid, and RCU is held.
        let error = unsafe { bindings::palisade_fib_lookup(net, &mut flow, &mut result) };
        (error == 0).then_some(Self(result))
    }

    /// Whether the route leads to this host.
    #[inline]
    pub(in crate::kernel_api) fn is_local(&self) -> bool {
        u32::from(self.0.type_) == bindings::RTN_LOCAL
    }

    /// Whether the route leads to another host.
    #[inline]
    pub(in crate::kernel_api) fn is_unicast(&self) -> bool {
        u32::from(self.0.type_) == bindings::RTN_UNICAST
    }

    /// The egress device.
    #[inline]
    pub(in crate::kernel_api) fn device(&self) -> *mut bindings::net_device {
        // SAFETY: A result has a nexthop (`fib_table_lookup`), which RCU keeps valid, as `look_up`
        // requires.
        unsafe { (*self.0.nhc).nhc_dev }
    }

    /// The nexthop for packets to `destination`, if there is just one and it has no exceptions:
    /// `fib_select_path` would choose between several, and `find_exception` would find those.
    #[inline]
    pub(in crate::kernel_api) fn only_hop(&self, destination: u32) -> Option<Hop> {
        let Self(found) = self;
        // SAFETY: A result has a route and a nexthop, which RCU keeps valid, as `look_up` requires.
        // A route has metrics (`fib_create_info`). The field of the gateway's family is read from
        // the union.
        unsafe {
            let (route, hop) = (found.fi, found.nhc);
            if !(*route).nh.is_null() || (*route).fib_nhs != 1 {
                return None;
            }
            if found.prefixlen == 0 && (*found.table).tb_num_default > 1 {
                return None;
            }
            let exceptions = (&raw const (*hop).nhc_exceptions).read_volatile();
            if !exceptions.is_null() || !(*hop).nhc_lwtstate.is_null() {
                return None;
            }
            // As in `rt_set_nexthop`.
            let is_through = u32::from((*hop).nhc_scope) == bindings::rt_scope_t_RT_SCOPE_LINK;
            let neighbour = match u32::from((*hop).nhc_gw_family) {
                bindings::AF_INET6 if is_through => {
                    Neighbour::Ipv6((*hop).nhc_gw.ipv6.in6_u.u6_addr32)
                }
                bindings::AF_INET if is_through => Neighbour::Ipv4((*hop).nhc_gw.ipv4),
                _ => Neighbour::Ipv4(destination),
            };
            Some(Hop {
                device: (*hop).nhc_dev,
                neighbour,
                metrics: Metrics::of((*route).fib_metrics)?,
            })
        }
    }
}
