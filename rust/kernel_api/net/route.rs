// SPDX-License-Identifier: GPL-2.0

//! The ways that packets of this machine take.
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

/// Where the addresses of a packet are to be looked for, in a namespace.
#[derive(Clone, Copy, Default)]
pub(crate) struct RoutingDomain {
    /// Index of the device that has a routing table of its own (a VRF), or zero.
    l3mdev: i32,
    /// Index of the device that an address is meant on which each link has.
    link: i32,
}

impl RoutingDomain {
    /// That of the packet of a hook.
    pub(in crate::kernel_api) fn of(state: &bindings::nf_hook_state) -> Self {
        let device = [state.in_, state.out]
            .into_iter()
            .find(|device| !device.is_null());
        device.map_or(Self::default(), |device| {
            // SAFETY: The device is valid under RCU, which hooks hold.
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
    /// Where the addresses of the packet are to be looked for.
    pub(crate) fn routing_domain(&self) -> RoutingDomain {
        RoutingDomain::of(self.as_raw())
    }
}

/// A way to somewhere.
///
/// # Invariants
///
/// The entry is valid, is that of an [`rtable`](srctree/include/net/route.h) or of an `rt6_info`, and this holds a
/// reference to it.
pub(in crate::kernel_api) struct Route(NonNull<bindings::dst_entry>);

impl Drop for Route {
    fn drop(&mut self) {
        // SAFETY: By the type invariant. It may be released in any context (`dst_release`).
        unsafe { bindings::dst_release(self.0.as_ptr()) };
    }
}

impl Route {
    /// That which was found for a packet, if there is one.
    ///
    /// # Safety
    ///
    /// The packet has to be valid, and RCU be held. Its route has to be that of an IP version.
    pub(in crate::kernel_api) unsafe fn of(skb: *mut bindings::sk_buff) -> Option<Self> {
        // SAFETY: The caller says that the packet is valid. INVARIANT: The function takes a reference.
        NonNull::new(unsafe { bindings::palisade_skb_hold_route(skb) }).map(Self)
    }

    /// Has a packet take it.
    ///
    /// # Safety
    ///
    /// The packet has to be valid.
    pub(in crate::kernel_api) unsafe fn attach(self, skb: *mut bindings::sk_buff) {
        // SAFETY: The caller says that the packet is valid; it gets the reference.
        unsafe {
            bindings::palisade_skb_drop_route(skb);
            bindings::palisade_skb_set_route(skb, self.0.as_ptr());
        }
        core::mem::forget(self);
    }

    /// The entry.
    pub(in crate::kernel_api) fn as_raw(&self) -> *mut bindings::dst_entry {
        self.0.as_ptr()
    }

    /// The device that it leads out by. It is valid under RCU.
    pub(in crate::kernel_api) fn device(&self) -> *mut bindings::net_device {
        // SAFETY: By the type invariant. Entries keep a device for as long as they live (`dst_dev_put` puts that of
        // the namespace's end in its place).
        unsafe { bindings::palisade_route_device(self.as_raw()) }
    }

    /// The largest TCP segment that a whole packet has room for on it, as far as is known: by the device, by what the
    /// routing table says, and by what was learned of what lies behind.
    pub(in crate::kernel_api) fn mss(&self, family: Family) -> u16 {
        let route = self.as_raw();
        // SAFETY: By the type invariant.
        let (mtu, told) = unsafe {
            (
                bindings::palisade_route_mtu(route),
                bindings::palisade_route_advertised_mss(route),
            )
        };
        mss(mtu, told, family)
    }

    /// Who is handed packets to an address that take it.
    ///
    /// # Safety
    ///
    /// The route has to be one of that IP version.
    pub(in crate::kernel_api) unsafe fn neighbour(
        &self,
        family: Family,
        destination: [u32; 4],
    ) -> Neighbour {
        let [first, ..] = destination;
        // SAFETY: By the type invariant, and the caller says of what IP version the route is, whose entry lies at its
        // begin (`dst_rtable`, `dst_rt6_info`). Of the gateway's addresses that of its IP version is there.
        unsafe {
            match family {
                Family::Ipv4 => {
                    let route = self.as_raw().cast::<bindings::rtable>();
                    let gateway = &(*route).__bindgen_anon_1;
                    // As `rt_nexthop`, which knows of no gateways of IPv6.
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

/// The largest TCP segment that a whole packet has room for, where a route says something of that if it is not zero.
#[inline]
pub(in crate::kernel_api) fn mss(mtu: u32, told: u32, family: Family) -> u16 {
    let mss = mss_of_mtu(mtu, family);
    match u16::try_from(told) {
        Ok(told @ 1..) => mss.min(told),
        _ => mss,
    }
}

/// The least that anybody takes for a maximum segment size (TCP_MIN_MSS).
const MSS_MIN: u32 = 88;

/// The largest TCP segment without options in a packet of so many bytes.
pub(in crate::kernel_api) fn mss_of_mtu(mtu: u32, family: Family) -> u16 {
    let headers = match family {
        Family::Ipv4 => 40,
        Family::Ipv6 => 60,
    };
    u16::try_from(mtu.saturating_sub(headers).max(MSS_MIN)).unwrap_or(u16::MAX)
}

/// What routing goes by.
#[derive(Clone, Copy)]
pub(in crate::kernel_api) struct Flow {
    pub(in crate::kernel_api) family: Family,
    /// Source and destination.
    pub(in crate::kernel_api) addresses: ([u32; 4], [u32; 4]),
    /// The ports, as the first word of a TCP header has them.
    pub(in crate::kernel_api) ports: u32,
    /// The mark that rules may ask for.
    pub(in crate::kernel_api) mark: u32,
    pub(in crate::kernel_api) domain: RoutingDomain,
}

impl Flow {
    /// That of a packet whose data begins with an IP header without options, and that of TCP, in one piece.
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

    /// The way of a packet of TCP that this machine sends, whoever its source is.
    ///
    /// # Safety
    ///
    /// The namespace has to be valid, and RCU be held.
    #[inline]
    pub(in crate::kernel_api) unsafe fn route(&self, net: *mut bindings::net) -> Result<Route> {
        // SAFETY: The caller says so.
        let route = unsafe {
            match self.family {
                Family::Ipv4 => self.route_ipv4(net),
                Family::Ipv6 => self.route_ipv6(net),
            }
        }?;
        // INVARIANT: Both give away a reference to an entry that is none of an error's.
        Ok(Route(NonNull::new(route).ok_or(ENXIO)?))
    }

    /// What both IP versions have.
    fn common(&self) -> bindings::flowi_common {
        bindings::flowi_common {
            flowic_proto: 6, // IPPROTO_TCP
            // The source need not be an address of this machine.
            flowic_flags: bindings::FLOWI_FLAG_ANYSRC as u8,
            flowic_l3mdev: self.domain.l3mdev,
            flowic_mark: self.mark,
            ..Default::default()
        }
    }

    /// The ports that routing and IPsec policies go by.
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
        // SAFETY: The caller says that the namespace is valid. There is no socket, which the function allows.
        let route = unsafe { bindings::ip_route_output_flow(net, &mut flow4, core::ptr::null()) };
        let route = from_err_ptr(route)?;
        // SAFETY: It is no error, so that it is a valid entry.
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
        // SAFETY: The caller says that the namespace is valid. There is no socket, which the functions allow. The
        // second one gives back a reference to an entry, or releases it.
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

/// Whether an IPv6 address is one of fe80::/10.
pub(in crate::kernel_api) fn is_link_local(address: [u32; 4]) -> bool {
    let [first, ..] = address;
    u32::from_be(first) & 0xffc0_0000 == 0xfe80_0000
}
