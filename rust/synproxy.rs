// SPDX-License-Identifier: GPL-2.0

//! SYNPROXY: TCP handshakes are answered with SYN cookies, and servers only see clients that
//! returned one.
//!
//! Nothing is kept of a SYN: its contents come back with the cookie ([`cookie::sent`] may know when
//! that was sent). An ACK with a valid cookie becomes a SYN to the server. The server's SYN-ACK
//! tells the client what it does not know yet; from then on connection tracking shifts the sequence
//! numbers, and [`connection::translation`] handles what it does not: timestamps and windows.

mod client;
mod connection;
mod cookie;
mod floods;
#[cfg(palisade_host)]
pub(crate) mod fuzz;
mod prelude;
#[cfg(all(test, palisade_races))]
mod races;
mod server;
mod settings;
mod table;
#[cfg(CONFIG_KUNIT = "y")]
mod table_tests;

pub(crate) use client::Stage;
pub(crate) use connection::{
    answers::Answers,
    pre_routing::PreRoutingHook,
    translation::TranslationHook, //
};
pub(crate) use server::servers::ServerReport;
pub(crate) use settings::{
    Events,
    SynproxySettings, //
};

use crate::{
    kernel_api::{
        conntrack::{
            connection_end::{
                count_connections,
                end_connections,
                has_connections,
                EndedConnection, //
            },
            proxy_template::ProxyTemplate, //
        },
        net::{
            netns::Scope,
            own_addresses::OwnAddresses,
            transmit::Sender, //
        },
        work::{
            cond_resched,
            Periodic, //
        },
    },
    monitor::Monitor,
    token_bucket::TokenBucket, //
};
use client::{
    WaitingClients,
    WaitingWork, //
};
use connection::{
    established::EstablishedCache,
    held::{
        Held,
        HeldMemory, //
    },
    resets,
    syn_sent::{
        self,
        RetransmitWork,
        SynSentTable,
        Wait, //
    },
};
use cookie::{
    clocks::Clocks,
    sent::SentCookies,
    Cookies, //
};
use core::mem::MaybeUninit;
use floods::FloodWork;
use kernel::{
    alloc::flags::__GFP_NOWARN,
    prelude::*,
    sync::Arc, //
};
use server::servers::Servers;

/// Room for `count` connections and one more, or for as many as memory allows.
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

/// SYNPROXY's state for a network namespace.
pub(crate) struct Synproxy {
    cookies: Cookies,
    clocks: Clocks,
    sent: SentCookies,
    template: ProxyTemplate,
    servers: Arc<Servers>,
    monitor: Arc<Monitor>,
    flood_work: Periodic<FloodWork>,
    syn_sent: Arc<SynSentTable>,
    retransmit_work: Periodic<RetransmitWork>,
    waiting: Arc<WaitingClients>,
    waiting_work: Periodic<WaitingWork>,
    established: EstablishedCache,
    /// For what is held of clients.
    memory: Arc<HeldMemory>,
    /// Segments that are answered with resets.
    resets: TokenBucket,
    own_addresses: OwnAddresses,
}

impl Synproxy {
    /// No servers yet; no more than `held_max` bytes of clients' data are held. What happens to servers
    /// is told by `monitor`. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM` if there is not enough memory, `ENODEV` if the namespace is going away.
    pub(crate) fn new(
        scope: &Arc<Scope>,
        monitor: Arc<Monitor>,
        held_max: u32,
    ) -> Result<Arc<Self>> {
        let servers = Arc::new(Servers::new()?, GFP_KERNEL_ACCOUNT)?;
        let memory = Arc::new(HeldMemory::new(held_max), GFP_KERNEL_ACCOUNT)?;
        let syn_sent = SynSentTable::new(scope, servers.clone(), memory.clone())?;
        let waiting = WaitingClients::new(scope, servers.clone(), memory.clone())?;
        let synproxy = Self {
            cookies: Cookies::new(),
            clocks: Clocks::new(),
            sent: SentCookies::new()?,
            template: ProxyTemplate::new(scope)?,
            flood_work: Periodic::start(
                scope,
                FloodWork::new(servers.clone(), monitor.clone()),
                floods::IDLE,
            )?,
            monitor,
            servers,
            retransmit_work: Periodic::start(scope, RetransmitWork(syn_sent.clone()), 0)?,
            syn_sent,
            waiting_work: Periodic::start(scope, WaitingWork(waiting.clone()), 0)?,
            waiting,
            established: EstablishedCache::new()?,
            memory,
            resets: TokenBucket::new(),
            own_addresses: OwnAddresses::new(),
        };
        Ok(Arc::new(synproxy, GFP_KERNEL_ACCOUNT)?)
    }

    /// Waits for the answer to a SYN just sent, and holds the data that the client has sent
    /// already.
    fn wait(&self, wait: &Wait, held: Option<Held>) {
        if self.syn_sent.insert(wait, held) {
            self.retransmit_work.run_after(syn_sent::FIRST_DELAY);
        }
    }

    /// Whether there are connections, or may be some soon. May sleep.
    pub(crate) fn has_connections(&self) -> bool {
        !self.syn_sent.is_idle()
            || !self.waiting.is_idle()
            || has_connections(self.syn_sent.namespace())
    }

    /// Resets all connections on both sides, including those that servers have not answered: they
    /// cannot continue without SYNPROXY. May sleep.
    pub(crate) fn reset_connections(&self, scope: &Arc<Scope>) {
        let Ok(namespace) = scope.enter() else {
            return;
        };
        let sender = Sender::new(namespace);
        self.waiting.give_up_all();
        self.syn_sent.give_up_all();
        loop {
            // If memory is short, each pass ends as many connections as it has room for.
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
                cond_resched();
            }
            if ended.len() < size {
                return;
            }
        }
    }

    /// The first server in slot `slot` or after it, and the slot to continue from.
    pub(crate) fn server_from(&self, slot: usize) -> Option<(ServerReport, usize)> {
        self.servers.report_from(slot)
    }
}
