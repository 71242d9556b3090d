// SPDX-License-Identifier: GPL-2.0

//! Routes of packets that this host sends.
//!
//! C headers: [`include/net/route.h`](srctree/include/net/route.h),
//! [`include/net/ip6_route.h`](srctree/include/net/ip6_route.h)

use super::{
    ethernet::Neighbour,
    skb::Skb, //
};
use crate::kernel_api::{
    bindings,
    netfilter::{
        Context,
        Family, //
    },
};
use core::{
    mem::offset_of,
    ptr::NonNull, //
};
use kernel::{
    error::from_err_ptr,
    prelude::*, //
};

/// The scope of a route lookup in a namespace.
#[derive(Clone, Copy, Default)]
pub(crate) struct RoutingDomain {
    /// Index of the L3 master device (VRF) whose table applies, or zero.
    l3mdev: i32,
    /// Index of the device that a link-local address belongs to.
    link: i32,
}

impl RoutingDomain {
    /// The domain of a packet in a hook.
    ///
    /// # Safety
    ///
    /// The devices that the state names have to be valid, and RCU held.
    pub(in crate::kernel_api) unsafe fn of(state: &bindings::nf_hook_state) -> Self {
        let device = [state.in_, state.out]
            .into_iter()
            .find(|device| !device.is_null());
        device.map_or(Self::default(), |device| {
            // SAFETY: By the function's safety requirements, the device is valid, under RCU.
            unsafe {
                Self {
                    l3mdev: bindings::palisade_l3mdev_index(device),
                    link: (*device).ifindex,
                }
            }
        })
    }
}

impl Context<'_> {
    /// The domain for lookups of the packet's addresses.
    pub(crate) fn routing_domain(&self) -> RoutingDomain {
        // SAFETY: By the type invariant, the state's devices are valid, and RCU is held.
        unsafe { RoutingDomain::of(self.as_raw()) }
    }

    /// The largest TCP segment without options that fits into the MTU of the packet's route, if it
    /// has one, and into that of the route to its source; at least 88 bytes. As `xt_TCPMSS`, but in
    /// the packet's VRF.
    pub(crate) fn path_mss(&self, skb: &Skb, family: Family, source: [u32; 4]) -> u16 {
        let back = Flow {
            family,
            addresses: ([0; 4], source),
            ports: 0,
            mark: 0,
            domain: self.routing_domain(),
        };
        // SAFETY: By the type invariants, the namespace and the packet are valid, and RCU is held.
        // In a hook of IP, a packet's route is one of IP if it is one of these.
        let (there, back) = unsafe {
            let is_routed = bindings::palisade_skb_is_routed(skb.as_raw());
            (
                is_routed.then(|| Route::of(skb.as_raw())).flatten(),
                back.route(self.as_raw().net).ok(),
            )
        };
        let mtus = [there, back].into_iter().flatten().map(|route| route.mtu());
        mss_of_mtu(mtus.min().unwrap_or(u32::MAX), family)
    }
}

/// What a route says of TCP connections.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RouteLimits {
    /// The largest window, in bytes; zero for no limit.
    pub(crate) window: u32,
    /// The largest window at first, in segments; zero for no limit.
    pub(crate) initial_window: u32,
    /// ECN is used.
    pub(crate) ecn: bool,
}

/// A route.
///
/// # Invariants
///
/// The entry is valid, is that of an [`rtable`](srctree/include/net/route.h) or of an `rt6_info`,
/// and this holds a reference to it.
pub(in crate::kernel_api) struct Route(NonNull<bindings::dst_entry>);

impl Drop for Route {
    fn drop(&mut self) {
        // SAFETY: By the type invariant, this holds a reference, which is released here.
        // `dst_release` may be called in any context.
        unsafe { bindings::dst_release(self.0.as_ptr()) };
    }
}

