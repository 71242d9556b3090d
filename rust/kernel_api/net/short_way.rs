// SPDX-License-Identifier: GPL-2.0

//! A fast path for the route of an answer: two lookups in a routing table suffice where the
//! configuration is ordinary.
//!
//! [`Context::way_back`](crate::kernel_api::netfilter::Context::way_back) makes full route lookups,
//! which cost as much as all else that is done for a SYN. This gives the same result or none: it
//! handles nothing for which routing would have to choose, refuse or remember. So it is for packets
//! that came by plain Ethernet from the neighbour that the answer goes to, in a namespace without
//! policy rules and IPsec. Debug kernels do both and compare.

use super::{
    ethernet::{
        self,
        Neighbour, //
    },
    fib4,
    fib6,
    own_addresses::OwnAddresses,
    route,
    skb::Skb,
    way_back::is_somebody, //
};
use crate::kernel_api::{
    bindings,
    netfilter::Family, //
};

/// The nexthop of a route.
pub(in crate::kernel_api) struct Hop {
    pub(in crate::kernel_api) device: *mut bindings::net_device,
    pub(in crate::kernel_api) neighbour: Neighbour,
    pub(in crate::kernel_api) metrics: Metrics,
}

/// The metrics of a route; zero if unset.
#[derive(Clone, Copy)]
pub(in crate::kernel_api) struct Metrics {
    mtu: u32,
    advertised_mss: u32,
}

impl Metrics {
    /// Reads the metrics. None if any is locked, on which an MTU may depend, too, or limits TCP.
    ///
    /// # Safety
    ///
    /// The metrics have to be valid.
    #[inline]
    pub(in crate::kernel_api) unsafe fn of(metrics: *const bindings::dst_metrics) -> Option<Self> {
        const fn index(metric: u32) -> usize {
            metric as usize - 1
        }
        const LOCK: usize = index(bindings::RTAX_LOCK);
        const MTU: usize = index(bindings::RTAX_MTU);
        const MSS: usize = index(bindings::RTAX_ADVMSS);
        // SAFETY: By the function's safety requirements, the metrics are valid, and each index is
        // below RTAX_MAX. Each may change meanwhile (`fib6_metric_set`).
        unsafe {
            let values = &raw const (*metrics).metrics;
            let value = |index: usize| values.cast::<u32>().add(index).read_volatile();
            let limits = [
                bindings::RTAX_WINDOW,
                bindings::RTAX_INITRWND,
                bindings::RTAX_FEATURES,
            ];
            let is_plain = limits.iter().all(|limit| value(index(*limit)) == 0);
            (value(LOCK) == 0 && is_plain).then(|| Self {
                mtu: value(MTU),
                advertised_mss: value(MSS),
            })
        }
    }
}

/// The largest segment for an answer that leaves by the packet's ingress device, to the neighbour
/// that sent it, and whether the packet is for this host. None if a full route lookup is necessary.
///
/// # Safety
///
/// `skb` and `state` have to be those of the hook. The packet has to be addressed to this host on
/// the link, neither looped nor bridged. Source and destination have to be its own.
#[inline]
pub(in crate::kernel_api) unsafe fn find(
    skb: &Skb,
    state: &bindings::nf_hook_state,
    family: Family,
    own: &OwnAddresses,
    source: [u32; 4],
    destination: [u32; 4],
) -> Option<(u16, bool)> {
    let raw = skb.as_raw();
    let (net, device) = (state.net, state.in_);
    // SAFETY: By the function's safety requirements, packet, namespace and device are valid, under
    // RCU, which hooks hold. The packet came by Ethernet, as checked first.
    unsafe {
        if !ethernet::brought(raw, state, family)
            || bindings::palisade_skb_is_routed(raw)
            || !is_somebody(family, source)
            || family == Family::Ipv4 && !is_somebody(family, destination)
            || has_policies(net)
        {
            return None;
        }
        let (hop, device_mtu, is_local) = match family {
            Family::Ipv4 => {
                let ([source, ..], [destination, ..]) = (source, destination);
                ipv4(skb, net, device, own, source, destination)
            }
            Family::Ipv6 => ipv6(skb, net, device, source, destination),
        }?;
        if hop.device != device || !hop.neighbour.has_address(device, ethernet::sender(raw)) {
            return None;
        }
        let mtu = match hop.metrics.mtu {
            0 => device_mtu,
            mtu => mtu,
        };
        let mss = route::mss(mtu, hop.metrics.advertised_mss, family);
        Some((mss, is_local))
    }
}

/// Whether IPsec policies may apply to received, forwarded or sent packets.
///
/// # Safety
///
/// The namespace has to be valid.
#[inline]
unsafe fn has_policies(net: *const bindings::net) -> bool {
    #[cfg(CONFIG_XFRM = "y")]
    // SAFETY: By the function's safety requirements, the namespace is valid. Both arrays start with
    // an entry for each of three directions.
    unsafe {
        let counts = (&raw const (*net).xfrm.policy_count).cast::<[u32; 3]>();
        let defaults = &raw const (*net).xfrm.policy_default;
        let accept = bindings::XFRM_USERPOLICY_ACCEPT as u8;
        counts.read_volatile() != [0; 3] || defaults.read_volatile() != [accept; 3]
    }
    #[cfg(not(CONFIG_XFRM = "y"))]
    {
        let _ = net;
        false
    }
}

