// SPDX-License-Identifier: GPL-2.0

//! The route back for answers to received packets, and whether there may be one.
//!
//! PREROUTING hooks see packets before the kernel has checked whether this host may answer them. So
//! the kernel's checks are made here: those on a packet's way in (`ip_rcv_finish`,
//! `ip6_rcv_finish`), and those between there and an answer (`ip_forward`, `ip6_forward`,
//! `tcp_v4_rcv`, `tcp_v6_rcv`).

use super::{
    own_addresses::OwnAddresses,
    rewrite::OfThisPacket,
    route::{
        is_link_local,
        mss_of_mtu,
        Flow,
        Route,
        RouteLimits,
        RoutingDomain, //
    },
    send_back,
    short_way,
    skb::Skb, //
};
use crate::kernel_api::{
    bindings,
    demands,
    netfilter::{
        Context,
        Family, //
    }, //
};
use core::{
    marker::PhantomData,
    mem::offset_of, //
};
use kernel::prelude::*;

/// The most policy rules that are searched for marks.
const RULES_MAX: usize = 64;

/// The route of an answer.
pub(crate) struct WayBack {
    /// The largest segment that may come in from there, as far as this host knows.
    pub(crate) mss: u16,
    /// Index of the egress device.
    pub(crate) device: u32,
    /// What the route says of TCP.
    pub(crate) limits: RouteLimits,
    /// Whether the packet is for this host.
    pub(crate) is_from_here: bool,
    /// Whether it leads by plain Ethernet to the neighbour that sent the packet. The packet then
    /// has no route, and needs none.
    leads_to_sender: bool,
    of_this_packet: OfThisPacket,
}

impl WayBack {
    pub(in crate::kernel_api) fn leads_to_sender(&self) -> bool {
        self.leads_to_sender
    }
}

/// Why a packet is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// The packet must not be answered, for instance because of its source address.
    Forbidden,
    /// The packet cannot reach its destination from here. It has no route now and is to go on: the
    /// kernel's own route lookup decides, and sends an error if there is one to send.
    NoRoute,
}

