// SPDX-License-Identifier: GPL-2.0

//! Sending packets.
//!
//! C headers: [`include/net/ip.h`](srctree/include/net/ip.h),
//! [`include/net/ip6_route.h`](srctree/include/net/ip6_route.h)

use super::{
    bindings,
    connections::ProxyTemplate,
    demands,
    netfilter::{
        Context,
        Family, //
    },
    netns::{
        NamespaceUse,
        NetworkNamespace, //
    },
    skb::Skb, //
};
use core::{
    mem::size_of_val,
    ptr::NonNull, //
};
use kernel::{
    error::from_err_ptr,
    prelude::*, //
};

/// ETH_P_IP and ETH_P_IPV6, in network byte order.
const ETHERTYPES: [u16; 2] = [0x0800_u16.to_be(), 0x86dd_u16.to_be()];

/// Length of an Ethernet header, in bytes.
const ETHERNET_LENGTH: u32 = 14;

fn ethertype(family: Family) -> u16 {
    match family {
        Family::Ipv4 => ETHERTYPES[0],
        Family::Ipv6 => ETHERTYPES[1],
    }
}

impl Context<'_> {
    /// The TTL or hop limit that packets of this namespace begin with.
    pub(crate) fn initial_time_to_live(&self, family: Family) -> u8 {
        initial_time_to_live(self.namespace(), family)
    }
}

fn initial_time_to_live(namespace: &NetworkNamespace, family: Family) -> u8 {
    let net = namespace.as_raw();
    // SAFETY: By the type, the namespace is valid.
    unsafe {
        match family {
            Family::Ipv4 => bindings::palisade_time_to_live(net),
            Family::Ipv6 => bindings::palisade_hop_limit(net),
        }
    }
}

/// A packet of our own that nobody has seen yet.
///
/// # Invariants
///
/// The buffer is valid and belongs to this.
pub(crate) struct NewPacket {
    skb: NonNull<bindings::sk_buff>,
    family: Family,
}

impl NewPacket {
    /// A packet of these words, from its network header on.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory.
    pub(crate) fn new(family: Family, words: &[u32]) -> Result<Self> {
        let size = size_of_val(words);
        // SAFETY: There are no requirements.
        let skb = unsafe { bindings::palisade_skb_alloc(size as u32) };
        let skb = NonNull::new(skb).ok_or(ENOMEM)?;
        // SAFETY: The buffer is new and has room for so many bytes behind the headers of lower layers.
        unsafe {
            bindings::palisade_skb_reserve_headers(skb.as_ptr());
            bindings::palisade_skb_reset_network_header(skb.as_ptr());
            let place = bindings::skb_put(skb.as_ptr(), size as u32);
            core::ptr::copy_nonoverlapping(words.as_ptr().cast::<u8>(), place.cast(), size);
        }
        // INVARIANT: It was just made.
        Ok(Self { skb, family })
    }

    /// Has it open a connection of SYNPROXY's.
    pub(crate) fn open(&self, template: &ProxyTemplate) {
        // SAFETY: By the type invariant the buffer is valid, and nobody else knows it.
        template.apply(unsafe { Skb::from_raw(self.skb.as_ptr()) });
    }

    /// Sends it in the namespace of the hook as if this machine had made it, whoever its source is: it is
    /// routed, and passes the hooks of packets that go out.
    pub(crate) fn send(self, context: &Context<'_>) {
        self.route(context.as_raw());
    }

    /// Has neither connection tracking nor address translation look at it.
    pub(crate) fn leave_untracked(&self) {
        // SAFETY: By the type invariant the buffer is valid, and it has no connection yet.
        unsafe { bindings::palisade_skb_leave_untracked(self.skb.as_ptr()) };
    }

    fn route(self, state: &bindings::nf_hook_state) {
        let skb = self.skb.as_ptr();
        let family = self.family;
        core::mem::forget(self);
        // SAFETY: By the type invariant the buffer is ours to give away; its IP header is linear. The
        // namespace is valid while the hook runs.
        unsafe { route(skb, state, family) };
    }
}

