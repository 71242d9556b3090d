// SPDX-License-Identifier: GPL-2.0

//! What KUnit tests need and packets bring along otherwise: a packet, and the hook that it is in.

use super::{
    bindings,
    net::{
        netns::{
            NetworkNamespace,
            Scope, //
        },
        skb::Skb, //
    },
    netfilter::{
        Context,
        Family, //
    },
};
use core::ptr::NonNull;
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// The network namespace that there always is.
pub(crate) fn initial_namespace() -> &'static NetworkNamespace {
    // SAFETY: It is never freed.
    unsafe { NetworkNamespace::from_raw(&raw mut bindings::init_net) }
}

/// What may outlast a call and uses it: it never ends.
///
/// # Errors
///
/// `ENOMEM` when there is no memory.
pub(crate) fn initial_scope() -> Result<Arc<Scope>> {
    Scope::new(initial_namespace())
}

/// ETH_P_IP and ETH_P_IPV6.
const PROTOCOLS: [u16; 2] = [0x0800, 0x86dd];

/// A packet that never was on a wire.
///
/// # Invariants
///
/// The buffer is valid and belongs to this.
pub(crate) struct TestPacket {
    skb: NonNull<bindings::sk_buff>,
    state: bindings::nf_hook_state,
}

impl TestPacket {
    /// A packet of these bytes, from the network header on, in a hook that knows of no interface.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory.
    pub(crate) fn new(family: Family, bytes: &[u8]) -> Result<Self> {
        let (pf, protocol) = match family {
            Family::Ipv4 => (bindings::NFPROTO_IPV4, PROTOCOLS[0]),
            Family::Ipv6 => (bindings::NFPROTO_IPV6, PROTOCOLS[1]),
        };
        // SAFETY: The bytes are valid for reads of their length.
        let skb = unsafe {
            bindings::palisade_test_packet(
                bytes.as_ptr().cast(),
                bytes.len() as u32,
                protocol.to_be(),
            )
        };
        let state = bindings::nf_hook_state {
            pf: pf as u8,
            ..Default::default()
        };
        // INVARIANT: The function gives a buffer of our own.
        let skb = NonNull::new(skb).ok_or(ENOMEM)?;
        Ok(Self { skb, state })
    }

    /// The packet.
    pub(crate) fn skb(&self) -> &Skb {
        // SAFETY: By the type invariant it is valid, and nobody changes it.
        unsafe { Skb::from_raw(self.skb.as_ptr()) }
    }

    /// The hook.
    pub(crate) fn context(&self) -> Context<'_> {
        // SAFETY: The state is borrowed for as long, and it names no interface.
        unsafe { Context::from_raw(&raw const self.state) }
    }
}

impl Drop for TestPacket {
    fn drop(&mut self) {
        // SAFETY: By the type invariant.
        unsafe { bindings::palisade_test_packet_free(self.skb.as_ptr()) };
    }
}
