// SPDX-License-Identifier: GPL-2.0

//! SYNPROXY: TCP handshakes are answered with cookies, and servers see those clients alone that returned one.
//!
//! Nothing is kept of a SYN: what it said comes back with the cookie. An acknowledgement with a valid cookie
//! becomes a SYN to the server. What the server answers is then told to the client as far as the client
//! does not know it yet, and from there on connection tracking shifts the sequence numbers, and
//! [`translation`] what it does not know of: timestamps and windows.

mod announcement;
#[cfg(CONFIG_KUNIT = "y")]
mod announcement_tests;
mod answers;
mod arrival;
mod clamps;
#[cfg(CONFIG_KUNIT = "y")]
mod clamps_tests;
mod client;
mod clocks;
#[cfg(CONFIG_KUNIT = "y")]
mod clocks_tests;
mod compose;
#[cfg(CONFIG_KUNIT = "y")]
mod compose_tests;
mod cookie;
#[cfg(CONFIG_KUNIT = "y")]
mod cookie_tests;
mod existing;
mod floods;
#[cfg(CONFIG_KUNIT = "y")]
mod floods_tests;
#[cfg(palisade_host)]
pub(crate) mod fuzz;
mod handshake;
mod held;
#[cfg(CONFIG_KUNIT = "y")]
mod held_tests;
mod known;
#[cfg(CONFIG_KUNIT = "y")]
mod known_tests;
mod lost;
mod opening;
mod options;
#[cfg(CONFIG_KUNIT = "y")]
mod options_tests;
mod proxied;
#[cfg(CONFIG_KUNIT = "y")]
mod proxied_tests;
#[cfg(all(test, palisade_races))]
mod races;
mod resets;
mod segment;
mod servers;
#[cfg(CONFIG_KUNIT = "y")]
mod servers_tests;
mod settings;
mod translation;
mod unreachable;
mod waiting;
#[cfg(CONFIG_KUNIT = "y")]
mod waiting_tests;

pub(crate) use answers::Answers;
pub(crate) use arrival::Arrival;
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
pub(crate) use translation::Translation;

use crate::kernel_api::{
    connection_end::{
        count_connections,
        end_connections,
        has_connections,
        EndedConnection, //
    },
    netns::Scope,
    own_addresses::OwnAddresses,
    proxy_template::ProxyTemplate,
    transmit::Sender,
    work::{
        give_way,
        Periodic, //
    },
};
use clocks::Clocks;
use cookie::Cookies;
use core::mem::MaybeUninit;
use held::Held;
use kernel::{
    alloc::flags::__GFP_NOWARN,
    prelude::*,
    sync::Arc, //
};
use known::Known;
use servers::Servers;
use waiting::{
    LookAfter,
    Wait,
    Waiting, //
};

/// Room for so many connections and one more, or for as many as there is memory for.
fn room_for(count: usize) -> KVVec<EndedConnection> {
    let mut size = count.saturating_add(1);
    while size > 0 {
        if let Ok(room) = KVVec::with_capacity(size, GFP_KERNEL | __GFP_NOWARN) {
            return room;
        }
        size /= 2;
    }
    KVVec::new()
}

/// What SYNPROXY keeps for a network namespace.
pub(crate) struct Synproxy {
    cookies: Cookies,
    clocks: Clocks,
    template: ProxyTemplate,
    servers: Arc<Servers>,
    waiting: Arc<Waiting>,
    look_after: Periodic<LookAfter>,
    known: Known,
    lost: lost::Limit,
    own_addresses: OwnAddresses,
}

impl Synproxy {
    /// No servers so far. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory, `ENODEV` when the namespace ends.
    pub(crate) fn new(scope: &Arc<Scope>) -> Result<Arc<Self>> {
        let servers = Arc::new(Servers::new()?, GFP_KERNEL_ACCOUNT)?;
        let waiting = Waiting::new(scope, servers.clone())?;
        let synproxy = Self {
            cookies: Cookies::new(),
            clocks: Clocks::new(),
            template: ProxyTemplate::new(scope)?,
            servers,
            look_after: Periodic::start(scope, LookAfter(waiting.clone()), 0)?,
            waiting,
            known: Known::new()?,
            lost: lost::Limit::new(),
            own_addresses: OwnAddresses::new(),
        };
        Ok(Arc::new(synproxy, GFP_KERNEL_ACCOUNT)?)
    }

    /// Waits for the answer to a SYN that was just sent, with what the client has sent besides.
    fn wait(&self, wait: &Wait, held: Option<Held>) {
        if self.waiting.begin(wait, held) {
            self.look_after.run_after(waiting::FIRST_DELAY);
        }
    }

    /// Whether there are connections, or may be some soon. May sleep.
    pub(crate) fn has_connections(&self) -> bool {
        !self.waiting.is_idle() || has_connections(self.waiting.namespace())
    }

    /// Resets all connections, of both sides, also those that servers have not answered: without SYNPROXY they cannot go
    /// on. May sleep.
    pub(crate) fn reset_connections(&self, scope: &Arc<Scope>) {
        let Ok(namespace) = scope.enter() else {
            return;
        };
        let sender = Sender::new(namespace);
        self.waiting.give_up_all();
        loop {
            // Where memory is short, each walk ends as many as it has room for.
            let mut little = [const { MaybeUninit::uninit() }; 8];
            let mut much = room_for(count_connections(sender.namespace()));
            let room = match much.spare_capacity_mut() {
                [] => &mut little[..],
                room => room,
            };
            let size = room.len();
            let ended = end_connections(sender.namespace(), room);
            for connection in ended {
                resets::reset_both(connection, &sender);
                give_way();
            }
            if ended.len() < size {
                return;
            }
        }
    }

    /// The servers that connections were opened to, from the given place on; and the place behind.
    pub(crate) fn server_from(&self, place: usize) -> Option<(ServerReport, usize)> {
        self.servers.report_from(place)
    }
}
