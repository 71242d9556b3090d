// SPDX-License-Identifier: GPL-2.0

//! TCP sockets of this host.
//!
//! C headers: [`include/net/inet_hashtables.h`](srctree/include/net/inet_hashtables.h),
//! [`include/net/inet6_hashtables.h`](srctree/include/net/inet6_hashtables.h)

use super::skb::Skb;
use crate::kernel_api::{
    bindings,
    conntrack::connections::Endpoints,
    netfilter::{
        Context,
        Family, //
    }, //
};

/// How far an acknowledgment may lag behind what was acknowledged before, in bytes.
const BEHIND: u32 = 1 << 20;

/// The socket that a segment belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Socket {
    /// Whether the connection is established and at least one side has not closed it.
    pub(crate) is_open: bool,
    /// The next sequence number of the socket, if it has sent one.
    pub(crate) next: Option<u32>,
    /// The lowest number that may still be acknowledged.
    first: u32,
}

impl Socket {
    /// Whether the socket has sent what a segment acknowledges, or the segment acknowledges
    /// nothing.
    pub(crate) fn fits(&self, acknowledgement: Option<u32>) -> bool {
        match (acknowledgement, self.next) {
            (Some(number), Some(next)) => {
                number.wrapping_sub(self.first) <= next.wrapping_sub(self.first)
            }
            _ => true,
        }
    }
}

/// The devices that a socket may be bound to in order to get a packet that was received: that by
/// which it came, or in a VRF, the VRF's and that one (`inet_sk_bound_dev_eq`). Zero for none.
pub(super) fn domain(context: &Context<'_>, skb: &Skb, family: Family) -> Option<(i32, i32)> {
    let (device, raw) = (context.as_raw().in_, skb.as_raw());
    // SAFETY: By the type invariants, the packet and the device, if there is one, are valid, under
    // RCU. In the hooks of IP, the packet has the control block of `family`'s IP.
    unsafe {
        let index = device.as_ref()?.ifindex;
        Some(match bindings::palisade_l3mdev_index(device) {
            0 => (index, 0),
            // Behind IP's input in the VRF (`l3mdev_ip_rcv`), the packet came by the VRF itself.
            master if master == index => match family {
                Family::Ipv4 => (master, bindings::palisade_enslaved_index4(raw)),
                Family::Ipv6 => (master, bindings::palisade_enslaved_index6(raw)),
            },
            master => (master, index),
        })
    }
}

/// Looks up this host's TCP socket for a segment with these endpoints: one that is established,
/// being opened or being closed. The segment is in a hook and was received.
pub(crate) fn find(context: &Context<'_>, skb: &Skb, endpoints: &Endpoints) -> Option<Socket> {
    let state = context.as_raw();
    let (device, enslaved) = domain(context, skb, endpoints.family)?;
    let ((source, destination), (source_port, destination_port)) =
        (endpoints.addresses, endpoints.ports);
    let (source_port, port) = (
        u16::from_ne_bytes(source_port),
        u16::from_be_bytes(destination_port),
    );
    // SAFETY: By the type invariant of `Context`, the namespace is valid, under RCU. The addresses
    // are valid for reads. The lookup returns null or a reference, which is dropped once.
    unsafe {
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
            return None;
        }
        let found = look_at(socket);
        bindings::sock_gen_put(socket);
        Some(found)
    }
}

/// # Safety
///
/// `socket` has to be a result of `__inet_lookup_established`: a TCP socket, or a timewait
/// (`inet_timewait_sock`) or request socket (`request_sock`), as its state says.
unsafe fn look_at(socket: *const bindings::sock) -> Socket {
    // SAFETY: By the function's safety requirements, the socket is valid, and its state tells its
    // type. The numbers may change meanwhile, and each is read once.
    let (is_open, first, next) = unsafe {
        match bindings::palisade_socket_state(socket) {
            bindings::TCP_NEW_SYN_RECV => (false, 0, None),
            bindings::TCP_TIME_WAIT => {
                let next = bindings::palisade_time_wait_next(socket);
                (false, next, Some(next))
            }
            state => (
                // Both sides have sent a FIN.
                !matches!(state, bindings::TCP_CLOSING | bindings::TCP_LAST_ACK),
                bindings::palisade_tcp_unacknowledged(socket),
                Some(bindings::palisade_tcp_next(socket)),
            ),
        }
    };
    Socket {
        is_open,
        next,
        first: first.wrapping_sub(BEHIND),
    }
}
