// SPDX-License-Identifier: GPL-2.0

//! Answers to packets that were received: who may be given one, and which way there is to whom it is for.
//!
//! Hooks in PREROUTING see packets before anybody has asked whether this machine may answer them. So the kernel's
//! own questions are asked here: those that it asks on a packet's way in (`ip_rcv_finish`, `ip6_rcv_finish`), and
//! those that come after that and before an answer (`ip_forward`, `ip6_forward`, `tcp_v4_rcv`, `tcp_v6_rcv`).

use super::{
    own_addresses::OwnAddresses,
    route::{
        is_link_local,
        mss_of_mtu,
        Flow,
        Route,
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
use core::mem::offset_of;
use kernel::prelude::*;

/// Most rules of policy routing that are asked for the mark that they go by.
const RULES_MAX: usize = 64;

/// The way of an answer.
#[derive(Clone, Copy)]
pub(crate) struct WayBack {
    /// The largest segment that may come by it, as far as this machine knows.
    pub(crate) mss: u16,
    /// Index of the device that it leads out by.
    pub(crate) device: u32,
    /// Whether it is the neighbour's that the packet came from, by plain Ethernet. The packet has no route then, and
    /// needs none.
    leads_to_sender: bool,
}

impl WayBack {
    pub(in crate::kernel_api) fn leads_to_sender(&self) -> bool {
        self.leads_to_sender
    }
}

/// Why a packet is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// Whoever it says that it is from must not be.
    Forbidden,
    /// It cannot go on from here to whom it is for. It has no route now, and is to go on: routing has the last word,
    /// and tells its sender so if anybody is to be told.
    NoWayOn,
}

impl Context<'_> {
    /// The way of an answer to a packet of TCP, which has the packet's addresses and these ports the other way round.
    /// From here on the packet's route is the way back, if it needs one, which
    /// [`Verdict::Transmit`](crate::kernel_api::netfilter::Verdict::Transmit) takes: the packet must not go on otherwise. What is sent has to
    /// be told ([`Rewritten::by`](super::rewrite::Rewritten::by)).
    ///
    /// # Errors
    ///
    /// Why this machine would not have answered: the kernel's own TCP, or that of whoever the packet is for.
    #[inline]
    pub(crate) fn way_back(
        &self,
        skb: &Skb,
        family: Family,
        ports: u32,
        own: &OwnAddresses,
    ) -> Result<WayBack, NoAnswer> {
        let (state, raw) = (self.as_raw(), skb.as_raw());
        let device = state.in_;
        // SAFETY: The packet, the device and the namespace are valid while the hook runs, under RCU.
        unsafe {
            // Whoever got a broadcast of the link layer is not who it is for.
            if device.is_null() || !bindings::palisade_skb_is_for_this_host(raw) {
                return Err(NoAnswer::Forbidden);
            }
            let (source, destination) = addresses(skb, family).ok_or(NoAnswer::Forbidden)?;
            if bindings::palisade_skb_is_bridged(raw) {
                let mtu = (*device).mtu;
                if !is_somebody(family, source) {
                    return Err(NoAnswer::Forbidden);
                }
                // Where it is forwarded its device is the one that it leaves by, and it has a route that leads nowhere
                // (`bridge_parent_rtable`): the answer is routed.
                if u32::from(state.hook) != bindings::nf_inet_hooks_NF_INET_PRE_ROUTING {
                    let flow = flow_back(skb, state, family, (source, destination), ports);
                    let route = flow.route(state.net).map_err(|_| NoAnswer::Forbidden)?;
                    route.attach(raw);
                }
                return Ok(WayBack {
                    mss: mss_of_mtu(mtu, family),
                    device: (*device).ifindex as u32,
                    leads_to_sender: false,
                });
            }
            let is_looped = bindings::palisade_skb_is_looped(raw);
            if !is_looped {
                // Nobody sends to himself by a network, and whom it is for would take it for a forgery.
                if source == destination {
                    return Err(NoAnswer::Forbidden);
                }
                let short = || short_way::mss(skb, state, family, own, source, destination);
                if let Some(mss) = short() {
                    demands::as_by_routing(|| {
                        let agrees = || {
                            let routed = self.routed_way(skb, family, ports, is_looped);
                            let agrees = routed.is_ok_and(|way| way.mss == mss)
                                && Route::of(raw).is_some_and(|route| {
                                    send_back::leads_to_sender(&route, raw, state, family, source)
                                });
                            bindings::palisade_skb_drop_route(raw);
                            agrees
                        };
                        // Routing needs memory, which may be short; and routes may have changed meanwhile.
                        (0..200).any(|_| agrees())
                            || KVec::<u8>::with_capacity(1, GFP_ATOMIC).is_err()
                            || short() != Some(mss)
                    });
                    return Ok(WayBack {
                        mss,
                        device: (*device).ifindex as u32,
                        leads_to_sender: true,
                    });
                }
            }
            self.routed_way(skb, family, ports, is_looped)
        }
    }

    /// The way as all of routing finds it.
    ///
    /// # Safety
    ///
    /// The packet has to have come in by a device and to be for this host on the link. It has to be said whether it has
    /// come round by the loopback interface.
    unsafe fn routed_way(
        &self,
        skb: &Skb,
        family: Family,
        ports: u32,
        is_looped: bool,
    ) -> Result<WayBack, NoAnswer> {
        let (state, raw) = (self.as_raw(), skb.as_raw());
        let device = state.in_;
        let (source, destination) = addresses(skb, family).ok_or(NoAnswer::Forbidden)?;
        // SAFETY: The packet, the device and the namespace are valid while the hook runs, under RCU.
        unsafe {
            match family {
                Family::Ipv4 => has_come_ipv4(skb, state.net, device)?,
                Family::Ipv6 if is_looped || is_somebody(family, source) => {
                    has_come_ipv6(skb, state.net, device, source, destination)?;
                }
                Family::Ipv6 => return Err(NoAnswer::Forbidden),
            }
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
                leads_to_sender: false,
            };
            route.attach(raw);
            Ok(way)
        }
    }
}

