// SPDX-License-Identifier: GPL-2.0

//! Types of addresses: what they are to this host.
//!
//! C headers: [`include/net/route.h`](srctree/include/net/route.h),
//! [`include/net/addrconf.h`](srctree/include/net/addrconf.h)

use crate::kernel_api::{
    bindings,
    netfilter::Context, //
};

/// A set of types: the bit `1 << RTN_*` for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AddressTypes(u32);

impl AddressTypes {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const UNSPEC: Self = Self::only(bindings::RTN_UNSPEC);
    pub(crate) const UNICAST: Self = Self::only(bindings::RTN_UNICAST);
    pub(crate) const LOCAL: Self = Self::only(bindings::RTN_LOCAL);
    pub(crate) const BROADCAST: Self = Self::only(bindings::RTN_BROADCAST);
    pub(crate) const ANYCAST: Self = Self::only(bindings::RTN_ANYCAST);
    pub(crate) const MULTICAST: Self = Self::only(bindings::RTN_MULTICAST);
    pub(crate) const BLACKHOLE: Self = Self::only(bindings::RTN_BLACKHOLE);
    pub(crate) const UNREACHABLE: Self = Self::only(bindings::RTN_UNREACHABLE);
    pub(crate) const PROHIBIT: Self = Self::only(bindings::RTN_PROHIBIT);
    pub(crate) const THROW: Self = Self::only(bindings::RTN_THROW);
    pub(crate) const NAT: Self = Self::only(bindings::RTN_NAT);
    pub(crate) const XRESOLVE: Self = Self::only(bindings::RTN_XRESOLVE);

    const fn only(kind: u32) -> Self {
        Self(1_u32.wrapping_shl(kind))
    }

    /// From its bits.
    pub(crate) const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// Its bits.
    pub(crate) const fn bits(self) -> u32 {
        self.0
    }

    /// The types of either.
    #[inline]
    pub(crate) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The types of both.
    #[inline]
    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether they have types in common.
    #[inline]
    pub(crate) const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// Which interface's addresses count; where a hook does not know it, all do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InterfaceLimit {
    /// Those of every interface.
    None,
    /// Those of the one that the packet came in through.
    Ingress,
    /// Those of the one that it goes out through.
    Egress,
}

impl Context<'_> {
    /// The device that addresses are limited to, or null.
    #[inline]
    fn limiting_device(&self, limit: InterfaceLimit) -> *const bindings::net_device {
        match limit {
            InterfaceLimit::None => core::ptr::null(),
            InterfaceLimit::Ingress => self.as_raw().in_,
            InterfaceLimit::Egress => self.as_raw().out,
        }
    }

    /// The type of an IPv4 address, which is just one: that of its route in the table `local`, or in
    /// that of the interface's VRF. Without a route there, or if that is another interface's, it is
    /// `UNICAST`.
    pub(crate) fn ipv4_address_type(&self, address: u32, limit: InterfaceLimit) -> AddressTypes {
        // SAFETY: By the type invariant, the namespace is valid, and so is the device under RCU,
        // unless it is null, which `inet_dev_addr_type` allows (`l3mdev_fib_table_rcu`).
        AddressTypes::only(unsafe {
            let device = self.limiting_device(limit);
            bindings::inet_dev_addr_type(self.as_raw().net, device, address)
        })
    }

    /// The types that the route to an IPv6 address gives it: `LOCAL`, `ANYCAST` and `UNREACHABLE`,
    /// or none. With a limit, the address has to be one of the interface itself to be `LOCAL`. As
    /// `match_lookup_rt6` in `xt_addrtype.c`.
    pub(crate) fn ipv6_route_types(
        &self,
        address: [u32; 4],
        limit: InterfaceLimit,
    ) -> AddressTypes {
        let net = self.as_raw().net;
        let device = self.limiting_device(limit);
        let mut flow6 = bindings::flowi6::default();
        flow6.daddr.in6_u.u6_addr32 = address;
        let mut types = AddressTypes::NONE;
        if !device.is_null() {
            // SAFETY: By the type invariant, the namespace is valid, and so is the device, under
            // RCU, which is all that `ipv6_chk_addr` asks for.
            unsafe {
                flow6.__fl_common.flowic_oif = (*device).ifindex;
                if bindings::ipv6_chk_addr(net, &flow6.daddr, device, 1) != 0 {
                    types = AddressTypes::LOCAL;
                }
            }
        }
        // SAFETY: By the type invariant, the namespace is valid. `ip6_route_output_flags` allows a
        // null socket, and always returns a reference to a route of IPv6, which is released when it
        // has been read.
        unsafe {
            let route = bindings::ip6_route_output_flags(net, core::ptr::null(), &mut flow6, 0);
            let flags = bindings::palisade_route_flags_of6(route);
            if (*route).error != 0 {
                types = AddressTypes::UNREACHABLE;
            } else {
                if flags & bindings::RTF_REJECT != 0 {
                    types = AddressTypes::UNREACHABLE;
                }
                if device.is_null() && flags & bindings::RTF_LOCAL != 0 {
                    types = types.or(AddressTypes::LOCAL);
                }
                if bindings::palisade_route_is_anycast6(route, &flow6.daddr) {
                    types = types.or(AddressTypes::ANYCAST);
                }
            }
            bindings::dst_release(route);
        }
        types
    }
}

/// The types that an IPv6 address has by itself: `UNSPEC`, `UNICAST` or `MULTICAST`, or none if it
/// is an IPv4 address that is mapped.
pub(crate) fn ipv6_form_types(address: [u32; 4]) -> AddressTypes {
    let mut wrapped = bindings::in6_addr::default();
    wrapped.in6_u.u6_addr32 = address;
    // SAFETY: `__ipv6_addr_type` reads the address, which is valid, and nothing else.
    match unsafe { bindings::__ipv6_addr_type(&wrapped) } as u32 {
        bindings::IPV6_ADDR_ANY => AddressTypes::UNSPEC,
        form if form & bindings::IPV6_ADDR_MULTICAST != 0 => AddressTypes::MULTICAST,
        form if form & bindings::IPV6_ADDR_UNICAST != 0 => AddressTypes::UNICAST,
        _ => AddressTypes::NONE,
    }
}