impl Context<'_> {
    /// Finds the route of an answer to a TCP packet, which swaps the packet's addresses and has
    /// these ports. If the answer needs a route, it replaces the packet's own, for
    /// [`Verdict::Transmit`](crate::kernel_api::netfilter::Verdict::Transmit), so the packet must
    /// not go on otherwise. Pass the result to [`Rewritten::by`](super::rewrite::Rewritten::by).
    ///
    /// # Errors
    ///
    /// Why this host's TCP, or that of the destination, would not have answered.
    ///
    /// # Examples
    ///
    /// ```ignore
    /// let way = match context.way_back(skb, family, ports, own) {
    ///     Ok(way) => way,
    ///     Err(NoAnswer::NoRoute) => return Verdict::Accept,
    ///     Err(NoAnswer::Forbidden) => return Verdict::Drop,
    /// };
    /// let answer = answer(way.mss);
    /// match skb.end_with(skb.network_offset(), &answer) {
    ///     Ok(rewritten) => Verdict::Transmit(rewritten.by(way)),
    ///     Err(_) => Verdict::Drop,
    /// }
    /// ```
    #[inline]
    pub(crate) fn way_back(
        &self,
        skb: &mut Skb,
        family: Family,
        ports: u32,
        own: &OwnAddresses,
    ) -> Result<WayBack, NoAnswer> {
        let (state, raw) = (self.as_raw(), skb.as_raw());
        let device = state.in_;
        // SAFETY: By the type invariants of `Context` and `Skb`, the packet, the namespace and, as
        // checked first, the device are valid, under RCU.
        unsafe {
            // A link-layer broadcast is not for this host alone.
            if device.is_null() || !bindings::palisade_skb_is_for_this_host(raw) {
                return Err(NoAnswer::Forbidden);
            }
            let (source, destination) = addresses(skb, family).ok_or(NoAnswer::Forbidden)?;
            if bindings::palisade_skb_is_bridged(raw) {
                let mtu = (*device).mtu;
                if !is_somebody(family, source) {
                    return Err(NoAnswer::Forbidden);
                }
                // When it is forwarded, its device is the egress device, and its route is a fake
                // (`bridge_parent_rtable`): look up a route for the answer.
                if u32::from(state.hook) != bindings::nf_inet_hooks_NF_INET_PRE_ROUTING {
                    let flow = flow_back(skb, state, family, (source, destination), ports);
                    let route = flow.route(state.net).map_err(|_| NoAnswer::Forbidden)?;
                    route.attach(raw);
                }
                return Ok(WayBack {
                    mss: mss_of_mtu(mtu, family),
                    device: (*device).ifindex as u32,
                    limits: RouteLimits::default(),
                    is_from_here: false,
                    leads_to_sender: false,
                    of_this_packet: PhantomData,
                });
            }
            let is_looped = bindings::palisade_skb_is_looped(raw);
            if !is_looped {
                // No host sends to itself over a network; the destination would take this for a
                // forgery.
                if source == destination {
                    return Err(NoAnswer::Forbidden);
                }
                let short =
                    |skb: &Skb| short_way::find(skb, state, family, own, source, destination);
                if let Some((mss, is_local)) = short(skb) {
                    demands::as_by_routing(|| {
                        let mut agrees = || {
                            let routed = self.routed_way(skb, family, ports, is_looped);
                            let agrees = routed
                                .is_ok_and(|way| (way.mss, way.is_from_here) == (mss, is_local))
                                && Route::of(raw).is_some_and(|route| {
                                    send_back::leads_to_sender(&route, raw, state, family, source)
                                });
                            bindings::palisade_skb_drop_route(raw);
                            agrees
                        };
                        // The lookup needs memory, which may be short, and routes may have changed
                        // meanwhile.
                        (0..200).any(|_| agrees())
                            || KVec::<u8>::with_capacity(1, GFP_ATOMIC).is_err()
                            || short(skb) != Some((mss, is_local))
                    });
                    return Ok(WayBack {
                        mss,
                        device: (*device).ifindex as u32,
                        limits: RouteLimits::default(),
                        is_from_here: is_local,
                        leads_to_sender: true,
                        of_this_packet: PhantomData,
                    });
                }
            }
            self.routed_way(skb, family, ports, is_looped)
        }
    }

    /// The route by a full lookup.
    ///
    /// # Safety
    ///
    /// The packet has to have an ingress device and be addressed to this host on the link.
    /// `is_looped` has to be whether it came in through the loopback interface.
    unsafe fn routed_way(
        &self,
        skb: &mut Skb,
        family: Family,
        ports: u32,
        is_looped: bool,
    ) -> Result<WayBack, NoAnswer> {
        let (state, raw) = (self.as_raw(), skb.as_raw());
        let device = state.in_;
        let (source, destination) = addresses(skb, family).ok_or(NoAnswer::Forbidden)?;
        // SAFETY: By the type invariants of `Context` and `Skb`, the packet and the namespace are
        // valid, under RCU. By the function's safety requirements, there is a device. `device` is a
        // valid pointer for a route under RCU, and the route found is of `family`.
        unsafe {
            let is_local = match family {
                Family::Ipv4 => has_come_ipv4(skb, state.net, device)?,
                Family::Ipv6 if is_looped || is_somebody(family, source) => {
                    has_come_ipv6(skb, state.net, device, source, destination)?
                }
                Family::Ipv6 => return Err(NoAnswer::Forbidden),
            };
            let flow = flow_back(skb, state, family, (source, destination), ports);
            let route = flow.route(state.net).ok();
            let route = match route {
                Some(route) if route.device() == device => route,
                other => by_mark(&flow, state.net, device)
                    .or(other)
                    .ok_or(NoAnswer::Forbidden)?,
            };
            if !leads_to_somebody(&route, family, is_looped) {
                return Err(NoAnswer::Forbidden);
            }
            let way = WayBack {
                mss: route.mss(family),
                device: (*route.device()).ifindex as u32,
                limits: route.limits(),
                is_from_here: is_local,
                leads_to_sender: false,
                of_this_packet: PhantomData,
            };
            route.attach(raw);
            Ok(way)
        }
    }
}