impl Context<'_> {
    /// The way that a packet goes out by, if it has been routed.
    pub(crate) fn way_out(&self, skb: &Skb, family: Family) -> Option<WayBack> {
        // SAFETY: The packet and its device are valid while the hook runs, under RCU. In the hooks of IP, where the packet
        // goes out it has a route of its IP version.
        unsafe {
            let raw = skb.as_raw();
            if !self.is_going_out() || !bindings::palisade_skb_is_routed(raw) {
                return None;
            }
            let route = Route::of(raw)?;
            Some(WayBack {
                mss: route.mss(family),
                device: (*route.device()).ifindex as u32,
                leads_to_sender: false,
            })
        }
    }

    /// The largest TCP segment that the device takes by which a packet came in.
    pub(crate) fn in_mtu(&self, family: Family) -> u16 {
        let device = self.as_raw().in_;
        if device.is_null() {
            return u16::MAX;
        }
        // SAFETY: The device is valid while the hook runs, under RCU.
        mss_of_mtu(unsafe { (*device).mtu }, family)
    }
}

/// What routing goes by for the answer to a packet of that source and destination, which has these ports.
///
/// # Safety
///
/// The packet has to be that of the hook.
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
        // SAFETY: The caller says that the packet is valid; the namespace is while the hook runs.
        mark: unsafe { bindings::palisade_reply_mark(state.net, skb.as_raw()) },
        domain: RoutingDomain::of(state),
    }
}

/// Source and destination of a packet.
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

/// Whether an address is that of a host, and of no other than what sends with it.
#[inline]
pub(in crate::kernel_api) fn is_somebody(family: Family, address: [u32; 4]) -> bool {
    let [a, b, c, d] = address.map(u32::from_be);
    match family {
        // Neither "this network", nor loopback, multicast, nor what is above.
        Family::Ipv4 => !matches!(a >> 24, 0 | 127 | 224..),
        // Neither unspecified, loopback, nor an IPv4 address (tcp_v6_conn_request), nor multicast.
        Family::Ipv6 => !(a == 0 && b == 0 && (c == 0 && d <= 1 || c == 0xffff)) && a >> 24 != 0xff,
    }
}

/// Has a packet go on as one that was not routed.
///
/// # Safety
///
/// The packet has to be valid.
#[cold]
#[inline(never)]
unsafe fn no_way_on(skb: &Skb) -> NoAnswer {
    // SAFETY: The caller says so.
    unsafe { bindings::palisade_skb_drop_route(skb.as_raw()) };
    NoAnswer::NoWayOn
}

/// Whether an IPv4 packet has come to where it is for, or goes on from here.
///
/// # Safety
///
/// The packet and the device that it came by have to be valid, under RCU.
unsafe fn has_come_ipv4(
    skb: &Skb,
    net: *mut bindings::net,
    device: *mut bindings::net_device,
) -> Result<(), NoAnswer> {
    let forbidden_unless = |is_admitted| match is_admitted {
        true => Ok(()),
        false => Err(NoAnswer::Forbidden),
    };
    let raw = skb.as_raw();
    // SAFETY: The caller says so. In the hooks of IP the header is linear. Where the packet has been routed, the route
    // is one of IPv4; where it has not, the function does that as `ip_rcv_finish_core` does (softirqs are off, or
    // this is process context, which it allows: it takes RCU itself).
    unsafe {
        let is_routed = bindings::palisade_skb_is_routed(raw)
            || bindings::palisade_route_input4(raw, device) == 0;
        // The route of what is not forwarded is one to an error.
        let is_error = is_routed && bindings::palisade_route_is_error(raw);
        if (is_error || !is_routed) && !is_admitted_by_mark_ipv4(skb, net, device) {
            return Err(match is_error {
                true => no_way_on(skb),
                false => NoAnswer::Forbidden,
            });
        }
        if bindings::palisade_route_is_local4(raw) {
            return forbidden_unless(bindings::palisade_policy_admits4(raw));
        }
        if !bindings::palisade_route_is_unicast4(raw)
            || !bindings::palisade_policy_admits_forward4(raw)
        {
            return Err(NoAnswer::Forbidden);
        }
        match skb.read::<1>(skb.network_offset().wrapping_add(8)) {
            Some([2..=u8::MAX]) => Ok(()),
            _ => Err(no_way_on(skb)),
        }
    }
}