/// The nexthop to the sender of an IPv4 packet, if the packet is let in, the MTU of the device, and
/// whether the packet is for this host (`ip_route_input_slow`, `ip_route_output_key_hash_rcu`).
///
/// # Safety
///
/// As for [`find`]; `net` and `device` have to be those of the packet's hook state.
#[inline]
unsafe fn ipv4(
    skb: &Skb,
    net: *mut bindings::net,
    device: *mut bindings::net_device,
    own: &OwnAddresses,
    source: u32,
    destination: u32,
) -> Option<(Hop, u32, bool)> {
    // SAFETY: By the function's safety requirements, packet, namespace and device are valid, under
    // RCU, which keeps the settings and what is found valid. There are no policy rules, as checked
    // first. In the hooks of IP the header is linear.
    unsafe {
        let settings = bindings::palisade_ipv4_settings(device);
        if settings.is_null()
            || bindings::palisade_has_rules4(net)
            || bindings::palisade_has_realms(net)
        {
            return None;
        }
        let [_, tos] = skb.read::<2>(skb.network_offset())?;
        let dscp = tos & fib4::DSCP;
        let (forwards, own_are_routed) =
            (bindings::palisade_forwards4(settings), own.are_routed(net));
        // An address of this host is found fast, any other only after a lookup in the table.
        let is_own = dscp == 0
            && own_are_routed
            && !forwards
            && !bindings::__ip_dev_find(net, destination, false).is_null();
        let is_local = if is_own {
            true
        } else {
            let on = fib4::Found::look_up(net, source, destination, dscp)?;
            let may_go_on = || {
                on.is_unicast()
                    && forwards
                    && !bindings::palisade_ipv4_settings(on.device()).is_null()
                    && matches!(
                        skb.read::<1>(skb.network_offset().wrapping_add(8)),
                        Some([2..=u8::MAX])
                    )
            };
            if !on.is_local() && !may_go_on() {
                return None;
            }
            on.is_local()
        };
        let found = fib4::Found::look_up(net, destination, source, 0)?;
        let hop = found.only_hop(source)?;
        if !found.is_unicast() || hop.device != device {
            return None;
        }
        // As in `fib_validate_source`, which counts the addresses of devices that are down, too.
        let is_admitted = match bindings::palisade_checks_sources(settings) {
            false => own_are_routed || bindings::__ip_dev_find(net, source, false).is_null(),
            true => {
                dscp == 0
                    || fib4::Found::look_up(net, destination, source, dscp)
                        .is_some_and(|found| found.is_unicast() && found.device() == device)
            }
        };
        is_admitted.then(|| (hop, (*device).mtu, is_local))
    }
}

/// As [`ipv4`], for IPv6 (`ip6_pol_route`, `ip6_forward`).
///
/// # Safety
///
/// As for [`ipv4`].
#[inline]
unsafe fn ipv6(
    skb: &Skb,
    net: *mut bindings::net,
    device: *mut bindings::net_device,
    source: [u32; 4],
    destination: [u32; 4],
) -> Option<(Hop, u32, bool)> {
    if route::is_link_local(source) || route::is_link_local(destination) {
        return None;
    }
    // SAFETY: By the function's safety requirements, packet, namespace and device are valid, under
    // RCU, which keeps the settings and what is found valid. A namespace with IPv6 packets has both
    // tables for as long as it lives, and no route is for some sources only, as checked first.
    unsafe {
        let settings = bindings::palisade_ipv6_settings(device);
        let tables = &(*net).ipv6;
        if settings.is_null()
            || tables.fib6_has_custom_rules
            || bindings::palisade_routes_ask_for_sources(net)
        {
            return None;
        }
        let (local, main) = (tables.fib6_local_tbl, tables.fib6_main_tbl);
        let is_local = match fib6::Found::look_up(net, local, destination) {
            fib6::Found::One(on) if on.is_local() => true,
            fib6::Found::Nothing if goes_on_ipv6(skb, net, settings, destination) => false,
            _ => return None,
        };
        if !matches!(
            fib6::Found::look_up(net, local, source),
            fib6::Found::Nothing
        ) {
            return None;
        }
        let fib6::Found::One(back) = fib6::Found::look_up(net, main, source) else {
            return None;
        };
        let mtu = (&raw const (*settings).cnf.mtu6).read_volatile();
        (back.is_unicast()).then_some((back.hop(source)?, mtu as u32, is_local))
    }
}

/// Whether an IPv6 packet is forwarded to another host.
///
/// # Safety
///
/// As for [`ipv4`]; no route may depend on the source, and `settings` have to be those of the
/// device.
#[inline(never)]
unsafe fn goes_on_ipv6(
    skb: &Skb,
    net: *mut bindings::net,
    settings: *const bindings::inet6_dev,
    destination: [u32; 4],
) -> bool {
    // SAFETY: By the function's safety requirements, packet, namespace and settings are valid,
    // under RCU. A namespace with IPv6 packets has `devconf_all` and the table.
    unsafe {
        let tables = &(*net).ipv6;
        let forwards_all = (&raw const (*tables.devconf_all).forwarding).read_volatile() != 0;
        let forwards = (&raw const (*settings).cnf.force_forwarding).read_volatile() != 0;
        let fib6::Found::One(on) = fib6::Found::look_up(net, tables.fib6_main_tbl, destination)
        else {
            return false;
        };
        on.is_unicast()
            && (forwards_all || forwards && !on.has_gateway())
            && matches!(
                skb.read::<1>(skb.network_offset().wrapping_add(7)),
                Some([2..=u8::MAX])
            )
    }
}
