// SPDX-License-Identifier: GPL-2.0

//! Sending packets.
//!
//! C headers: [`include/net/ip.h`](srctree/include/net/ip.h),
//! [`include/net/ip6_route.h`](srctree/include/net/ip6_route.h)

use super::{
    netns::{
        NamespaceUse,
        NetworkNamespace, //
    },
    route::{
        Flow,
        RoutingDomain, //
    },
    skb::{
        HookSkb,
        Skb, //
    },
};
use crate::kernel_api::{
    bindings,
    conntrack::{
        connections::{
            Connection,
            ProxyWords, //
        },
        proxy_template::{
            NotOpened,
            ProxyTemplate, //
        },
    },
    netfilter::{
        nat_rules::translate_as_received,
        Context,
        Family, //
    },
};
use core::{
    mem::size_of_val,
    ptr::NonNull, //
};
use kernel::prelude::*;

/// ETH_P_IP and ETH_P_IPV6, in network byte order.
const ETHERTYPES: [u16; 2] = [0x0800_u16.to_be(), 0x86dd_u16.to_be()];

/// Length of an Ethernet header, in bytes.
pub(in crate::kernel_api) const ETHERNET_LENGTH: u32 = 14;

/// The EtherType of an IP version, in network byte order.
pub(in crate::kernel_api) fn ethertype(family: Family) -> u16 {
    match family {
        Family::Ipv4 => ETHERTYPES[0],
        Family::Ipv6 => ETHERTYPES[1],
    }
}

impl Context<'_> {
    /// The default TTL or hop limit of the namespace.
    pub(crate) fn initial_time_to_live(&self, family: Family) -> u8 {
        initial_time_to_live(self.namespace(), family)
    }
}

fn initial_time_to_live(namespace: &NetworkNamespace, family: Family) -> u8 {
    let net = namespace.as_raw();
    // SAFETY: By the type invariant, the namespace is valid. It has settings for IPv6 where it has
    // packets of IPv6.
    unsafe {
        match family {
            Family::Ipv4 => bindings::palisade_time_to_live(net),
            Family::Ipv6 => bindings::palisade_hop_limit(net),
        }
    }
}

/// A packet that this host made and that nobody else has seen yet.
///
/// # Invariants
///
/// `skb` is valid, and this owns it.
///
/// # Examples
///
/// ```ignore
/// // An IPv4 header and a TCP header, of 20 bytes each.
/// let mut reset = NewPacket::new(Family::Ipv4, &words, &[])?;
/// reset.set_untracked();
/// reset.send(context);
/// ```
pub(crate) struct NewPacket {
    skb: NonNull<bindings::sk_buff>,
    family: Family,
}

impl NewPacket {
    /// Creates a packet from `words`: an IP header of `family` without options, and a TCP header;
    /// `data` is behind them.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory.
    pub(crate) fn new(family: Family, words: &[u32], data: &[u8]) -> Result<Self> {
        let size = size_of_val(words);
        let length = size.checked_add(data.len()).ok_or(ENOMEM)?;
        let length = u32::try_from(length).map_err(|_| ENOMEM)?;
        // SAFETY: `palisade_skb_alloc` has no requirements.
        let skb = unsafe { bindings::palisade_skb_alloc(length) };
        let skb = NonNull::new(skb).ok_or(ENOMEM)?;
        // SAFETY: The buffer is new, and has room for the headers of lower layers and `length`
        // bytes, which are those of `words` and `data`.
        unsafe {
            bindings::palisade_skb_reserve_headers(skb.as_ptr());
            bindings::palisade_skb_reset_network_header(skb.as_ptr());
            let pointer: *mut u8 = bindings::skb_put(skb.as_ptr(), length).cast();
            core::ptr::copy_nonoverlapping(words.as_ptr().cast::<u8>(), pointer, size);
            core::ptr::copy_nonoverlapping(data.as_ptr(), pointer.add(size), data.len());
        }
        // INVARIANT: The buffer is new, and nobody else has it.
        Ok(Self { skb, family })
    }