/// Whether the packet would have come in with some mark that rules may give it between here and routing
/// (`src_valid_mark`, or a table of local addresses for transparent proxies).
///
/// # Safety
///
/// As for [`has_come_ipv4`].
#[cold]
#[inline(never)]
unsafe fn is_admitted_by_mark_ipv4(
    skb: &Skb,
    net: *mut bindings::net,
    device: *mut bindings::net_device,
) -> bool {
    let own = skb.mark();
    // SAFETY: As in `has_come_ipv4`. The function drops the route that an earlier call has found.
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

/// As [`has_come_ipv4`], of IPv6.
///
/// # Safety
///
/// As there.
unsafe fn has_come_ipv6(
    skb: &Skb,
    net: *mut bindings::net,
    device: *mut bindings::net_device,
    source: [u32; 4],
    destination: [u32; 4],
) -> Result<(), NoAnswer> {
    let raw = skb.as_raw();
    // SAFETY: As in `has_come_ipv4`; `ip6_route_input` asks for RCU.
    unsafe {
        if !bindings::palisade_skb_is_routed(raw) {
            bindings::ip6_route_input(raw);
        }
        if bindings::palisade_route_is_error(raw) {
            return Err(no_way_on(skb));
        }
        let flags = bindings::palisade_route_flags6(raw);
        let is_admitted = if flags & bindings::RTF_LOCAL != 0 {
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
            Some([2..=u8::MAX]) => Ok(()),
            _ if flags & bindings::RTF_LOCAL != 0 => Ok(()),
            _ => Err(no_way_on(skb)),
        }
    }
}

/// Whether packets of IPv6 that come by a device may go on from here (`ip6_forward`).
///
/// # Safety
///
/// The namespace and the device have to be valid, under RCU.
unsafe fn forwards_ipv6(net: *const bindings::net, device: *const bindings::net_device) -> bool {
    // SAFETY: The caller says so. The settings for all devices are there where packets of IPv6 come in.
    unsafe {
        let all = (*net).ipv6.devconf_all;
        let settings = bindings::palisade_ipv6_settings(device);
        (&raw const (*all).forwarding).read_volatile() != 0
            || !settings.is_null()
                && (&raw const (*settings).cnf.force_forwarding).read_volatile() != 0
    }
}

/// Whether the way back ends at one host, and not at this one, unless it has come from there.
///
/// # Safety
///
/// The route has to be one of that IP version.
unsafe fn leads_to_somebody(route: &Route, family: Family, is_looped: bool) -> bool {
    const SEVERAL: u32 = bindings::RTCF_BROADCAST | bindings::RTCF_MULTICAST;
    const OWN: u32 = bindings::RTF_LOCAL | bindings::RTF_ANYCAST;
    // SAFETY: The caller says so.
    unsafe {
        match family {
            // `ip_route_input_noref` knows whether addresses of this host may come from elsewhere.
            Family::Ipv4 => bindings::palisade_route_flags_of4(route.as_raw()) & SEVERAL == 0,
            Family::Ipv6 => {
                is_looped || bindings::palisade_route_flags_of6(route.as_raw()) & OWN == 0
            }
        }
    }
}

const _: () = assert!(offset_of!(bindings::fib_rule, list) == 0);

/// The marks that rules of policy routing ask for.
///
/// # Safety
///
/// The namespace has to be valid, with its routing of that IP version set up, and RCU be held.
unsafe fn marks(net: *mut bindings::net, family: Family) -> impl Iterator<Item = u32> {
    // SAFETY: The caller says that there is a list of rules. Rules are put into it and taken out under RCU, which is
    // held; the list is the first field of a rule, as checked above.
    let (head, first) = unsafe {
        let head = match family {
            Family::Ipv4 => bindings::palisade_routing_rules4(net),
            Family::Ipv6 => bindings::palisade_routing_rules6(net),
        };
        (head, (&raw const (*head).next).read_volatile())
    };
    let entries = core::iter::successors(Some(first), |entry| {
        // SAFETY: As above.
        Some(unsafe { (&raw const (**entry).next).read_volatile() })
    });
    entries
        .take_while(move |entry| !core::ptr::eq(*entry, head))
        // `take` would count down, which the compiler does not know to end at zero.
        .zip(0..RULES_MAX)
        .filter_map(|(entry, _)| {
            let rule = entry.cast::<bindings::fib_rule>();
            // SAFETY: As above.
            let (mark, mask) = unsafe { ((*rule).mark, (*rule).mark_mask) };
            (mask != 0).then_some(mark)
        })
}

/// The way that the answer would have with some mark out by a device. Such marks come from the connection, which does
/// not exist yet: hosts with two uplinks put them there where packets come in, and restore them where they go out. So
/// where there is such a way, where the packet has come from decides.
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
    // SAFETY: The caller says so.
    unsafe {
        marks(net, flow.family)
            .filter_map(|mark| Flow { mark, ..*flow }.route(net).ok())
            .find(|route| route.device() == device)
    }
}