/// Sends packets in a namespace without being in a hook of it.
pub(crate) struct Sender(NamespaceUse);

impl Sender {
    /// In that namespace.
    pub(crate) fn new(namespace: NamespaceUse) -> Self {
        Self(namespace)
    }

    /// The namespace.
    pub(crate) fn namespace(&self) -> &NetworkNamespace {
        self.0.namespace()
    }

    /// The TTL or hop limit that packets begin with.
    pub(crate) fn initial_time_to_live(&self, family: Family) -> u8 {
        initial_time_to_live(self.namespace(), family)
    }

    /// Sends a packet, as [`NewPacket::send`] does. In process context.
    pub(crate) fn send(&self, packet: NewPacket) {
        let state = bindings::nf_hook_state {
            net: self.0.as_raw(),
            ..Default::default()
        };
        let _rcu = kernel::sync::rcu::read_lock();
        // SAFETY: They are on again below.
        unsafe { bindings::palisade_local_bh_disable() };
        packet.route(&state);
        // SAFETY: They were switched off above.
        unsafe { bindings::palisade_local_bh_enable() };
    }
}

impl Drop for NewPacket {
    fn drop(&mut self) {
        // SAFETY: By the type invariant.
        unsafe { discard(self.skb.as_ptr()) };
    }
}

/// # Safety
///
/// The packet has to be the caller's, who gives it away.
unsafe fn discard(skb: *mut bindings::sk_buff) {
    // SAFETY: The caller says so.
    unsafe {
        bindings::sk_skb_reason_drop(
            core::ptr::null(),
            skb,
            bindings::skb_drop_reason_SKB_DROP_REASON_NETFILTER_DROP,
        );
    }
}

/// Sends a packet of a hook back by the way that it came, if that is Ethernet and nothing below IP was taken
/// off the packet that would have to be put back; otherwise as packets of this machine are sent.
///
/// # Safety
///
/// The packet has to be that of the hook, which gives it away. It has to be of that IP version, addressed to
/// whom it came from, whole, and in memory that is no clone's.
pub(super) unsafe fn send_back(
    skb: *mut bindings::sk_buff,
    state: &bindings::nf_hook_state,
    family: Family,
) {
    // SAFETY: The caller says that the packet is valid; the device is, under RCU.
    unsafe {
        demands::writable(Skb::from_raw(skb));
        let is_plain = came_by_plain_ethernet(skb, state, family);
        bindings::palisade_skb_scrub(skb);
        if !is_plain {
            return route(skb, state, family);
        }
        let header: *mut [[u8; 6]; 2] = bindings::skb_push(skb, ETHERNET_LENGTH).cast();
        let [destination, source] = header.read();
        header.write([source, destination]);
        bindings::palisade_skb_reset_mac_header(skb);
        bindings::palisade_queue_transmit(skb);
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
            && bindings::palisade_skb_is_for_this_host(skb)
            && !bindings::palisade_skb_has_vlan_tag(skb)
            && !bindings::palisade_skb_is_decapsulated(skb)
            && bindings::palisade_l3mdev_index(device) == 0
    }
}

/// Routes a packet and has it sent.
///
/// # Safety
///
/// The packet has to be the caller's, who gives it away; its data has to begin with an IP header of that
/// version without options, and a TCP header, in one piece. The state has to be that of a hook that is running.
unsafe fn route(skb: *mut bindings::sk_buff, state: &bindings::nf_hook_state, family: Family) {
    // SAFETY: The caller says that the packet is valid, and so is the state's namespace.
    unsafe {
        let found = match family {
            Family::Ipv4 => route_ipv4(skb, state),
            Family::Ipv6 => route_ipv6(skb, state),
        };
        let Ok(found) = found else {
            return discard(skb);
        };
        // What comes behind the hooks may look for it, as IPsec does (`xfrm4_transport_output`).
        let header_length = match family {
            Family::Ipv4 => 20,
            Family::Ipv6 => 40,
        };
        bindings::palisade_skb_set_transport_header(skb, header_length);
        bindings::palisade_skb_set_protocol(skb, ethertype(family));
        bindings::palisade_skb_set_route(skb, found);
        match family {
            Family::Ipv4 => bindings::ip_local_out(state.net, core::ptr::null_mut(), skb),
            Family::Ipv6 => bindings::ip6_local_out(state.net, core::ptr::null_mut(), skb),
        };
    }
}