    /// Opens a SYNPROXY connection with this packet, in the namespace of the hook, as if this host
    /// sent it. DNAT rules for received packets apply to it, as they do to the client's packets.
    ///
    /// # Errors
    ///
    /// Why there is no connection.
    pub(crate) fn open(
        &mut self,
        template: &ProxyTemplate,
        context: &Context<'_>,
    ) -> Result<(Connection<'_>, &ProxyWords), NotOpened> {
        let skb = self.skb.as_ptr();
        let state = local_out(context.as_raw().net, self.family);
        // SAFETY: By the type invariant, the buffer is valid, and nobody else knows it. Its data
        // begins with the IP header. The namespace is that of the context, which holds RCU.
        let (connection, _) = unsafe { template.see(HookSkb::from_raw(skb), &state) }?;
        // SAFETY: By the type invariant, the buffer is valid and this owns it. It begins with an IP
        // header of `family` without options and has a connection now. The context is that of a
        // received packet's hook.
        let is_to_go_on = unsafe {
            set_headers(skb, self.family);
            translate_as_received(skb, context.as_raw())
        };
        // NAT may have moved the extensions of the connection (`nf_ct_nat_ext_add`), so look the
        // words up now.
        let words = connection.proxy().filter(|_| is_to_go_on);
        Ok((connection, words.ok_or(NotOpened::Refused)?))
    }

    /// Sends the packet in the namespace of the hook, on behalf of its source: it is tracked,
    /// translated and routed, and passes POSTROUTING. It skips OUTPUT, whose rules are for packets
    /// of this host.
    pub(crate) fn send(self, context: &Context<'_>) {
        self.route(context.namespace(), context.routing_domain());
    }

    /// Exempts the packet from connection tracking and NAT, unless it has opened a connection.
    pub(crate) fn set_untracked(&mut self) {
        // SAFETY: By the type invariant, the buffer is valid, and nobody else has it.
        unsafe { HookSkb::from_raw(self.skb.as_ptr()) }.set_untracked();
    }

    /// Routes and sends the packet. The caller has to hold the RCU read lock.
    fn route(self, namespace: &NetworkNamespace, domain: RoutingDomain) {
        let skb = self.skb.as_ptr();
        let family = self.family;
        core::mem::forget(self);
        // SAFETY: By the type invariant, this owns the buffer, which it gives away. It is linear,
        // and begins with the headers that `new` asks for. By the type invariant of
        // `NetworkNamespace`, the namespace is valid. Both callers hold the RCU read lock.
        unsafe { route(skb, namespace.as_raw(), domain, family) };
    }
}

/// The hook state of LOCAL_OUT.
fn local_out(net: *mut bindings::net, family: Family) -> bindings::nf_hook_state {
    bindings::nf_hook_state {
        hook: bindings::nf_inet_hooks_NF_INET_LOCAL_OUT as u8,
        pf: match family {
            Family::Ipv4 => bindings::NFPROTO_IPV4,
            Family::Ipv6 => bindings::NFPROTO_IPV6,
        } as u8,
        net,
        ..Default::default()
    }
}

/// Sends packets in a namespace from outside of its hooks.
pub(crate) struct Sender(NamespaceUse);

impl Sender {
    /// Creates a sender for a namespace.
    pub(crate) fn new(namespace: NamespaceUse) -> Self {
        Self(namespace)
    }

    /// The namespace.
    pub(crate) fn namespace(&self) -> &NetworkNamespace {
        self.0.namespace()
    }

    /// The default TTL or hop limit of the namespace.
    pub(crate) fn initial_time_to_live(&self, family: Family) -> u8 {
        initial_time_to_live(self.namespace(), family)
    }

    /// Sends a packet, as [`NewPacket::send`] does, routed in `domain`. For process context.
    pub(crate) fn send(&self, packet: NewPacket, domain: RoutingDomain) {
        let _rcu = kernel::sync::rcu::read_lock();
        // SAFETY: This is process context. Softirqs are enabled again below.
        unsafe { bindings::palisade_local_bh_disable() };
        packet.route(self.namespace(), domain);
        // SAFETY: Softirqs were disabled above, by the same task.
        unsafe { bindings::palisade_local_bh_enable() };
    }
}

impl Drop for NewPacket {
    fn drop(&mut self) {
        // SAFETY: By the type invariant, this owns the buffer, which is not used any more.
        unsafe { discard(self.skb.as_ptr()) };
    }
}

