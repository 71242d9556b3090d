// SPDX-License-Identifier: GPL-2.0

//! Enabling connection tracking, and what it says of packets.
//!
//! C header: [`include/net/netfilter/nf_conntrack.h`](srctree/include/net/netfilter/nf_conntrack.h)

use super::connection_end::has_translated_connections;
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

/// Enables connection tracking in a namespace until this is dropped.
///
/// # Invariants
///
/// `nf_ct_netns_get` was called for the namespace.
pub(crate) struct ConntrackUse(NamespaceUse);

impl ConntrackUse {
    /// Enables it for IPv4 and IPv6. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory, `ENODEV` when the namespace is ending, and what
    /// registering its hooks fails with.
    pub(crate) fn new(scope: &Arc<Scope>) -> Result<Self> {
        let namespace = scope.enter()?;
        // SAFETY: The namespace is in use, so it is valid.
        kernel::error::to_result(unsafe {
            bindings::nf_ct_netns_get(namespace.as_raw(), bindings::NFPROTO_INET as u8)
        })?;
        // INVARIANT: `nf_ct_netns_get` has just succeeded.
        Ok(Self(namespace))
    }

    /// Whether any connections are translated, by whomever. May sleep.
    pub(crate) fn has_translated_connections(&self) -> bool {
        has_translated_connections(self.0.namespace())
    }
}

impl Drop for ConntrackUse {
    fn drop(&mut self) {
        // SAFETY: By the type invariant, this balances `nf_ct_netns_get`. The namespace is in use,
        // so it is valid.
        unsafe { bindings::nf_ct_netns_put(self.0.as_raw(), bindings::NFPROTO_INET as u8) };
    }
}

/// The conntrack state of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TrackingState {
    /// A packet without a connection; before connection tracking, each packet that is to be
    /// tracked.
    Invalid,
    /// A packet of a connection that has only seen packets in one direction.
    New,
    /// A packet of a connection that has seen packets in both directions.
    Established,
    /// The first packet of an expected connection, or an ICMP error about a connection.
    Related,
    /// A packet that is exempt from connection tracking.
    Untracked,
}

/// What connection tracking says of a packet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tracking {
    /// The state of the packet.
    pub(crate) state: TrackingState,
    /// Whether the source address of its connection is translated.
    pub(crate) source_translated: bool,
    /// Whether the destination address of its connection is translated.
    pub(crate) destination_translated: bool,
}

impl Skb {
    /// The connection of the packet, or null, and its relation to that.
    #[inline]
    fn connection(&self) -> (*mut bindings::nf_conn, bindings::ip_conntrack_info) {
        let mut info = bindings::ip_conntrack_info_IP_CT_ESTABLISHED;
        // SAFETY: By the type invariant, the packet is valid. `info` is valid for writes.
        let connection = unsafe { bindings::palisade_ct_get(self.as_raw(), &mut info) };
        (connection, info)
    }

    /// Returns what connection tracking says of the packet.
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

    /// Exempts the packet from connection tracking, unless it was tracked already, as looped
    /// packets were.
    #[inline]
    pub(crate) fn set_untracked(&mut self) {
        let (connection, info) = self.connection();
        if connection.is_null() && info == bindings::ip_conntrack_info_IP_CT_ESTABLISHED {
            // SAFETY: By the type invariant, the packet is valid. It has no connection whose
            // reference would leak.
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