/// The route of an outgoing packet.
pub(crate) struct EgressRoute {
    /// The largest TCP segment that it takes, in bytes.
    pub(crate) mss: u16,
    /// Index of the egress device.
    pub(crate) device: u32,
}

impl Context<'_> {
    /// The route of an outgoing packet, if it has one.
    pub(crate) fn egress_route(&self, skb: &Skb, family: Family) -> Option<EgressRoute> {
        // SAFETY: By the type invariants of `Context` and `Skb`, the packet and its devices are
        // valid, under RCU, which keeps the route's device valid. In the hooks of IP, an outgoing
        // packet's route is of its IP version.
        unsafe {
            let raw = skb.as_raw();
            if !self.is_going_out() || !bindings::palisade_skb_is_routed(raw) {
                return None;
            }
            let route = Route::of(raw)?;
            Some(EgressRoute {
                mss: route.mss(family),
                device: (*route.device()).ifindex as u32,
            })
        }
    }

    /// The largest TCP segment that fits the MTU of the ingress device.
    pub(crate) fn in_mtu(&self, family: Family) -> u16 {
        let device = self.as_raw().in_;
        if device.is_null() {
            return u16::MAX;
        }
        // SAFETY: By the type invariant of `Context`, the device is valid.
        mss_of_mtu(unsafe { (*device).mtu }, family)
    }
}

/// The flow for the route lookup of an answer to a packet with these addresses.
///
/// # Safety
///
/// `skb` and `state` have to be those of the hook.
unsafe fn flow_back(
    skb: &Skb,
    state: &bindings::nf_hook_state,
    family: Family,
    (source, destination): ([u32; 4], [u32; 4]),
    ports: u32,
) -> Flow {
    Flow {
        family,
        addresses: (destination, source),
        ports,
        // SAFETY: By the function's safety requirements, the packet and the namespace are valid.
        mark: unsafe { bindings::palisade_reply_mark(state.net, skb.as_raw()) },
        // SAFETY: By the function's safety requirements, the state is that of a packet's hook.
        domain: unsafe { RoutingDomain::of(state) },
    }
}

/// The source and the destination address of a packet.
#[inline]
pub(in crate::kernel_api) fn addresses(skb: &Skb, family: Family) -> Option<([u32; 4], [u32; 4])> {
    let start = skb.network_offset();
    Some(match family {
        Family::Ipv4 => {
            let [source, destination] = skb.linear_words::<2>(start.wrapping_add(12))?;
            ([source, 0, 0, 0], [destination, 0, 0, 0])
        }
        Family::Ipv6 => {
            let [a, b, c, d, e, f, g, h] = skb.linear_words::<8>(start.wrapping_add(8))?;
            ([a, b, c, d], [e, f, g, h])
        }
    })
}

/// Whether an address is a unicast address that identifies the sender.
#[inline]
pub(in crate::kernel_api) fn is_somebody(family: Family, address: [u32; 4]) -> bool {
    let [a, b, c, d] = address.map(u32::from_be);
    match family {
        // Not "this network", loopback, multicast, nor anything above.
        Family::Ipv4 => !matches!(a >> 24, 0 | 127 | 224..),
        // Not unspecified, loopback, IPv4-mapped (`tcp_v6_conn_request`), nor multicast.
        Family::Ipv6 => !(a == 0 && b == 0 && (c == 0 && d <= 1 || c == 0xffff)) && a >> 24 != 0xff,
    }
}

/// Drops the route of a packet that is to go on.
///
/// # Safety
///
/// Nobody may use the packet's route any more.
#[cold]
#[inline(never)]
unsafe fn no_way_on(skb: &mut Skb) -> NoAnswer {
    // SAFETY: By the type invariant of `Skb`, the packet is valid. By the function's safety
    // requirements, its route is not used any more.
    unsafe { bindings::palisade_skb_drop_route(skb.as_raw()) };
    NoAnswer::NoRoute
}