/// # Safety
///
/// The packet has to be valid and the caller's, who gives it away.
pub(in crate::kernel_api) unsafe fn discard(skb: *mut bindings::sk_buff) {
    // SAFETY: By the function's safety requirements, the packet is valid and can be freed.
    unsafe {
        bindings::sk_skb_reason_drop(
            core::ptr::null_mut(),
            skb,
            bindings::skb_drop_reason_SKB_DROP_REASON_NETFILTER_DROP,
        );
    }
}

/// Sets the transport header and the protocol of a packet. Code after the hooks may use them, as
/// IPsec does (`xfrm4_transport_output`).
///
/// # Safety
///
/// The packet has to be the caller's. Its data has to begin with an IP header of `family` without
/// options.
pub(in crate::kernel_api) unsafe fn set_headers(skb: *mut bindings::sk_buff, family: Family) {
    let header_length = match family {
        Family::Ipv4 => 20,
        Family::Ipv6 => 40,
    };
    // SAFETY: By the function's safety requirements, the packet is valid and the caller's, and its
    // transport header is behind the IP header.
    unsafe {
        bindings::palisade_skb_set_transport_header(skb, header_length);
        bindings::palisade_skb_set_protocol(skb, ethertype(family));
    }
}

/// Runs connection tracking and DNAT on a packet, as the hooks of LOCAL_OUT would, unless it is
/// untracked or has a connection already. Returns whether the packet may go on.
///
/// # Safety
///
/// The packet has to be the caller's. Its data has to begin with an IP header of `family`. The
/// namespace has to be valid, and RCU held, as in a hook.
unsafe fn track(skb: *mut bindings::sk_buff, net: *mut bindings::net, family: Family) -> bool {
    let state = local_out(net, family);
    let mut info = 0;
    // SAFETY: By the function's safety requirements, packet and namespace are valid, and RCU is
    // held. `nf_conntrack_in` accepts a packet that has a connection or is untracked.
    // `nf_nat_packet` gets a connection of the packet, whose translation does not change any more,
    // and makes headers writable itself.
    unsafe {
        if bindings::nf_conntrack_in(skb, &state) != bindings::NF_ACCEPT {
            return false;
        }
        let connection = bindings::palisade_ct_get(skb, &mut info);
        connection.is_null()
            || bindings::nf_nat_packet(connection, info, state.hook.into(), skb)
                == bindings::NF_ACCEPT
    }
}

/// Routes and sends a packet.
///
/// # Safety
///
/// The packet has to be the caller's, who gives it away. Its data has to be linear and begin with
/// an IP header of `family` without options, and a TCP header. The namespace has to be valid, and
/// RCU held.
unsafe fn route(
    skb: *mut bindings::sk_buff,
    net: *mut bindings::net,
    domain: RoutingDomain,
    family: Family,
) {
    // SAFETY: By the function's safety requirements, the packet is valid and can be given away, the
    // namespace is valid and RCU is held, which keeps the route's device valid. Each path gives the
    // packet away once.
    unsafe {
        if !track(skb, net, family) {
            return discard(skb);
        }
        let flow = Flow::of(Skb::from_raw(skb), family, domain).ok_or(EINVAL);
        let Ok(found) = flow.and_then(|flow| flow.route(net)) else {
            return discard(skb);
        };
        set_headers(skb, family);
        let device = found.device();
        found.attach(skb);
        if bindings::palisade_is_l3_master(device) {
            return deliver(skb, device);
        }
        bindings::palisade_skb_output(net, skb);
    }
}

/// Delivers a packet for this host through a VRF's device, as `vrf_local_xmit` does. The device's
/// own transmit function would run connection tracking on the way out and in again, and translate
/// twice: only the loopback interface marks packets as looped (`nf_is_loopback_packet`).
///
/// # Safety
///
/// The packet has to be the caller's, who gives it away, with a route to this host. The device has
/// to be valid, under RCU.
unsafe fn deliver(skb: *mut bindings::sk_buff, device: *mut bindings::net_device) {
    // SAFETY: By the function's safety requirements, packet and device are valid, and the packet
    // can be given away, which `netif_rx` takes in any context.
    unsafe {
        bindings::palisade_skb_reset_mac_header(skb);
        bindings::palisade_skb_set_looped(skb, device);
        bindings::netif_rx(skb);
    }
}