/// What routing goes by besides the addresses: that of the source need not be one of this machine.
///
/// # Safety
///
/// As for [`route`].
unsafe fn flow(state: &bindings::nf_hook_state) -> bindings::flowi_common {
    let mut flow = bindings::flowi_common {
        flowic_proto: 6, // IPPROTO_TCP
        flowic_flags: bindings::FLOWI_FLAG_ANYSRC as u8,
        ..Default::default()
    };
    if !state.in_.is_null() {
        // SAFETY: The device is valid under RCU.
        flow.flowic_l3mdev = unsafe { bindings::palisade_l3mdev_index(state.in_) };
    }
    flow
}

/// The ports that routing and IPsec policies go by, from the first word of a TCP header.
fn ports_of(word: u32) -> bindings::flowi_uli {
    let [a, b, c, d] = word.to_ne_bytes();
    bindings::flowi_uli {
        ports: bindings::flowi_uli__bindgen_ty_1 {
            sport: u16::from_ne_bytes([a, b]),
            dport: u16::from_ne_bytes([c, d]),
        },
    }
}

/// # Safety
///
/// As for [`route`].
unsafe fn route_ipv4(
    skb: *mut bindings::sk_buff,
    state: &bindings::nf_hook_state,
) -> Result<*mut bindings::dst_entry> {
    // SAFETY: The caller says that the header is there, and that the namespace is valid.
    unsafe {
        let [_, _, _, source, destination, ports] =
            Skb::from_raw(skb).linear_words::<6>(0).ok_or(EINVAL)?;
        let mut flow4 = bindings::flowi4 {
            __fl_common: flow(state),
            saddr: source,
            daddr: destination,
            uli: ports_of(ports),
        };
        let route = bindings::ip_route_output_flow(state.net, &mut flow4, core::ptr::null());
        Ok(&raw mut (*from_err_ptr(route)?).dst)
    }
}

/// Whether an IPv6 address that begins with this word is one of fe80::/10.
fn is_link_local(word: u32) -> bool {
    u32::from_be(word) & 0xffc0_0000 == 0xfe80_0000
}

/// # Safety
///
/// As for [`route`].
unsafe fn route_ipv6(
    skb: *mut bindings::sk_buff,
    state: &bindings::nf_hook_state,
) -> Result<*mut bindings::dst_entry> {
    // SAFETY: The caller says that the header is there, and that the namespace is valid.
    unsafe {
        let [_, _, a, b, c, d, e, f, g, h, ports] =
            Skb::from_raw(skb).linear_words::<11>(0).ok_or(EINVAL)?;
        let mut flow6 = bindings::flowi6 {
            __fl_common: flow(state),
            uli: ports_of(ports),
            ..Default::default()
        };
        // An address that each link has is meant on the packet's own.
        let device = [state.in_, state.out]
            .into_iter()
            .find(|device| !device.is_null());
        if let (true, Some(device)) = (is_link_local(a) || is_link_local(e), device) {
            flow6.__fl_common.flowic_oif = (*device).ifindex;
        }
        flow6.saddr.in6_u.u6_addr32 = [a, b, c, d];
        flow6.daddr.in6_u.u6_addr32 = [e, f, g, h];
        let route = bindings::ip6_route_output_flags(state.net, core::ptr::null(), &mut flow6, 0);
        if (*route).error != 0 {
            bindings::dst_release(route);
            return Err(ENXIO);
        }
        let flow = core::ptr::from_ref(&flow6).cast();
        from_err_ptr(bindings::palisade_xfrm_lookup(state.net, route, flow))
    }
}
