// SPDX-License-Identifier: GPL-2.0

//! Sockets of this machine.
//!
//! C headers: [`include/net/inet_hashtables.h`](srctree/include/net/inet_hashtables.h),
//! [`include/net/inet6_hashtables.h`](srctree/include/net/inet6_hashtables.h)

use crate::kernel_api::{
    bindings,
    conntrack::connections::Endpoints,
    netfilter::{
        Context,
        Family, //
    }, //
};

/// How far an acknowledgement may be behind what was acknowledged already, in bytes.
const BEHIND: u32 = 1 << 20;

/// A socket that a segment goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Socket {
    /// Whether it has a connection that at least one side has not closed, and that both have opened.
    pub(crate) is_open: bool,
    /// The sequence number that it sends next, if it has sent one.
    pub(crate) next: Option<u32>,
    /// The first number that it may still be told of as acknowledged.
    first: u32,
}

impl Socket {
    /// Whether a segment that acknowledges this, or nothing, acknowledges what the socket has sent.
    pub(crate) fn fits(&self, acknowledgement: Option<u32>) -> bool {
        match (acknowledgement, self.next) {
            (Some(number), Some(next)) => {
                number.wrapping_sub(self.first) <= next.wrapping_sub(self.first)
            }
            _ => true,
        }
    }
}

/// The TCP socket of this machine that has a connection to who sends packets between these: one that is open,
/// or being closed. The packet that it is about is in a hook, having come in.
pub(crate) fn find(context: &Context<'_>, endpoints: &Endpoints) -> Option<Socket> {
    let state = context.as_raw();
    if state.in_.is_null() {
        return None;
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
            return None;
        }
        let found = look_at(socket);
        bindings::sock_gen_put(socket);
        Some(found)
    }
}

/// # Safety
///
/// The socket has to be one of those that `__inet_lookup_established` finds: a TCP socket, or what remains of one
/// (`inet_timewait_sock`), or what becomes one (`request_sock`), whose state says which.
unsafe fn look_at(socket: *const bindings::sock) -> Socket {
    // SAFETY: The caller says so. Others write the numbers meanwhile, and each is read at once.
    let (is_open, first, next) = unsafe {
        match bindings::palisade_socket_state(socket) {
            bindings::TCP_NEW_SYN_RECV => (false, 0, None),
            bindings::TCP_TIME_WAIT => {
                let next = bindings::palisade_time_wait_next(socket);
                (false, next, Some(next))
            }
            state => (
                // Both sides have said that they are done.
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
