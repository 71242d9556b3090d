// SPDX-License-Identifier: GPL-2.0

//! Sending what a received packet has become back to where it came from.

use super::{
    bindings,
    demands,
    netfilter::Family,
    route::Route,
    skb::Skb,
    transmit::{
        self,
        ethertype,
        ETHERNET_LENGTH, //
    }, //
};

/// Length of the hardware address of Ethernet, in bytes.
const ADDRESS_LENGTH: usize = 6;

/// The longest hardware address (MAX_ADDR_LEN).
const ADDRESS_LENGTH_MAX: usize = 32;

/// Sends a packet of a hook back: to the neighbour that it came from, if routing agrees that this is the way and
/// nothing below IP was taken off the packet that would have to be put back; otherwise as it is routed. It meets no
/// rules for packets of this machine, which has not made it in its own name.
///
/// # Safety
///
/// The packet has to be that of the hook, which gives it away. It has to be of that IP version, addressed to
/// whom it came from, whole, and in memory that is no clone's; and [`Context::way_back`](super::netfilter::Context::way_back) has to have found its way.
pub(super) unsafe fn send_back(
    skb: *mut bindings::sk_buff,
    state: &bindings::nf_hook_state,
    family: Family,
) {
    // SAFETY: The caller says that the packet is valid; the device is, under RCU.
    unsafe {
        demands::writable(Skb::from_raw(skb));
        let is_plain = came_by_plain_ethernet(skb, state, family);
        if is_plain && agrees_with_routing(skb, state, family) {
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

/// # Safety
///
/// The packet has to be that of the hook.
unsafe fn came_by_plain_ethernet(
    skb: *mut bindings::sk_buff,
    state: &bindings::nf_hook_state,
    family: Family,
) -> bool {
    let device = state.in_;
    if device.is_null() {
        return false;
    }
    // SAFETY: The caller says that the packet is valid; the device is, under RCU. Where the link layer's
    // header is as long as that of Ethernet, it lies before the network header.
    unsafe {
        u32::from((*device).type_) == bindings::ARPHRD_ETHER
            && (*skb)
                .__bindgen_anon_1
                .__bindgen_anon_1
                .__bindgen_anon_1
                .dev
                == device
            && bindings::palisade_skb_mac_length(skb) == ETHERNET_LENGTH
            && Skb::from_raw(skb).network_offset() == 0
            && (*skb).data.sub(2).cast::<u16>().read_unaligned() == ethertype(family)
            && !bindings::palisade_skb_has_vlan_tag(skb)
            && !bindings::palisade_skb_is_decapsulated(skb)
            && bindings::palisade_l3mdev_index(device) == 0
    }
}

/// Whether packets to whom an answer is for go to the neighbour that the packet came from, as routing has it.
///
/// # Safety
///
/// As for [`send_back`]. The packet has to have come by plain Ethernet.
unsafe fn agrees_with_routing(
    skb: *mut bindings::sk_buff,
    state: &bindings::nf_hook_state,
    family: Family,
) -> bool {
    // SAFETY: The caller says so. The header of Ethernet lies before the network header.
    unsafe {
        // What is bridged is not routed.
        if bindings::palisade_skb_is_bridged(skb) {
            return true;
        }
        let header = (*skb).data.sub(ETHERNET_LENGTH as usize);
        let [_, from] = header.cast::<[[u8; ADDRESS_LENGTH]; 2]>().read();
        Route::of(skb).is_some_and(|route| leads_to(&route, skb, family, state.in_, from))
    }
}

/// Whether a route leads out by a device, to the neighbour with that address.
///
/// # Safety
///
/// The route has to be of that IP version, and the packet valid and of it. The device has to be one of Ethernet, under
/// RCU.
unsafe fn leads_to(
    route: &Route,
    skb: *mut bindings::sk_buff,
    family: Family,
    device: *mut bindings::net_device,
    address: [u8; ADDRESS_LENGTH],
) -> bool {
    let entry = route.as_raw();
    if route.device() != device {
        return false;
    }
    // SAFETY: The caller says so, and RCU keeps the neighbour. Its address is no longer than the buffer
    // (MAX_ADDR_LEN), and as long as the device has them.
    unsafe {
        if bindings::palisade_route_is_transformed(entry) {
            return false;
        }
        let neighbour = match family {
            Family::Ipv4 => bindings::palisade_route_neighbour4(entry, skb),
            Family::Ipv6 => bindings::palisade_route_neighbour6(entry, skb),
        };
        if neighbour.is_null() || !bindings::palisade_neighbour_is_valid(neighbour) {
            return false;
        }
        let mut known = [0_u8; ADDRESS_LENGTH_MAX];
        bindings::palisade_neighbour_address(known.as_mut_ptr().cast(), neighbour);
        known.first_chunk() == Some(&address)
    }
}
