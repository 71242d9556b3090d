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

/// What a socket is looked up by.
pub(super) struct SocketKey {
    pub(super) source: [u32; 4],
    pub(super) destination: [u32; 4],
    /// In network byte order, as the look-ups take it.
    pub(super) source_port: u16,
    pub(super) port: u16,
    /// The device that the packet came by, or that of its VRF.
    pub(super) device: i32,
    /// In a VRF, the device that the packet came by, or else zero. A socket may be bound to either
    /// (`inet_sk_bound_dev_eq`).
    pub(super) enslaved: i32,
}

impl SocketKey {
    /// For a packet that was received, with these endpoints. `None` for others.
    pub(super) fn new(context: &Context<'_>, skb: &Skb, endpoints: &Endpoints) -> Option<Self> {
        let (device, raw) = (context.as_raw().in_, skb.as_raw());
        // SAFETY: By the type invariants, the packet and the device, if there is one, are valid,
        // under RCU. In the hooks of IP, the packet has the control block of its family's IP.
        let (device, enslaved) = unsafe {
            let index = device.as_ref()?.ifindex;
            match bindings::palisade_l3mdev_index(device) {
                0 => (index, 0),
                // Behind IP's input in the VRF (`l3mdev_ip_rcv`), the packet came by the VRF itself.
                master if master == index => match endpoints.family {
                    Family::Ipv4 => (master, bindings::palisade_enslaved_index4(raw)),
                    Family::Ipv6 => (master, bindings::palisade_enslaved_index6(raw)),
                },
                master => (master, index),
            }
        };
        let ((source, destination), (source_port, port)) = (endpoints.addresses, endpoints.ports);
        Some(Self {
            source,
            destination,
            source_port: u16::from_ne_bytes(source_port),
            port: u16::from_be_bytes(port),
            device,
            enslaved,
        })
    }
}

/// Looks up this host's TCP socket for a segment with these endpoints: one that is established,
/// being opened or being closed. The segment is in a hook and was received.
pub(crate) fn find(context: &Context<'_>, skb: &Skb, endpoints: &Endpoints) -> Option<Socket> {
    let state = context.as_raw();
    let key = SocketKey::new(context, skb, endpoints)?;
    let (source, destination) = (key.source, key.destination);
    // SAFETY: By the type invariant of `Context`, the namespace is valid, under RCU. The addresses
    // are valid for reads. The lookup returns null or a reference, which is dropped once.
    unsafe {
        let socket = match endpoints.family {
            Family::Ipv4 => {
                let ([source, ..], [destination, ..]) = (source, destination);
                bindings::__inet_lookup_established(
                    state.net,
                    source,
                    key.source_port,
                    destination,
                    key.port,
                    key.device,
                    key.enslaved,
                )
            }
            Family::Ipv6 => bindings::__inet6_lookup_established(
                state.net,
                (&raw const source).cast(),
                key.source_port,
                (&raw const destination).cast(),
                key.port,
                key.device,
                key.enslaved,
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
