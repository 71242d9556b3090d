// SPDX-License-Identifier: GPL-2.0

//! Packets received by plain Ethernet, and the neighbours that sent them.

use super::{
    skb::Skb,
    transmit::{
        ethertype,
        ETHERNET_LENGTH, //
    },
};
use crate::kernel_api::{
    bindings,
    netfilter::Family, //
};

/// Length of an Ethernet address, in bytes.
pub(in crate::kernel_api) const ADDRESS_LENGTH: usize = 6;

/// Length of the longest link-layer address (MAX_ADDR_LEN).
const ADDRESS_LENGTH_MAX: usize = 32;

/// Whether a packet came by Ethernet, without anything else below IP that an answer would need,
/// too.
///
/// # Safety
///
/// `skb` and `state` have to be those of the hook.
#[inline]
pub(in crate::kernel_api) unsafe fn brought(
    skb: *mut bindings::sk_buff,
    state: &bindings::nf_hook_state,
    family: Family,
) -> bool {
    let device = state.in_;
    if device.is_null() {
        return false;
    }
    // SAFETY: By the function's safety requirements, the packet is valid, and so is the device,
    // under RCU. If the link-layer header has the length of an Ethernet header, it lies right
    // before the network header.
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

/// The Ethernet source address of a packet.
///
/// # Safety
///
/// [`brought`] has to be true of the packet.
#[inline]
pub(in crate::kernel_api) unsafe fn sender(skb: *mut bindings::sk_buff) -> [u8; ADDRESS_LENGTH] {
    // SAFETY: By the function's safety requirements, the packet is valid and has an Ethernet header
    // right before its data.
    unsafe {
        let header = (*skb).data.sub(ETHERNET_LENGTH as usize);
        let [_, from] = header.cast::<[[u8; ADDRESS_LENGTH]; 2]>().read();
        from
    }
}

/// The network address of a neighbour.
#[derive(Clone, Copy)]
pub(in crate::kernel_api) enum Neighbour {
    /// An IPv4 address.
    Ipv4(u32),
    /// An IPv6 address.
    Ipv6([u32; 4]),
}

impl Neighbour {
    /// Whether the neighbour is known to have an Ethernet address.
    ///
    /// # Safety
    ///
    /// The device has to be an Ethernet device, valid under RCU, which has to be held.
    #[inline]
    pub(in crate::kernel_api) unsafe fn has_address(
        self,
        device: *mut bindings::net_device,
        address: [u8; ADDRESS_LENGTH],
    ) -> bool {
        // SAFETY: By the function's safety requirements, the device is valid and RCU is held, which
        // keeps the neighbour valid. The buffer has room for the address of any device
        // (MAX_ADDR_LEN).
        unsafe {
            let neighbour = match &self {
                Self::Ipv4(to) => bindings::palisade_neighbour4(device, *to),
                Self::Ipv6(to) => bindings::palisade_neighbour6(device, to.as_ptr().cast()),
            };
            if neighbour.is_null() || !bindings::palisade_neighbour_is_valid(neighbour) {
                return false;
            }
            let mut known = [0_u8; ADDRESS_LENGTH_MAX];
            bindings::palisade_neighbour_address(known.as_mut_ptr().cast(), neighbour);
            known.first_chunk() == Some(&address)
        }
    }
}
