// SPDX-License-Identifier: GPL-2.0

//! Sockets of this machine.
//!
//! C headers: [`include/net/inet_hashtables.h`](srctree/include/net/inet_hashtables.h),
//! [`include/net/inet6_hashtables.h`](srctree/include/net/inet6_hashtables.h)

use super::{
    bindings,
    connections::Endpoints,
    netfilter::{
        Context,
        Family, //
    },
};

/// Whether a TCP socket of this machine has a connection to who sends packets between these: one that is open,
/// or being closed. The packet that it is about is in a hook, having come in.
pub(crate) fn is_connected(context: &Context<'_>, endpoints: &Endpoints) -> bool {
    let state = context.as_raw();
    if state.in_.is_null() {
        return false;
    }
    let ((source, destination), (source_port, destination_port)) =
        (endpoints.addresses, endpoints.ports);
    let (source_port, port) = (
        u16::from_ne_bytes(source_port),
        u16::from_be_bytes(destination_port),
    );
    // SAFETY: The namespace and the device are valid while the hook runs, which is under RCU; the addresses
    // are valid for reads. What is found holds a reference, which is given back.
    unsafe {
        let device = (*state.in_).ifindex;
        // A socket in a VRF is bound to the VRF's device, or to the packet's own (`inet_sk_bound_dev_eq`).
        let (device, enslaved) = match bindings::palisade_l3mdev_index(state.in_) {
            0 => (device, 0),
            master => (master, device),
        };
        let socket = match endpoints.family {
            Family::Ipv4 => {
                let ([source, ..], [destination, ..]) = (source, destination);
                bindings::__inet_lookup_established(
                    state.net,
                    source,
                    source_port,
                    destination,
                    port,
                    device,
                    enslaved,
                )
            }
            Family::Ipv6 => bindings::__inet6_lookup_established(
                state.net,
                (&raw const source).cast(),
                source_port,
                (&raw const destination).cast(),
                port,
                device,
                enslaved,
            ),
        };
        if socket.is_null() {
            return false;
        }
        bindings::sock_gen_put(socket);
        true
    }
}
