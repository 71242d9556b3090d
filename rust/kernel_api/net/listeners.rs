// SPDX-License-Identifier: GPL-2.0

//! Listening TCP sockets of this host, and handing them connections whose handshake is over.
//!
//! TCP makes a connection from a request socket that comes with an acknowledgement, as it does from
//! a SYN cookie of its own (`cookie_v4_check`, `cookie_v6_check`). It takes the request socket from
//! the packet where its `syncookie` is set: that is the way of `bpf_sk_assign_tcp_reqsk`.
//!
//! C headers: [`include/net/request_sock.h`](srctree/include/net/request_sock.h),
//! [`include/net/tcp.h`](srctree/include/net/tcp.h)

use super::{
    route::RouteLimits,
    skb::Skb,
    sockets::SocketKey, //
};
use crate::kernel_api::{
    bindings,
    conntrack::connections::Endpoints,
    netfilter::{
        Context,
        Family, //
    }, //
};
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::prelude::*;

/// The largest window scale (TCP_MAX_WSCALE).
const SCALE_MAX: u8 = 14;

/// The largest window of an old peer that takes windows for signed numbers (MAX_TCP_WINDOW).
const SIGNED_WINDOW_MAX: u32 = 32767;

/// A socket that listens.
///
/// # Invariants
///
/// The socket is a TCP one, was in the state TCP_LISTEN, and is valid for `'a`: RCU is held.
pub(crate) struct Listener<'a> {
    raw: NonNull<bindings::sock>,
    net: NonNull<bindings::net>,
    lifetime: PhantomData<&'a ()>,
}

/// What a listening socket would say in a SYN-ACK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    /// The largest MSS, in bytes, unless the program has set none.
    pub(crate) mss: Option<u16>,
    /// The space that the window is a part of, in bytes.
    pub(crate) space: u32,
    /// The largest window, in segments of the client's; zero for no limit.
    pub(crate) initial_window: u32,
    /// The window scale, if windows are scaled.
    pub(crate) scale: Option<u8>,
    /// SACK.
    pub(crate) sack: bool,
    /// Timestamps.
    pub(crate) timestamps: bool,
    /// ECN.
    pub(crate) ecn: bool,
    /// Whether one more connection can wait for being accepted (`tcp_conn_request`).
    pub(crate) has_room: bool,
}

impl Offer {
    /// The largest segment for a client with this MSS, in bytes (`tcp_parse_options`).
    pub(crate) fn mss_for(&self, client_mss: u16) -> u16 {
        self.mss.map_or(client_mss, |mss| mss.min(client_mss))
    }

    /// The window that a client with this MSS is told, in bytes (`tcp_select_initial_window`).
    pub(crate) fn window(&self, client_mss: u16) -> u16 {
        let mss = u32::from(self.mss_for(client_mss)).max(1);
        let mut window = self.space;
        if window > mss {
            window = window.wrapping_sub(window % mss);
        }
        if self.initial_window != 0 {
            window = window.min(self.initial_window.saturating_mul(mss));
        }
        u16::try_from(window).unwrap_or(u16::MAX)
    }
}

/// What was agreed on with a client, whose handshake is over.
#[derive(Clone, Copy)]
pub(crate) struct Agreed {
    /// The largest segment for the client, in bytes.
    pub(crate) mss: u16,
    /// The window scales of the client and of the socket, if windows are scaled.
    pub(crate) scales: Option<(u8, u8)>,
    /// SACK.
    pub(crate) sack: bool,
    /// ECN.
    pub(crate) ecn: bool,
    /// The timestamps, if both sides use them.
    pub(crate) timestamps: Option<AgreedTimestamps>,
}

/// Timestamps of a handshake.
#[derive(Clone, Copy)]
pub(crate) struct AgreedTimestamps {
    /// The client's last one.
    pub(crate) recent: u32,
    /// The one that the client was sent.
    pub(crate) sent: u32,
    /// When that was, by [`tcp_milliseconds`](crate::kernel_api::time::tcp_milliseconds).
    pub(crate) sent_at: u32,
}

impl<'a> Context<'a> {
    /// Looks up the socket that would get a SYN with these endpoints, in its current hook. The TCP
    /// header ends at `header_end`, from the start of the data. `None` if there is none, or if
    /// somebody has given the packet a socket already (TPROXY, BPF).
    pub(crate) fn listener(
        &self,
        skb: &mut Skb,
        endpoints: &Endpoints,
        header_end: u32,
    ) -> Option<Listener<'a>> {
        let state = self.as_raw();
        let key = SocketKey::new(self, skb, endpoints)?;
        let (source, destination) = (key.source, key.destination);
        let header_end = i32::try_from(header_end).ok()?;
        // SAFETY: By the type invariant of `Skb`, the packet is valid.
        if unsafe { bindings::palisade_skb_has_socket(skb.as_raw()) } {
            return None;
        }
        // SAFETY: By the type invariants, the namespace, the device and the packet are valid, and
        // RCU is held, under which the result is valid without a reference: sockets that listen
        // are freed after a grace period (SOCK_RCU_FREE). The addresses are valid for reads. A
        // program of BPF may pull the header (`run_bpf_filter`), and checks that it is there.
        unsafe {
            let socket = match endpoints.family {
                Family::Ipv4 => {
                    let ([source, ..], [destination, ..]) = (source, destination);
                    bindings::__inet_lookup_listener(
                        state.net,
                        skb.as_raw(),
                        header_end,
                        source,
                        key.source_port,
                        destination,
                        key.port,
                        key.device,
                        key.enslaved,
                    )
                }
                Family::Ipv6 => bindings::inet6_lookup_listener(
                    state.net,
                    skb.as_raw(),
                    header_end,
                    (&raw const source).cast(),
                    key.source_port,
                    (&raw const destination).cast(),
                    key.port,
                    key.device,
                    key.enslaved,
                ),
            };
            let raw = NonNull::new(socket)?;
            let is_listening = bindings::palisade_socket_state(socket) == bindings::TCP_LISTEN;
            // INVARIANT: The socket is valid under RCU, which the context holds, and listens.
            is_listening.then_some(Listener {
                raw,
                net: NonNull::new(state.net)?,
                lifetime: PhantomData,
            })
        }
    }
}

