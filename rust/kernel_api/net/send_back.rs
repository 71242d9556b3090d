// SPDX-License-Identifier: GPL-2.0

//! Sending what a received packet has become back to where it came from.

use super::{
    ethernet::{
        self,
        ADDRESS_LENGTH, //
    },
    rewrite::Rewritten,
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

/// Sends a packet of a hook back: to the neighbour that it came from, if routing agrees that this is the way and
/// nothing below IP was taken off the packet that would have to be put back; otherwise as it is routed. It meets no
/// rules for packets of this machine, which has not made it in its own name.
///
/// # Safety
///
/// The packet has to be that of the hook, which gives it away. It has to be of that IP version, addressed to
/// whom it came from, whole, and in memory that is no clone's; and [`Context::way_back`](crate::kernel_api::netfilter::Context::way_back) has to have found its way.
pub(in crate::kernel_api) unsafe fn send_back(
    skb: *mut bindings::sk_buff,
    state: &bindings::nf_hook_state,
    family: Family,
    rewritten: Rewritten,
) {
    // SAFETY: The caller says that the packet is valid; the device is, under RCU.
    unsafe {
        demands::writable(Skb::from_raw(skb));
        if rewritten.goes_to_sender()
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

/// Whether packets to whom an answer is for go to the neighbour that the packet came from, as routing has it.
///
/// # Safety
///
/// As for [`send_back`]. The packet has to have come by plain Ethernet; the addresses are those whom it is from and whom
/// an answer is for.
unsafe fn agrees_with_routing(
    skb: *mut bindings::sk_buff,
    state: &bindings::nf_hook_state,
    family: Family,
) -> bool {
    // SAFETY: The caller says so; the device is one of Ethernet, and valid under RCU.
    unsafe {
        // What is bridged is not routed.
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
/// The route has to be one of that IP version, and the packet that of the hook, which has come by plain Ethernet.
pub(in crate::kernel_api) unsafe fn leads_to_sender(
    route: &Route,
    skb: *mut bindings::sk_buff,
    state: &bindings::nf_hook_state,
    family: Family,
    destination: [u32; 4],
) -> bool {
    let device = state.in_;
    // SAFETY: The caller says so; the device is one of Ethernet, and valid under RCU.
    unsafe {
        route.device() == device
            && !bindings::palisade_route_is_transformed(route.as_raw())
            && route
                .neighbour(family, destination)
                .has_address(device, ethernet::sender(skb))
    }
}