/// Whether an IPv4 packet is for this host, rather than one that can be forwarded.
///
/// # Safety
///
/// `device` has to be the packet's valid ingress device and `net` its valid namespace, under RCU.
unsafe fn has_come_ipv4(
    skb: &mut Skb,
    net: *mut bindings::net,
    device: *mut bindings::net_device,
) -> Result<bool, NoAnswer> {
    let raw = skb.as_raw();
    // SAFETY: By the function's safety requirements and the type invariant of `Skb`, packet, device
    // and namespace are valid, under RCU. In the hooks of IP the header is linear. A route that the
    // packet has is an IPv4 one; `ip_route_input_noref` is called as in `ip_rcv_finish_core`, or in
    // process context, which it allows, as it takes RCU itself.
    unsafe {
        let is_routed = bindings::palisade_skb_is_routed(raw)
            || bindings::palisade_route_input4(raw, device) == 0;
        // Where forwarding is off, the lookup gives a route to an error.
        let is_error = is_routed && bindings::palisade_route_is_error(raw);
        if (is_error || !is_routed) && !is_admitted_by_mark_ipv4(skb, net, device) {
            return Err(match is_error {
                true => no_way_on(skb),
                false => NoAnswer::Forbidden,
            });
        }
        if bindings::palisade_route_is_local4(raw) {
            return match bindings::palisade_policy_admits4(raw) {
                true => Ok(true),
                false => Err(NoAnswer::Forbidden),
            };
        }
        if !bindings::palisade_route_is_unicast4(raw)
            || !bindings::palisade_policy_admits_forward4(raw)
        {
            return Err(NoAnswer::Forbidden);
        }
        match skb.read::<1>(skb.network_offset().wrapping_add(8)) {
            Some([2..=u8::MAX]) => Ok(false),
            _ => Err(no_way_on(skb)),
        }
    }
}

/// Whether the packet would be let in with some mark that rules may set between here and routing
/// (`src_valid_mark`, or a table of local addresses for transparent proxies).
///
/// # Safety
///
/// As for [`has_come_ipv4`].
#[cold]
#[inline(never)]
unsafe fn is_admitted_by_mark_ipv4(
    skb: &mut Skb,
    net: *mut bindings::net,
    device: *mut bindings::net_device,
) -> bool {
    let own = skb.mark();
    // SAFETY: By the function's safety requirements and the type invariant of `Skb`, packet, device
    // and namespace are valid, under RCU, and the header is linear. Each lookup drops the route of
    // the one before.
    let is_admitted = unsafe {
        marks(net, Family::Ipv4).any(|mark| {
            skb.set_mark(mark);
            bindings::palisade_route_input4(skb.as_raw(), device) == 0
                && !bindings::palisade_route_is_error(skb.as_raw())
        })
    };
    skb.set_mark(own);
    is_admitted
}

/// Whether an IPv6 packet is for this host, rather than one that can be forwarded.
///
/// # Safety
///
/// As for [`has_come_ipv4`].
unsafe fn has_come_ipv6(
    skb: &mut Skb,
    net: *mut bindings::net,
    device: *mut bindings::net_device,
    source: [u32; 4],
    destination: [u32; 4],
) -> Result<bool, NoAnswer> {
    let raw = skb.as_raw();
    // SAFETY: By the function's safety requirements and the type invariant of `Skb`, packet, device
    // and namespace are valid, under RCU, as `ip6_route_input` requires. In the hooks of IP the
    // header is linear. A route that the packet has is an IPv6 one.
    unsafe {
        if !bindings::palisade_skb_is_routed(raw) {
            bindings::ip6_route_input(raw);
        }
        if bindings::palisade_route_is_error(raw) {
            return Err(no_way_on(skb));
        }
        let flags = bindings::palisade_route_flags6(raw);
        let is_local = flags & bindings::RTF_LOCAL != 0;
        let is_admitted = if is_local {
            bindings::palisade_policy_admits6(raw)
        } else {
            let [first, ..] = destination;
            let is_multicast = u32::from_be(first) >> 24 == 0xff;
            flags & bindings::RTF_ANYCAST == 0
                && !is_multicast
                && !is_link_local(source)
                && !is_link_local(destination)
                && forwards_ipv6(net, device)
                && bindings::palisade_policy_admits_forward6(raw)
        };
        if !is_admitted {
            return Err(NoAnswer::Forbidden);
        }
        let hop_limit = skb.read::<1>(skb.network_offset().wrapping_add(7));
        match hop_limit {
            _ if is_local => Ok(true),
            Some([2..=u8::MAX]) => Ok(false),
            _ => Err(no_way_on(skb)),
        }
    }
}