impl Route {
    /// The route of a packet, if it has one.
    ///
    /// # Safety
    ///
    /// The packet has to be valid, and RCU held. Its route has to be one of IPv4 or IPv6.
    pub(in crate::kernel_api) unsafe fn of(skb: *mut bindings::sk_buff) -> Option<Self> {
        // INVARIANT: By the function's safety requirements, the route is one of IPv4 or IPv6.
        // `dst_hold_safe` takes a reference, or fails where RCU alone keeps the route.
        // SAFETY: By the function's safety requirements, the packet is valid, and RCU keeps a
        // borrowed route valid.
        NonNull::new(unsafe { bindings::palisade_skb_hold_route(skb) }).map(Self)
    }

    /// Sets the route of a packet.
    ///
    /// # Safety
    ///
    /// The packet has to be valid, and nobody may use its old route any more.
    pub(in crate::kernel_api) unsafe fn attach(self, skb: *mut bindings::sk_buff) {
        // SAFETY: By the function's safety requirements, the packet is valid, and its old route can
        // be dropped. By the type invariant, this holds a reference, which the packet takes over.
        unsafe {
            bindings::palisade_skb_drop_route(skb);
            bindings::palisade_skb_set_route(skb, self.0.as_ptr());
        }
        core::mem::forget(self);
    }

    /// The destination entry.
    pub(in crate::kernel_api) fn as_raw(&self) -> *mut bindings::dst_entry {
        self.0.as_ptr()
    }

    /// The egress device, which is valid under RCU.
    pub(in crate::kernel_api) fn device(&self) -> *mut bindings::net_device {
        // SAFETY: By the type invariant, the entry is valid. It has a device for as long as it
        // lives (`dst_dev_put` replaces it with `blackhole_netdev`).
        unsafe { bindings::palisade_route_device(self.as_raw()) }
    }

    /// The MTU, in bytes, by the device, the metrics of the route and the path MTU, as far as known.
    fn mtu(&self) -> u32 {
        // SAFETY: By the type invariant, the entry is valid, and is one of IP.
        unsafe { bindings::palisade_route_mtu(self.as_raw()) }
    }

    /// The largest TCP segment that fits into a packet on this route, by the MTU of the device, the
    /// metrics of the route and the path MTU, as far as known.
    pub(in crate::kernel_api) fn mss(&self, family: Family) -> u16 {
        mss(self.mtu(), self.metric(bindings::RTAX_ADVMSS), family)
    }

    /// A metric of the route, or zero.
    fn metric(&self, metric: u32) -> u32 {
        // SAFETY: By the type invariant, the entry is valid. The metric is one of RTAX_*.
        unsafe { bindings::palisade_route_metric(self.as_raw(), metric as i32) }
    }

    /// What the route says of TCP.
    pub(in crate::kernel_api) fn limits(&self) -> RouteLimits {
        RouteLimits {
            window: self.metric(bindings::RTAX_WINDOW),
            initial_window: self.metric(bindings::RTAX_INITRWND),
            ecn: self.metric(bindings::RTAX_FEATURES) & bindings::RTAX_FEATURE_ECN != 0,
        }
    }

    /// The neighbour that packets to an address are handed to.
    ///
    /// # Safety
    ///
    /// The route has to be one of `family`.
    pub(in crate::kernel_api) unsafe fn neighbour(
        &self,
        family: Family,
        destination: [u32; 4],
    ) -> Neighbour {
        let [first, ..] = destination;
        // SAFETY: By the type invariant, the entry is valid. By the function's safety requirements,
        // it is one of `family`, whose `dst` is the first field, as checked below (`dst_rtable`,
        // `dst_rt6_info`). The field of the gateway's family is read from the union.
        unsafe {
            match family {
                Family::Ipv4 => {
                    let route = self.as_raw().cast::<bindings::rtable>();
                    let gateway = &(*route).__bindgen_anon_1;
                    // As `rt_nexthop`, which ignores IPv6 gateways.
                    match u32::from((*route).rt_gw_family) {
                        bindings::AF_INET6 => Neighbour::Ipv6(gateway.rt_gw6.in6_u.u6_addr32),
                        bindings::AF_INET => Neighbour::Ipv4(gateway.rt_gw4),
                        _ => Neighbour::Ipv4(first),
                    }
                }
                Family::Ipv6 => {
                    let route = self.as_raw().cast::<bindings::rt6_info>();
                    // As `rt6_nexthop`.
                    let flags = (*route).rt6i_flags;
                    Neighbour::Ipv6(if flags & bindings::RTF_GATEWAY != 0 {
                        (*route).rt6i_gateway.in6_u.u6_addr32
                    } else if flags & bindings::RTF_CACHE != 0 {
                        (*route).rt6i_dst.addr.in6_u.u6_addr32
                    } else {
                        destination
                    })
                }
            }
        }
    }
}

