// SPDX-License-Identifier: GPL-2.0

//! Packets that came by plain Ethernet, and the neighbours that they came from.

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

/// Length of the hardware address of Ethernet, in bytes.
pub(in crate::kernel_api) const ADDRESS_LENGTH: usize = 6;

/// The longest hardware address (MAX_ADDR_LEN).
const ADDRESS_LENGTH_MAX: usize = 32;

/// Whether a packet came by Ethernet, and nothing below IP was taken off it that would have to be put back.
///
/// # Safety
///
/// The packet has to be that of the hook.
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

/// The address that a packet came from.
///
/// # Safety
///
/// The packet has to be one that [`brought`] is true of.
#[inline]
pub(in crate::kernel_api) unsafe fn sender(skb: *mut bindings::sk_buff) -> [u8; ADDRESS_LENGTH] {
    // SAFETY: The caller says that the header of Ethernet lies before the data.
    unsafe {
        let header = (*skb).data.sub(ETHERNET_LENGTH as usize);
        let [_, from] = header.cast::<[[u8; ADDRESS_LENGTH]; 2]>().read();
        from
    }
}

/// Who a packet is handed to on a link, by its address.
#[derive(Clone, Copy)]
pub(in crate::kernel_api) enum Neighbour {
    /// One of IPv4.
    Ipv4(u32),
    /// One of IPv6.
    Ipv6([u32; 4]),
}

impl Neighbour {
    /// Whether it is known to have an address of Ethernet.
    ///
    /// # Safety
    ///
    /// The device has to be one of Ethernet, and valid under RCU, which has to be held.
    #[inline]
    pub(in crate::kernel_api) unsafe fn has_address(
        self,
        device: *mut bindings::net_device,
        address: [u8; ADDRESS_LENGTH],
    ) -> bool {
        // SAFETY: The caller says so, and RCU keeps the neighbour. Its address is no longer than the buffer (MAX_ADDR_LEN),
        // and as long as the device has them.
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