/// Whether IPv6 packets from a device may be forwarded (`ip6_forward`).
///
/// # Safety
///
/// The namespace and the device have to be valid, under RCU, and the namespace has to have IPv6
/// packets.
unsafe fn forwards_ipv6(net: *const bindings::net, device: *const bindings::net_device) -> bool {
    // SAFETY: By the function's safety requirements, namespace and device are valid, under RCU.
    // Where there are IPv6 packets, `devconf_all` is set.
    unsafe {
        let all = (*net).ipv6.devconf_all;
        let settings = bindings::palisade_ipv6_settings(device);
        (&raw const (*all).forwarding).read_volatile() != 0
            || !settings.is_null()
                && (&raw const (*settings).cnf.force_forwarding).read_volatile() != 0
    }
}

/// Whether the route back leads to one host, and to another one unless the packet is looped.
///
/// # Safety
///
/// The route has to be one of `family`.
unsafe fn leads_to_somebody(route: &Route, family: Family, is_looped: bool) -> bool {
    const SEVERAL: u32 = bindings::RTCF_BROADCAST | bindings::RTCF_MULTICAST;
    const OWN: u32 = bindings::RTF_LOCAL | bindings::RTF_ANYCAST;
    // SAFETY: By the type invariant, the route is valid, and by the function's safety requirements,
    // it is one of `family`.
    unsafe {
        match family {
            // `ip_route_input_noref` has checked whether addresses of this host may come in.
            Family::Ipv4 => bindings::palisade_route_flags_of4(route.as_raw()) & SEVERAL == 0,
            Family::Ipv6 => {
                is_looped || bindings::palisade_route_flags_of6(route.as_raw()) & OWN == 0
            }
        }
    }
}

const _: () = assert!(offset_of!(bindings::fib_rule, list) == 0);

/// The marks that policy rules match.
///
/// # Safety
///
/// The namespace has to be valid and have policy routing of that IP version set up. RCU has to be
/// held while the result is used.
unsafe fn marks(net: *mut bindings::net, family: Family) -> impl Iterator<Item = u32> {
    // SAFETY: By the function's safety requirements, there is a list of rules, which is changed in
    // a way that readers under RCU may walk it.
    let (head, first) = unsafe {
        let head = match family {
            Family::Ipv4 => bindings::palisade_routing_rules4(net),
            Family::Ipv6 => bindings::palisade_routing_rules6(net),
        };
        (head, (&raw const (*head).next).read_volatile())
    };
    let entries = core::iter::successors(Some(first), |entry| {
        // SAFETY: By the function's safety requirements, RCU is held, so each entry of the list
        // stays valid.
        Some(unsafe { (&raw const (**entry).next).read_volatile() })
    });
    entries
        .take_while(move |entry| !core::ptr::eq(*entry, head))
        // `take` would count down, and the compiler does not know that this stops at zero.
        .zip(0..RULES_MAX)
        .filter_map(|(entry, _)| {
            let rule = entry.cast::<bindings::fib_rule>();
            // SAFETY: The entry is not the head, so it lies in a rule, whose first field is the
            // list, as checked above. RCU keeps the rule valid.
            let (mark, mask) = unsafe { ((*rule).mark, (*rule).mark_mask) };
            (mask != 0).then_some(mark)
        })
}

/// Finds a route with some mark that leaves by `device`. Such marks are restored from the
/// connection, which does not exist yet: multihomed hosts save the ingress uplink in it and restore
/// it for outgoing packets. So if there is such a route, the ingress device decides.
///
/// # Safety
///
/// As for [`marks`].
#[cold]
#[inline(never)]
unsafe fn by_mark(
    flow: &Flow,
    net: *mut bindings::net,
    device: *mut bindings::net_device,
) -> Option<Route> {
    // SAFETY: By the function's safety requirements, the namespace is valid with policy routing of
    // that IP version, and RCU is held.
    unsafe {
        marks(net, flow.family)
            .filter_map(|mark| Flow { mark, ..*flow }.route(net).ok())
            .find(|route| route.device() == device)
    }
}