const _: () = assert!(offset_of!(bindings::rtable, dst) == 0);
const _: () = assert!(offset_of!(bindings::rt6_info, dst) == 0);

/// The largest TCP segment that fits into an MTU and the metric of a route, unless that is zero.
#[inline]
pub(in crate::kernel_api) fn mss(mtu: u32, told: u32, family: Family) -> u16 {
    let mss = mss_of_mtu(mtu, family);
    match u16::try_from(told) {
        Ok(told @ 1..) => mss.min(told),
        _ => mss,
    }
}

/// The lowest maximum segment size (TCP_MIN_MSS).
const MSS_MIN: u32 = 88;

/// The largest TCP segment without options in a packet of `mtu` bytes.
pub(in crate::kernel_api) fn mss_of_mtu(mtu: u32, family: Family) -> u16 {
    let headers = match family {
        Family::Ipv4 => 40,
        Family::Ipv6 => 60,
    };
    u16::try_from(mtu.saturating_sub(headers).max(MSS_MIN)).unwrap_or(u16::MAX)
}

/// Looks up the route of a packet that this host sends again, by its mark and addresses, and gives
/// it to the packet.
///
/// # Errors
///
/// Those of the lookup, such as `EHOSTUNREACH`, and `ENOMEM` when there is no memory for the link
/// layer's header.
///
/// # Safety
///
/// The packet has to be valid, the caller's alone, of the hook LOCAL_OUT of `context`, and to have a
/// route.
pub(in crate::kernel_api) unsafe fn reroute(
    skb: *mut bindings::sk_buff,
    context: Context<'_>,
) -> Result {
    let state = context.as_raw();
    // SAFETY: By the function's safety requirements, the packet is valid, not shared and has a
    // route, and its IP header is linear, as in all hooks of IP. By the type invariant of
    // `Context`, the namespace and the socket are valid, and RCU is held.
    kernel::error::to_result(unsafe {
        match context.family() {
            Family::Ipv4 => {
                bindings::ip_route_me_harder(state.net, state.sk, skb, bindings::RTN_UNSPEC)
            }
            Family::Ipv6 => bindings::ip6_route_me_harder(state.net, state.sk, skb),
        }
    })
}

/// The key of a route lookup.
#[derive(Clone, Copy)]
pub(in crate::kernel_api) struct Flow {
    pub(in crate::kernel_api) family: Family,
    /// The source and the destination.
    pub(in crate::kernel_api) addresses: ([u32; 4], [u32; 4]),
    /// The ports, as the first word of a TCP header.
    pub(in crate::kernel_api) ports: u32,
    /// The mark that policy rules may match.
    pub(in crate::kernel_api) mark: u32,
    pub(in crate::kernel_api) domain: RoutingDomain,
}

impl Flow {
    /// The flow of a packet whose linear data begins with an IP header without options and a TCP
    /// header.
    pub(in crate::kernel_api) fn of(
        skb: &Skb,
        family: Family,
        domain: RoutingDomain,
    ) -> Option<Self> {
        let (addresses, ports) = match family {
            Family::Ipv4 => {
                let [_, _, _, source, destination, ports] = skb.linear_words::<6>(0)?;
                (([source, 0, 0, 0], [destination, 0, 0, 0]), ports)
            }
            Family::Ipv6 => {
                let [_, _, a, b, c, d, e, f, g, h, ports] = skb.linear_words::<11>(0)?;
                (([a, b, c, d], [e, f, g, h]), ports)
            }
        };
        Some(Self {
            family,
            addresses,
            ports,
            mark: 0,
            domain,
        })
    }

