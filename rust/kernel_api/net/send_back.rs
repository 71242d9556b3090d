// SPDX-License-Identifier: GPL-2.0

//! Sending back an answer that replaced a received packet.

use super::{
    ethernet::{
        self,
        ADDRESS_LENGTH, //
    },
    rewrite::Answer,
    route::Route,
    skb::Skb,
    transmit::{
        self,
        ETHERNET_LENGTH, //
    },
    way_back::addresses, //
};
use crate::kernel_api::{
    bindings,
    demands,
    netfilter::Family, //
};

/// Sends a packet of a hook back: to the neighbour that it came from, if the route leads there and
/// nothing below IP but Ethernet was removed; otherwise by its route. It skips OUTPUT, whose rules
/// are for packets that this host sends as itself.
///
/// # Safety
///
/// `skb` and `state` have to be those of the hook, which gives the packet away. It has to be a
/// whole packet of `family`, addressed to its sender, in memory not shared with a clone, and
/// [`Context::way_back`](crate::kernel_api::netfilter::Context::way_back) has to have found its
/// route.
pub(in crate::kernel_api) unsafe fn send_back(
    skb: *mut bindings::sk_buff,
    state: &bindings::nf_hook_state,
    family: Family,
    answer: Answer,
) {
    // SAFETY: By the function's safety requirements, the packet is valid and can be given away, and
    // the namespace and the device are valid, under RCU. A packet that goes to its sender has an
    // Ethernet header right before its data; any other takes the route that `way_back` set, if
    // any. Each path gives the packet away once.
    unsafe {
        demands::writable(Skb::from_raw(skb));
        if answer.goes_to_sender()
            || ethernet::brought(skb, state, family) && agrees_with_routing(skb, state, family)
        {
            bindings::palisade_skb_scrub(skb);
            let header: *mut [[u8; ADDRESS_LENGTH]; 2] =
                bindings::skb_push(skb, ETHERNET_LENGTH).cast();
            let [destination, source] = header.read();
            header.write([source, destination]);
            bindings::palisade_skb_reset_mac_header(skb);
            bindings::palisade_queue_transmit(skb);
            return;
        }
        let Some(route) = Route::of(skb) else {
            return transmit::discard(skb);
        };
        let mark = bindings::palisade_reply_mark(state.net, skb);
        bindings::palisade_skb_scrub(skb);
        bindings::palisade_set_mark(skb, mark);
        bindings::palisade_skb_leave_untracked(skb);
        transmit::set_headers(skb, family);
        route.attach(skb);
        bindings::palisade_skb_output(state.net, skb);
    }
}

/// Whether the answer's route leads to the neighbour that the packet came from.
///
/// # Safety
///
/// As for [`send_back`]; [`ethernet::brought`] has to be true of the packet, whose destination has
/// to be that of the answer.
unsafe fn agrees_with_routing(
    skb: *mut bindings::sk_buff,
    state: &bindings::nf_hook_state,
    family: Family,
) -> bool {
    // SAFETY: By the function's safety requirements, the packet is valid and came by Ethernet, and
    // its route is one of `family`. The device is valid, under RCU.
    unsafe {
        // Bridged packets are not routed.
        if bindings::palisade_skb_is_bridged(skb) {
            return true;
        }
        let packet = Skb::from_raw(skb);
        let (Some((_, destination)), Some(route)) = (addresses(packet, family), Route::of(skb))
        else {
            return false;
        };
        leads_to_sender(&route, skb, state, family, destination)
    }
}

/// Whether a route to an address leads back to the neighbour that a packet came from.
///
/// # Safety
///
/// The route has to be one of `family`. `skb` and `state` have to be those of the hook, and
/// [`ethernet::brought`] true of the packet.
pub(in crate::kernel_api) unsafe fn leads_to_sender(
    route: &Route,
    skb: *mut bindings::sk_buff,
    state: &bindings::nf_hook_state,
    family: Family,
    destination: [u32; 4],
) -> bool {
    let device = state.in_;
    // SAFETY: By the function's safety requirements, the route is one of `family`, and the packet
    // came by Ethernet through the device, which is valid, under RCU.
    unsafe {
        route.device() == device
            && !bindings::palisade_route_is_transformed(route.as_raw())
            && route
                .neighbour(family, destination)
                .has_address(device, ethernet::sender(skb))
    }
}
