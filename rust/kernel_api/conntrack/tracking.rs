// SPDX-License-Identifier: GPL-2.0

//! Connection tracking.
//!
//! C header: [`include/net/netfilter/nf_conntrack.h`](srctree/include/net/netfilter/nf_conntrack.h)

use crate::kernel_api::{
    bindings,
    net::{
        netns::{
            NamespaceUse,
            Scope, //
        },
        skb::Skb, //
    },
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// Has connection tracking see the packets of a namespace, until it is dropped.
pub(crate) struct ConntrackUse(NamespaceUse);

impl ConntrackUse {
    /// For IPv4 and IPv6. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory, `ENODEV` when the namespace ends, and what registering hooks fails with.
    pub(crate) fn new(scope: &Arc<Scope>) -> Result<Self> {
        let namespace = scope.enter()?;
        // SAFETY: The namespace is valid; it is given back by `drop`.
        kernel::error::to_result(unsafe {
            bindings::nf_ct_netns_get(namespace.as_raw(), bindings::NFPROTO_INET as u8)
        })?;
        Ok(Self(namespace))
    }
}

impl Drop for ConntrackUse {
    fn drop(&mut self) {
        // SAFETY: `new` has got it, in a namespace that is still there.
        unsafe { bindings::nf_ct_netns_put(self.0.as_raw(), bindings::NFPROTO_INET as u8) };
    }
}

/// What connection tracking takes a packet for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TrackingState {
    /// A packet of no connection; before connection tracking, every packet that is to be tracked.
    Invalid,
    /// The first packet of a connection, or one more before the first answer.
    New,
    /// A packet of a connection that has seen packets in both directions.
    Established,
    /// The first packet of a connection that another one has announced, or an error about one.
    Related,
    /// A packet that connection tracking passes over.
    Untracked,
}

/// What connection tracking says of a packet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tracking {
    /// What it takes the packet for.
    pub(crate) state: TrackingState,
    /// Whether the source address of its connection is translated.
    pub(crate) source_translated: bool,
    /// Whether the destination address of its connection is translated.
    pub(crate) destination_translated: bool,
}

impl Skb {
    /// The connection that the packet has, or null, and what it is to it.
    #[inline]
    fn connection(&self) -> (*mut bindings::nf_conn, bindings::ip_conntrack_info) {
        let mut info = bindings::ip_conntrack_info_IP_CT_ESTABLISHED;
        // SAFETY: By the type, the packet is valid; the pointer is valid for writes.
        let connection = unsafe { bindings::palisade_ct_get(self.as_raw(), &mut info) };
        (connection, info)
    }

    /// What connection tracking says of the packet.
    #[inline]
    pub(crate) fn tracking(&self) -> Tracking {
        let (connection, info) = self.connection();
        if connection.is_null() {
            return Tracking {
                state: match info {
                    bindings::ip_conntrack_info_IP_CT_UNTRACKED => TrackingState::Untracked,
                    _ => TrackingState::Invalid,
                },
                source_translated: false,
                destination_translated: false,
            };
        }
        // SAFETY: The packet holds a reference to its connection.
        let status = unsafe { bindings::palisade_ct_status(connection) };
        let has = |bit: bindings::ip_conntrack_status| status & bit as c_ulong != 0;
        Tracking {
            state: match info {
                bindings::ip_conntrack_info_IP_CT_ESTABLISHED
                | bindings::ip_conntrack_info_IP_CT_ESTABLISHED_REPLY => TrackingState::Established,
                bindings::ip_conntrack_info_IP_CT_RELATED
                | bindings::ip_conntrack_info_IP_CT_RELATED_REPLY => TrackingState::Related,
                _ => TrackingState::New,
            },
            source_translated: has(bindings::ip_conntrack_status_IPS_SRC_NAT),
            destination_translated: has(bindings::ip_conntrack_status_IPS_DST_NAT),
        }
    }

    /// Has connection tracking pass the packet over, unless it has seen it already, as it has on the
    /// loopback interface.
    #[inline]
    pub(crate) fn set_untracked(&self) {
        let (connection, info) = self.connection();
        if connection.is_null() && info == bindings::ip_conntrack_info_IP_CT_ESTABLISHED {
            // SAFETY: By the type, the packet is valid. It has no connection whose reference would be
            // lost, and gets none.
            unsafe {
                bindings::palisade_ct_set(
                    self.as_raw(),
                    core::ptr::null_mut(),
                    bindings::ip_conntrack_info_IP_CT_UNTRACKED,
                )
            };
        }
    }
}
