// SPDX-License-Identifier: GPL-2.0

//! SYNPROXY: TCP handshakes are answered with cookies, and servers see those clients alone that returned one.
//!
//! Nothing is kept of a SYN: what it said comes back with the cookie. An acknowledgement with a valid cookie
//! becomes a SYN to the server. What the server answers is then told to the client as far as the client
//! does not know it yet, and from there on connection tracking shifts the sequence numbers, and
//! [`translation`] what it does not know of: timestamps and windows.

mod announcement;
mod client;
mod compose;
mod cookie;
#[cfg(CONFIG_KUNIT = "y")]
mod cookie_tests;
mod options;
#[cfg(CONFIG_KUNIT = "y")]
mod options_tests;
mod proxied;
mod segment;
mod servers;
mod settings;
mod translation;
mod unreachable;

pub(crate) use client::{
    Place,
    Reaction, //
};
pub(crate) use servers::ServerReport;
pub(crate) use settings::{
    Events,
    Settings,
    Threshold, //
};
pub(crate) use translation::{
    OutOfFlow,
    Translation, //
};

use crate::kernel_api::{
    connections::ProxyTemplate,
    netns::NetworkNamespace, //
};
use cookie::Cookies;
use kernel::{
    prelude::*,
    sync::Arc, //
};
use servers::Servers;

/// What SYNPROXY keeps for a network namespace.
pub(crate) struct Synproxy {
    cookies: Cookies,
    template: ProxyTemplate,
    servers: Servers,
}

impl Synproxy {
    /// No servers so far. It has to be dropped before the namespace is gone. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory.
    pub(crate) fn new(namespace: &NetworkNamespace) -> Result<Arc<Self>> {
        let synproxy = Self {
            cookies: Cookies::new(),
            template: ProxyTemplate::new(namespace)?,
            servers: Servers::new()?,
        };
        Ok(Arc::new(synproxy, GFP_KERNEL_ACCOUNT)?)
    }

    /// The servers that connections were opened to, from the given place on; and the place behind.
    pub(crate) fn server_from(&self, place: usize) -> Option<(ServerReport, usize)> {
        self.servers.report_from(place)
    }
}