    /// Looks up the route of a TCP packet that this host sends, whatever its source.
    ///
    /// # Safety
    ///
    /// The namespace has to be valid, and RCU held.
    #[inline]
    pub(in crate::kernel_api) unsafe fn route(&self, net: *mut bindings::net) -> Result<Route> {
        // SAFETY: By the function's safety requirements, the namespace is valid, and RCU is held.
        let route = unsafe {
            match self.family {
                Family::Ipv4 => self.route_ipv4(net),
                Family::Ipv6 => self.route_ipv6(net),
            }
        }?;
        // INVARIANT: Both functions return a reference to a valid entry, of IPv4 or IPv6, that is
        // not an error.
        Ok(Route(NonNull::new(route).ok_or(ENXIO)?))
    }

    /// The fields common to both IP versions.
    fn common(&self) -> bindings::flowi_common {
        bindings::flowi_common {
            flowic_proto: 6, // IPPROTO_TCP
            // The source need not be an address of this host.
            flowic_flags: bindings::FLOWI_FLAG_ANYSRC as u8,
            flowic_l3mdev: self.domain.l3mdev,
            flowic_mark: self.mark,
            ..Default::default()
        }
    }

    /// The ports, for policy rules and IPsec policies.
    fn ports(&self) -> bindings::flowi_uli {
        let [a, b, c, d] = self.ports.to_ne_bytes();
        bindings::flowi_uli {
            ports: bindings::flowi_uli__bindgen_ty_1 {
                sport: u16::from_ne_bytes([a, b]),
                dport: u16::from_ne_bytes([c, d]),
            },
        }
    }

    /// # Safety
    ///
    /// As for [`Self::route`].
    unsafe fn route_ipv4(&self, net: *mut bindings::net) -> Result<*mut bindings::dst_entry> {
        let ([source, ..], [destination, ..]) = self.addresses;
        let mut flow4 = bindings::flowi4 {
            __fl_common: self.common(),
            saddr: source,
            daddr: destination,
            uli: self.ports(),
        };
        // SAFETY: By the function's safety requirements, the namespace is valid. The function
        // allows a null socket.
        let route = unsafe { bindings::ip_route_output_flow(net, &mut flow4, core::ptr::null()) };
        let route = from_err_ptr(route)?;
        // SAFETY: `from_err_ptr` has ruled out an error, so this is a valid route.
        Ok(unsafe { &raw mut (*route).dst })
    }

    /// # Safety
    ///
    /// As for [`Self::route`].
    unsafe fn route_ipv6(&self, net: *mut bindings::net) -> Result<*mut bindings::dst_entry> {
        let (source, destination) = self.addresses;
        let mut flow6 = bindings::flowi6 {
            __fl_common: self.common(),
            uli: self.ports(),
            ..Default::default()
        };
        if is_link_local(source) || is_link_local(destination) {
            flow6.__fl_common.flowic_oif = self.domain.link;
        }
        flow6.saddr.in6_u.u6_addr32 = source;
        flow6.daddr.in6_u.u6_addr32 = destination;
        // SAFETY: By the function's safety requirements, the namespace is valid. Both functions
        // allow a null socket. The first returns a reference, which is released or passed to the
        // second.
        unsafe {
            let route = bindings::ip6_route_output_flags(net, core::ptr::null(), &mut flow6, 0);
            if (*route).error != 0 {
                bindings::dst_release(route);
                return Err(ENXIO);
            }
            let flow = core::ptr::from_ref(&flow6).cast();
            from_err_ptr(bindings::palisade_xfrm_lookup(net, route, flow))
        }
    }
}

/// Whether an IPv6 address is link-local (fe80::/10).
pub(in crate::kernel_api) fn is_link_local(address: [u32; 4]) -> bool {
    let [first, ..] = address;
    u32::from_be(first) & 0xffc0_0000 == 0xfe80_0000
}
