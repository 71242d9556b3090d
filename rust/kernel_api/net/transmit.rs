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
    skb::Skb, //
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

/// The number that a link layer has for an IP version, in network byte order.
pub(in crate::kernel_api) fn ethertype(family: Family) -> u16 {
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
        Self::with_data(family, words, &[])
    }

    /// As above, with that data behind the words.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory.
    pub(crate) fn with_data(family: Family, words: &[u32], data: &[u8]) -> Result<Self> {
        let size = size_of_val(words);
        let length = size.checked_add(data.len()).ok_or(ENOMEM)?;
        let length = u32::try_from(length).map_err(|_| ENOMEM)?;
        // SAFETY: There are no requirements.
        let skb = unsafe { bindings::palisade_skb_alloc(length) };
        let skb = NonNull::new(skb).ok_or(ENOMEM)?;
        // SAFETY: The buffer is new and has room for so many bytes behind the headers of lower layers.
        unsafe {
            bindings::palisade_skb_reserve_headers(skb.as_ptr());
            bindings::palisade_skb_reset_network_header(skb.as_ptr());
            let place: *mut u8 = bindings::skb_put(skb.as_ptr(), length).cast();
            core::ptr::copy_nonoverlapping(words.as_ptr().cast::<u8>(), place, size);
            core::ptr::copy_nonoverlapping(data.as_ptr(), place.add(size), data.len());
        }
        // INVARIANT: It was just made.
        Ok(Self { skb, family })
    }

    /// Has it open a connection of SYNPROXY's, in the namespace of the hook, as what this machine sends does. Rules that
    /// translate the destinations of what comes in, as the client's packets do, see it.
    ///
    /// # Errors
    ///
    /// Why there is no connection.
    pub(crate) fn open(
        &self,
        template: &ProxyTemplate,
        context: &Context<'_>,
    ) -> Result<(Connection<'_>, &ProxyWords), NotOpened> {
        let skb = self.skb.as_ptr();
        let state = local_out(context.as_raw().net, self.family);
        // SAFETY: By the type invariant the buffer is valid, and nobody else knows it; its data begins with the IP header.
        let (connection, _) = template.see(unsafe { Skb::from_raw(skb) }, &state)?;
        // SAFETY: As above. It has a connection since then. The context is that of a hook.
        let is_to_go_on = unsafe {
            set_headers(skb, self.family);
            translate_as_received(skb, context.as_raw())
        };
        // What the connection carries may have been moved meanwhile (`nf_ct_nat_ext_add`), so that it is asked for now.
        let words = connection.proxy().filter(|_| is_to_go_on);
        Ok((connection, words.ok_or(NotOpened::Refused)?))
    }

    /// Sends it in the namespace of the hook in the name of its source: connection tracking and address translation
    /// see it, it is routed, and passes the hooks of packets that leave. Those of packets that this machine makes it does
    /// not pass, since their rules are about what is this machine's own.
    pub(crate) fn send(self, context: &Context<'_>) {
        self.route(context.namespace(), context.routing_domain());
    }

    /// Has neither connection tracking nor address translation look at it.
    pub(crate) fn set_untracked(&self) {
        // SAFETY: By the type invariant the buffer is valid, and it has no connection yet.
        unsafe { bindings::palisade_skb_leave_untracked(self.skb.as_ptr()) };
    }

    /// Under RCU.
    fn route(self, namespace: &NetworkNamespace, domain: RoutingDomain) {
        let skb = self.skb.as_ptr();
        let family = self.family;
        core::mem::forget(self);
        // SAFETY: By the type invariant the buffer is ours to give away; its IP header is linear. The
        // namespace is valid by its type. Both callers hold RCU: hooks do.
        unsafe { route(skb, namespace.as_raw(), domain, family) };
    }
}

/// The state of the hook of packets that this machine sends.
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

    /// Sends a packet, as [`NewPacket::send`] does, whose addresses are to be looked for there. In process context.
    pub(crate) fn send(&self, packet: NewPacket, domain: RoutingDomain) {
        let _rcu = kernel::sync::rcu::read_lock();
        // SAFETY: They are on again below.
        unsafe { bindings::palisade_local_bh_disable() };
        packet.route(self.namespace(), domain);
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
pub(in crate::kernel_api) unsafe fn discard(skb: *mut bindings::sk_buff) {
    // SAFETY: The caller says so.
    unsafe {
        bindings::sk_skb_reason_drop(
            core::ptr::null(),
            skb,
            bindings::skb_drop_reason_SKB_DROP_REASON_NETFILTER_DROP,
        );
    }
}

/// Says where the headers of a packet are, and which. What comes behind the hooks may look for them, as IPsec does
/// (`xfrm4_transport_output`).
///
/// # Safety
///
/// The packet has to be the caller's; its data has to begin with an IP header of that version without options.
pub(in crate::kernel_api) unsafe fn set_headers(skb: *mut bindings::sk_buff, family: Family) {
    let header_length = match family {
        Family::Ipv4 => 20,
        Family::Ipv6 => 40,
    };
    // SAFETY: The caller says so.
    unsafe {
        bindings::palisade_skb_set_transport_header(skb, header_length);
        bindings::palisade_skb_set_protocol(skb, ethertype(family));
    }
}

/// Has connection tracking and the translation of destinations see a packet, as the hooks of packets that this machine
/// makes would; unless it is untracked, or has a connection already. Whether it may go on.
///
/// # Safety
///
/// The packet has to be the caller's; its data has to begin with an IP header of that version, and RCU be held, as in a
/// hook. The namespace has to be valid.
unsafe fn track(skb: *mut bindings::sk_buff, net: *mut bindings::net, family: Family) -> bool {
    let state = local_out(net, family);
    let mut info = 0;
    // SAFETY: The caller says so. `nf_conntrack_in` ignores what it has seen or what is untracked. `nf_nat_packet` demands
    // a connection of the packet's, and makes headers writable itself; what was set up for the connection does not change.
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

/// Routes a packet and has it sent.
///
/// # Safety
///
/// The packet has to be the caller's, who gives it away; its data has to begin with an IP header of that
/// version without options, and a TCP header, in one piece. The namespace has to be valid, and RCU be held.
unsafe fn route(
    skb: *mut bindings::sk_buff,
    net: *mut bindings::net,
    domain: RoutingDomain,
    family: Family,
) {
    // SAFETY: The caller says that the packet and the namespace are valid.
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

/// Has a packet for this host come in by a VRF's device, as `vrf_local_xmit` does. By way of that device's output it would
/// meet connection tracking where it goes out and where it comes in, and be translated in both places: that it came
/// round is known of the loopback interface alone (`nf_is_loopback_packet`).
///
/// # Safety
///
/// The packet has to be the caller's, who gives it away, with a route to this host. The device has to be valid, under
/// RCU.
unsafe fn deliver(skb: *mut bindings::sk_buff, device: *mut bindings::net_device) {
    // SAFETY: The caller says so. `netif_rx` may be called in any context, and takes the packet.
    unsafe {
        bindings::palisade_skb_reset_mac_header(skb);
        bindings::palisade_skb_set_looped(skb, device);
        bindings::netif_rx(skb);
    }
}
