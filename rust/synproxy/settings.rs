// SPDX-License-Identifier: GPL-2.0

//! The settings of a SYNPROXY rule, and the events that it counts.

use crate::{
    kernel_api::sync::counters::EventCounters,
    synproxy::prelude::*, //
};

/// The settings of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SynproxySettings {
    /// MSS advertised to clients, in bytes; `None` means the server's.
    pub(crate) mss: Option<u16>,
    /// Window scale advertised to clients; `None` means the server's.
    pub(crate) scale: Option<u8>,
    /// Whether to permit SACK; `None` means as the server does.
    pub(crate) sack: Option<bool>,
    /// Whether to use timestamps; `None` means as the server does.
    pub(crate) timestamps: Option<bool>,
    /// Whether to use ECN; `None` means as the server does.
    pub(crate) ecn: Option<bool>,
    /// The largest window that clients of a server behind this host are told; `None` means the
    /// server's.
    pub(crate) window: Option<u16>,
    /// Jiffies that a client has to say something before its connection is opened; `None` if that need
    /// not wait.
    pub(crate) patience: Option<u32>,
    /// The rate of SYNs to one address and port of a server up to which handshakes pass untouched.
    pub(crate) threshold: Option<Rate>,
}

impl SynproxySettings {
    /// Whether the options are those learned from the server.
    pub(super) fn is_learned(&self) -> bool {
        self.timestamps.is_none()
    }
}

/// The events that a rule counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A SYN that the rule matched.
    Syn,
    /// A SYN answered with a cookie.
    CookieSent,
    /// An ACK with a valid cookie.
    CookieValid,
    /// An ACK out of flow, without a valid cookie.
    CookieInvalid,
    /// Another segment out of flow.
    OutOfFlow,
}

/// A counter for each event.
pub(crate) type Events = EventCounters<5>;
