// SPDX-License-Identifier: GPL-2.0

//! What a hook knows of a packet besides the packet.
//!
//! C header: [`include/linux/netfilter.h`](srctree/include/linux/netfilter.h)

use crate::kernel_api::{
    bindings,
    demands,
    net::{
        netns::NetworkNamespace,
        skb::Skb, //
    }, //
};
use core::{
    marker::PhantomData,
    mem::{
        offset_of,
        size_of, //
    },
    ptr::NonNull, //
};
use kernel::sync::rcu::Guard;

/// The IP version of a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

/// Name of an interface, padded with zeroes, as two machine words.
pub(crate) type InterfaceName = [u64; 2];

/// The state of the hook that a packet is in.
///
/// # Invariants
///
/// For `'a`, `state` is valid, and so are the namespace, the devices and the socket that it
/// names, and the RCU read lock is held.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    state: *const bindings::nf_hook_state,
    lifetime: PhantomData<&'a ()>,
}

impl Context<'_> {
    /// # Safety
    ///
    /// While this exists, the state, its namespace, devices and socket have to be valid, and the RCU
    /// read lock has to be held.
    pub(in crate::kernel_api) unsafe fn from_raw(state: *const bindings::nf_hook_state) -> Self {
        // INVARIANT: By the function's safety requirements.
        Self {
            state,
            lifetime: PhantomData,
        }
    }

    /// The IP version. Netfilter registers a hook of `NFPROTO_INET` once for IPv4 and once for
    /// IPv6.
    #[inline]
    pub(crate) fn family(&self) -> Family {
        // SAFETY: By the type invariant, the state is valid.
        match u32::from(unsafe { (*self.state).pf }) {
            bindings::NFPROTO_IPV6 => Family::Ipv6,
            _ => Family::Ipv4,
        }
    }

    /// The RCU read lock, which netfilter holds while the hook runs (`nf_hook`, which takes it
    /// around `nf_hook_slow`). Taking it again would be two calls per packet, which do the same.
    #[inline]
    pub(crate) fn rcu(&self) -> &Guard {
        demands::rcu_held();
        // SAFETY: A `Guard` has no size, as checked below, so any aligned address will do. By the
        // type invariant, which debug kernels check above, the lock that it stands for is held for
        // longer than the reference lives. A reference does not unlock it.
        unsafe { NonNull::<Guard>::dangling().as_ref() }
    }

    #[inline]
    pub(in crate::kernel_api) fn as_raw(&self) -> &bindings::nf_hook_state {
        // SAFETY: By the type invariant, the state is valid.
        unsafe { &*self.state }
    }

    /// The network namespace.
    #[inline]
    pub(crate) fn namespace(&self) -> &NetworkNamespace {
        // SAFETY: By the type invariant, the state and its namespace are valid.
        unsafe { NetworkNamespace::from_raw((*self.state).net) }
    }

    /// Whether the egress device is known.
    #[inline]
    pub(crate) fn is_going_out(&self) -> bool {
        // SAFETY: By the type invariant, the state is valid.
        unsafe { !(*self.state).out.is_null() }
    }

    /// Whether a socket of this network namespace sent the packet.
    #[inline]
    pub(crate) fn is_sender(&self, skb: &Skb) -> bool {
        // SAFETY: By the type invariant, the state and its namespace are valid. By that of `Skb`,
        // the packet is, which holds its socket.
        unsafe { bindings::palisade_is_sent_from(skb.as_raw(), (*self.state).net) }
    }

    /// Name of the egress device, or zeroes if it is not known yet.
    #[inline]
    pub(crate) fn out_interface(&self) -> InterfaceName {
        // SAFETY: By the type invariant, the state is valid, and so is the device unless it is
        // null.
        unsafe { interface_name((*self.state).out) }
    }

    /// Name of the ingress device, or zeroes if this host made the packet.
    #[inline]
    pub(crate) fn in_interface(&self) -> InterfaceName {
        // SAFETY: By the type invariant, the state is valid, and so is the device unless it is
        // null.
        unsafe { interface_name((*self.state).in_) }
    }
}

const _: () = assert!(size_of::<Guard>() == 0);
const _: () = assert!(offset_of!(bindings::net_device, name) % align_of::<u64>() == 0);

/// # Safety
///
/// `device` has to be valid or null.
#[inline]
unsafe fn interface_name(device: *const bindings::net_device) -> InterfaceName {
    if device.is_null() {
        return InterfaceName::default();
    }
    // SAFETY: By the function's safety requirements, the device is valid. Its name is an array of
    // 16 bytes (IFNAMSIZ), aligned for a `u64`, as checked above. If it changes meanwhile, this
    // returns a mix of both names, as xtables does.
    unsafe {
        let name = (&raw const (*device).name).cast::<u64>();
        [name.read_volatile(), name.add(1).read_volatile()]
    }
}