impl Listener<'_> {
    /// What the socket would say on a route with these limits. `None` if TCP of this namespace makes
    /// no connections from cookies (`net.ipv4.tcp_syncookies`). As `cookie_v4_check` will have it
    /// once more.
    pub(crate) fn offer(&self, limits: &RouteLimits) -> Option<Offer> {
        let mut settings = bindings::palisade_tcp_settings::default();
        let socket = self.raw.as_ptr();
        // SAFETY: By the type invariant, namespace and socket are valid, and the socket is one of
        // TCP. `settings` is valid for writes.
        let (space, is_fixed, clamp, mss, has_room) = unsafe {
            bindings::palisade_tcp_settings(self.net.as_ptr(), &mut settings);
            (
                bindings::palisade_listener_space(socket).max(0) as u32,
                bindings::palisade_listener_space_is_fixed(socket),
                bindings::palisade_listener_window_clamp(socket),
                bindings::palisade_listener_mss(socket),
                bindings::palisade_listener_has_room(socket),
            )
        };
        if settings.cookies == 0 {
            return None;
        }
        const LARGEST: u32 = (u16::MAX as u32) << SCALE_MAX;
        let clamp = match [clamp, limits.window] {
            [0, 0] => LARGEST,
            [0, clamp] | [clamp, _] => clamp,
        };
        let clamp = if is_fixed { clamp.min(space) } else { clamp };
        let space = space.min(clamp);
        let largest = settings.receive_space_max.max(settings.receive_buffer_max);
        let scaled = space.max(largest).min(clamp).max(1);
        Some(Offer {
            mss: (mss != 0).then_some(mss),
            space: match settings.signed_windows {
                0 => space,
                _ => space.min(SIGNED_WINDOW_MAX),
            },
            initial_window: limits.initial_window,
            scale: (settings.window_scaling != 0)
                .then(|| (scaled.ilog2().saturating_sub(15) as u8).min(SCALE_MAX)),
            sack: settings.sack != 0,
            timestamps: settings.timestamps != 0,
            // As `cookie_ecn_ok`, which asks again.
            ecn: settings.ecn != 0 || limits.ecn,
            has_room,
        })
    }

    /// Has the socket take the connection over: the packet, which has to be an acknowledgement that
    /// ends a handshake, goes on to TCP with all that TCP needs to make a connection of it.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory.
    pub(crate) fn take_over(&self, skb: &mut Skb, family: Family, agreed: &Agreed) -> Result {
        let listener = self.raw.as_ptr();
        let (client_scale, scale) = agreed.scales.unwrap_or((0, 0));
        // SAFETY: By the type invariant, the socket is valid. The operations are those of TCP, which
        // has a slab for requests (`proto_register`). Nobody else knows the new request; it refers to the socket without a reference, which
        // `skb_steal_sock` and `sock_pfree` know of. RCU is held until TCP has it: the packet goes
        // on from here within the same read-side section.
        unsafe {
            let ops = match family {
                Family::Ipv4 => bindings::palisade_request_ops4(),
                Family::Ipv6 => bindings::palisade_request_ops6(),
            };
            let request = match bindings::palisade_listener_is_mptcp(listener) {
                true => bindings::palisade_request_alloc_mptcp(ops, listener),
                false => bindings::palisade_request_alloc(ops, listener),
            };
            let request = NonNull::new(request).ok_or(ENOMEM)?.as_ptr();
            let agreement = bindings::palisade_agreement {
                mss: agreed.mss,
                client_scale,
                scale,
                is_scaled: agreed.scales.is_some(),
                sack: agreed.sack,
                timestamps: agreed.timestamps.is_some(),
                ecn: agreed.ecn,
                recent_stamp: agreed.timestamps.map_or(0, |stamps| stamps.recent),
                // The client's view of the clock goes on from what it was sent.
                stamp_offset: (agreed.timestamps)
                    .map_or(0, |stamps| stamps.sent.wrapping_sub(stamps.sent_at)),
            };
            bindings::palisade_request_agree(request, listener, &agreement);
            bindings::palisade_skb_set_request(skb.as_raw(), request);
        }
        Ok(())
    }
}
