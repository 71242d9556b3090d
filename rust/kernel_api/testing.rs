// SPDX-License-Identifier: GPL-2.0

//! Packets and hook states for KUnit tests.

use super::{
    bindings,
    net::{
        netns::{
            NetworkNamespace,
            Scope, //
        },
        skb::{
            HookSkb,
            Skb, //
        },
    },
    netfilter::{
        Context,
        Family, //
    },
    netlink::Attributes,
};
use core::ptr::NonNull;
use kernel::{
    prelude::*,
    sync::{
        rcu::Guard,
        Arc, //
    },
};

/// The initial network namespace.
pub(crate) fn initial_namespace() -> &'static NetworkNamespace {
    // SAFETY: `init_net` is never freed.
    unsafe { NetworkNamespace::from_raw(&raw mut bindings::init_net) }
}

/// A scope of the initial network namespace, which never ends.
///
/// # Errors
///
/// `ENOMEM` when there is no memory.
pub(crate) fn initial_scope() -> Result<Arc<Scope>> {
    Scope::new(initial_namespace())
}

/// The attributes in these bytes, which are of no request, so errors about them must not be
/// reported to netlink.
pub(crate) fn attributes(bytes: &[u8]) -> Attributes<'_> {
    Attributes::new(bytes)
}

/// ETH_P_IP and ETH_P_IPV6.
const PROTOCOLS: [u16; 2] = [0x0800, 0x86dd];

/// A packet that was never on a wire, in a hook without devices.
///
/// # Invariants
///
/// `skb` is valid, and this owns it.
pub(crate) struct TestPacket {
    skb: NonNull<bindings::sk_buff>,
    state: bindings::nf_hook_state,
}

impl TestPacket {
    /// Creates a packet from its bytes, which start with the network header.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory.
    pub(crate) fn new(family: Family, bytes: &[u8]) -> Result<Self> {
        let (pf, protocol) = match family {
            Family::Ipv4 => (bindings::NFPROTO_IPV4, PROTOCOLS[0]),
            Family::Ipv6 => (bindings::NFPROTO_IPV6, PROTOCOLS[1]),
        };
        // SAFETY: The bytes are valid for reads of their length, and are copied.
        let skb = unsafe {
            bindings::palisade_test_packet(
                bytes.as_ptr().cast(),
                bytes.len() as u32,
                protocol.to_be(),
            )
        };
        let state = bindings::nf_hook_state {
            pf: pf as u8,
            net: &raw mut bindings::init_net,
            ..Default::default()
        };
        // INVARIANT: The function returns a new buffer, which nobody else has.
        let skb = NonNull::new(skb).ok_or(ENOMEM)?;
        Ok(Self { skb, state })
    }

    /// Returns the packet.
    pub(crate) fn skb(&self) -> &Skb {
        // SAFETY: By the type invariant, the packet is valid, and only `self` gives access to it.
        unsafe { Skb::from_raw(self.skb.as_ptr()) }
    }

    /// Returns the packet and the context of a hook of the initial namespace, for as long as the
    /// guard holds RCU.
    pub(crate) fn hook<'a>(&'a mut self, _guard: &'a Guard) -> (&'a mut HookSkb, Context<'a>) {
        // SAFETY: By the type invariant, the packet is valid, and `self`, which alone gives access
        // to it, is borrowed exclusively. The state and the guard are borrowed for as long. The
        // state names no interface and no socket, and the initial namespace is never freed.
        unsafe {
            (
                HookSkb::from_raw(self.skb.as_ptr()),
                Context::from_raw(&raw const self.state),
            )
        }
    }
}

impl Drop for TestPacket {
    fn drop(&mut self) {
        // SAFETY: By the type invariant, this owns the packet, which is not used any more.
        unsafe { bindings::palisade_test_packet_free(self.skb.as_ptr()) };
    }
}
