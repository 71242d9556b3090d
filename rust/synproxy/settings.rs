// SPDX-License-Identifier: GPL-2.0

//! What a rule asks of SYNPROXY, and what it counts.

use super::server::floods::Rate;
use crate::kernel_api::sync::counters::EventCounters;

/// What a rule asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SynproxySettings {
    /// Maximum segment size that clients are told, in bytes; none is that of the server.
    pub(crate) mss: Option<u16>,
    /// Window scale that clients are told; none is that of the server.
    pub(crate) scale: Option<u8>,
    /// Whether selective acknowledgements may be used; none if that is as with the server.
    pub(crate) sack: Option<bool>,
    /// Whether timestamps may be used; none if that is as with the server.
    pub(crate) timestamps: Option<bool>,
    /// Whether explicit congestion notification may be used; none if that is as with the server.
    pub(crate) ecn: Option<bool>,
    /// Below which rate of SYNs handshakes pass untouched.
    pub(crate) threshold: Option<Threshold>,
}

impl SynproxySettings {
    /// Whether everything is as with the server.
    pub(super) fn is_learned(&self) -> bool {
        self.timestamps.is_none()
    }
}

/// A rate of SYNs to an address and port of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Threshold {
    /// So many a second.
    pub(crate) rate: u32,
    /// So many at once, if that is not as many as a second has.
    pub(crate) burst: Option<u32>,
}

impl Threshold {
    pub(super) fn limit(&self) -> Rate {
        Rate {
            per_second: self.rate,
            burst: self.burst.unwrap_or(self.rate),
        }
    }
}

/// What a rule counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A SYN that it matched.
    Syn,
    /// A SYN that was answered with a cookie.
    CookieSent,
    /// An acknowledgement with a valid cookie.
    CookieValid,
    /// An acknowledgement of no connection, without a valid cookie.
    CookieInvalid,
    /// Another segment of no connection.
    OutOfFlow,
}

/// How many of each.
pub(crate) type Events = EventCounters<5>;
