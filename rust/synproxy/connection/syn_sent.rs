// SPDX-License-Identifier: GPL-2.0

//! Connections that wait for the server's SYN-ACK.
//!
//! A client with a valid cookie considers its connection open and does not retransmit its SYN. So
//! this machine has to retransmit the SYN to the server, and to reset the client if the server does
//! not answer. Each connection waits in a table of fixed size from its SYN until the answer is
//! acknowledged. If there are too many, the one that has waited longest is dropped, and left to the
//! client's timeouts. The table also holds what the client sends meanwhile.

use super::{
    held::{
        self,
        HeldMemory, //
    },
    resets::reset, //
};
use crate::{
    kernel_api::{
        net::{
            netns::{
                NetworkNamespace,
                Scope, //
            },
            route::RoutingDomain,
            transmit::Sender, //
        },
        time::{
            jiffies32,
            time_after_eq, //
        },
        work::Background, //
    },
    synproxy::{
        prelude::*,
        server::servers::Servers,
        table::{
            ConnectionTable,
            Kept, //
        },
    },
};
use core::borrow::BorrowMut;

/// Seconds before each retransmission of the SYN and, last, before giving up: a client waits ten
/// seconds in all.
const DELAYS: [u32; 4] = [1, 2, 4, 3];

/// Jiffies until work may be due for a new connection.
pub(crate) const FIRST_DELAY: u32 = JIFFIES_PER_SECOND;

/// A connection that the server has not answered.
#[derive(Clone, Copy)]
pub(crate) struct Wait {
    /// The client's address and port, and the server's.
    pub(crate) endpoints: Endpoints,
    /// The sequence number of the SYN-ACK that the client got.
    pub(crate) cookie: u32,
    /// The SYN.
    pub(crate) fields: Fields,
    /// The SYN's options.
    pub(crate) options: Options,
    /// The window of the client's acknowledgement, as in its header.
    pub(crate) window: u16,
    /// The timestamp that the client got.
    pub(crate) stamp: Option<u32>,
    /// The routing domain of both addresses.
    pub(crate) domain: RoutingDomain,
}

impl Wait {
    /// With a minimal SYN.
    #[cfg(palisade_host)]
    pub(crate) fn plain(endpoints: Endpoints, cookie: u32) -> Self {
        Self {
            endpoints,
            cookie,
            fields: Fields {
                sequence: 0,
                acknowledgement: 0,
                flags: crate::packet::tcp::segment::flags::SYN,
                window: 1,
            },
            options: Options::default(),
            window: 1,
            stamp: None,
            domain: RoutingDomain::default(),
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        self.endpoints == other.endpoints && self.cookie == other.cookie
    }

    /// Composes the SYN again.
    pub(crate) fn syn(&self, time_to_live: u8) -> Result<NewPacket> {
        let (fields, options) = (&self.fields, &self.options);
        compose::packet(&self.endpoints, time_to_live, fields, options, &[])
    }

    /// Composes the acknowledgement of the server's SYN-ACK, with the numbers that the client
    /// knows.
    fn acknowledgement(&self, time_to_live: u8) -> Result<NewPacket> {
        let fields = Fields {
            sequence: self.fields.sequence.wrapping_add(1),
            acknowledgement: self.cookie.wrapping_add(1),
            flags: flags::ACK,
            window: self.window,
        };
        let stamps = self.options.timestamps.zip(self.stamp);
        let options = Options {
            timestamps: stamps.map(|(own, echo)| Timestamps { echo, ..own }),
            ..Options::default()
        };
        compose::packet(&self.endpoints, time_to_live, &fields, &options, &[])
    }

    /// Resets the client, whose connection does not exist. For process context.
    pub(crate) fn reset_client(&self, sender: &Sender) {
        let client = self.endpoints.reversed();
        let (next, received) = (
            self.cookie.wrapping_add(1),
            self.fields.sequence.wrapping_add(1),
        );
        let time_to_live = sender.initial_time_to_live(client.family);
        if let Ok(mut reset) = reset(&client, next, received, time_to_live) {
            reset.set_untracked();
            sender.send(reset, self.domain);
        }
    }
}

/// A connection that waits.
pub(crate) struct SynSentEntry {
    pub(crate) wait: Wait,
    /// What the server gets once it has answered.
    pub(crate) held: Option<Held>,
    /// Whether a SYN was retransmitted early.
    was_retransmitted_early: bool,
    /// How many SYNs were retransmitted on time.
    retransmits: usize,
    /// Jiffies when the next one is due.
    due: u32,
}

/// A connection that work is due for.
struct Due {
    wait: Wait,
    /// How many SYNs were retransmitted so far.
    retransmits: usize,
}

impl Kept for SynSentEntry {
    fn endpoints(&self) -> &Endpoints {
        &self.wait.endpoints
    }
}

impl SynSentEntry {
    /// Holds a segment, see [`held::hold`].
    fn hold(&mut self, memory: &Arc<HeldMemory>, skb: &Skb, segment: &Segment) -> Option<bool> {
        let first = self.wait.fields.sequence.wrapping_add(1);
        held::hold(&mut self.held, memory, first, skb, segment)
    }

    /// What is held for the server is lost.
    fn count_dropped(&self, servers: &Servers) {
        if self.held.is_some() {
            servers.count_dropped(&Endpoint::of_client(&self.wait.endpoints));
        }
    }

    fn is_due(&self, now: u32) -> bool {
        time_after_eq(now, self.due)
    }

    /// Ranks entries by how long they have waited: by their retransmissions, and of equally many by
    /// how soon the next one is due.
    fn age_rank(&self, now: u32) -> u64 {
        let late = now.wrapping_sub(self.due).wrapping_add(1 << 31);
        (self.retransmits as u64) << 32 | u64::from(late)
    }
}

/// The waiting connections.
pub(crate) struct SynSentTable {
    table: ConnectionTable<SynSentEntry>,
    sender: Sender,
    servers: Arc<Servers>,
    memory: Arc<HeldMemory>,
}

impl SynSentTable {
    /// An empty table; what is held takes this memory.
    pub(crate) fn new(
        scope: &Arc<Scope>,
        servers: Arc<Servers>,
        memory: Arc<HeldMemory>,
    ) -> Result<Arc<Self>> {
        let syn_sent = Self {
            table: ConnectionTable::new()?,
            sender: Sender::new(scope.enter()?),
            servers,
            memory,
        };
        Ok(Arc::new(syn_sent, GFP_KERNEL_ACCOUNT)?)
    }

    /// Waits for the answer to a SYN just sent, unless it is waited for already: the client's
    /// keep-alives send it again. Holds the first data of the client. Returns whether the caller has
    /// to schedule [`RetransmitWork`]: nothing was waiting before.
    pub(crate) fn insert(&self, wait: &Wait, mut held: Option<Held>) -> bool {
        let now = jiffies32();
        let entry = |held: Option<Held>| SynSentEntry {
            wait: *wait,
            held,
            was_retransmitted_early: false,
            retransmits: 0,
            due: now.wrapping_add(DELAYS[0].wrapping_mul(JIFFIES_PER_SECOND)),
        };
        self.table.with_ways(&wait.endpoints, |ways| {
            let mut entries = ways.iter_mut().flatten();
            if let Some(same) = entries.find(|entry| entry.wait.is_same(wait)) {
                if same.held.is_none() {
                    same.held = held.take();
                }
                return;
            }
            let urgency = |slot: &&mut Option<SynSentEntry>| match slot {
                None => (2, 0),
                Some(other) if other.wait.endpoints == wait.endpoints => (3, 0),
                Some(other) => (1, other.age_rank(now)),
            };
            if let Some(slot) = ways.iter_mut().max_by_key(urgency) {
                if let Some(other) = slot.replace(entry(held.take())) {
                    other.count_dropped(&self.servers);
                }
            }
        });
        self.table.has_grown()
    }

    /// The waiting connection between these endpoints.
    pub(crate) fn find(&self, endpoints: &Endpoints) -> Option<Wait> {
        self.table
            .with_slot(endpoints, |slot| Some(slot.as_ref()?.wait))
    }

    /// As [`SynSentTable::find`], if its SYN was not retransmitted.
    pub(crate) fn find_first(&self, endpoints: &Endpoints) -> Option<Wait> {
        self.table.with_slot(endpoints, |slot| {
            let entry = slot.as_ref()?;
            let was_retransmitted = entry.was_retransmitted_early || entry.retransmits != 0;
            (!was_retransmitted).then_some(entry.wait)
        })
    }

    /// As [`SynSentTable::find`], but only on the first call for each connection.
    pub(crate) fn hurry(&self, endpoints: &Endpoints) -> Option<Wait> {
        self.table.with_slot(endpoints, |slot| {
            let entry = slot.as_mut()?;
            let was_early = core::mem::replace(&mut entry.was_retransmitted_early, true);
            (!was_early).then_some(entry.wait)
        })
    }

    /// Holds data, or a FIN, that the client of a connection sends before its server's answer is
    /// acknowledged. Returns whether the segment is one of these; it must not go on then, also if it
    /// is dropped.
    pub(crate) fn hold<S: BorrowMut<Skb>>(
        &self,
        packet: &Packet<'_, S>,
        segment: &Segment,
        endpoints: &Endpoints,
        proxy_state: &ProxyState<'_>,
    ) -> bool {
        let (skb, cookie) = (packet.skb(), proxy_state.cookie());
        if segment.acknowledgement != cookie.wrapping_add(1)
            || held::length(skb, segment).is_none()
            // A segment of our own will carry the data, and be right.
            || !skb.has_right_checksum(packet.context(), segment.offset, IPPROTO_TCP)
        {
            return false;
        }
        let is_held = self.table.with_slot(endpoints, |slot| {
            let entry = slot.as_mut().filter(|entry| entry.wait.cookie == cookie)?;
            entry.hold(&self.memory, skb, segment)
        });
        if is_held == Some(false) {
            self.servers.count_dropped(&Endpoint::of_client(endpoints));
        }
        is_held.is_some()
    }

    /// The sequence number of the client that follows what is held, which the server does not expect
    /// yet; `None` if nothing is held.
    pub(crate) fn next_held(&self, endpoints: &Endpoints) -> Option<u32> {
        self.table.with_slot(endpoints, |slot| {
            let entry = slot.as_ref()?;
            let held = entry.held.as_ref()?;
            let first = entry.wait.fields.sequence.wrapping_add(1);
            let length = Some(held.sequence_length()).filter(|length| *length > 0)?;
            Some(first.wrapping_add(length))
        })
    }

    /// The server has answered. Returns what was held for it.
    pub(crate) fn end(&self, endpoints: &Endpoints) -> Option<Held> {
        self.take(endpoints)?.held
    }

    /// Takes the connection between these endpoints out: nothing waits for its server any more.
    pub(crate) fn take(&self, endpoints: &Endpoints) -> Option<SynSentEntry> {
        self.table.with_slot(endpoints, Option::take)
    }

    /// Waits again for what was taken out, if its place is free still.
    #[cold]
    pub(crate) fn put_back(&self, entry: SynSentEntry) {
        let endpoints = entry.wait.endpoints;
        self.table.with_ways(&endpoints, |ways| {
            if let Some(slot) = ways.iter_mut().find(|slot| slot.is_none()) {
                *slot = Some(entry);
            }
        });
    }

    /// The namespace of the connections.
    pub(crate) fn namespace(&self) -> &NetworkNamespace {
        self.sender.namespace()
    }

    /// Whether nothing waits.
    #[inline]
    pub(crate) fn is_idle(&self) -> bool {
        self.table.is_idle()
    }

    /// Does the work that is due for a connection. Returns whether to keep waiting.
    fn retransmit_work(&self, entry: &Due) -> bool {
        let wait = &entry.wait;
        let Some(found) = FoundConnection::look_up(self.sender.namespace(), &wait.endpoints) else {
            // A rule dropped the SYN, or a program still holds it (NFQUEUE).
            if entry.retransmits == 0 {
                return true;
            }
            self.give_up(wait);
            return false;
        };
        let connection = found.connection();
        let Some(proxy_state) = ProxyState::of(&connection) else {
            return false;
        };
        let time_to_live = self.sender.initial_time_to_live(wait.endpoints.family);
        if proxy_state.has(Flag::Opened) {
            // The server has not repeated its SYN-ACK, and may wait for an acknowledgement.
            if !proxy_state.has(Flag::Acknowledged) {
                proxy_state.set_acknowledged();
                if let Ok(acknowledgement) = wait.acknowledgement(time_to_live) {
                    self.sender.send(acknowledgement, wait.domain);
                }
                if let Some(entry) = self.take(&wait.endpoints) {
                    entry.count_dropped(&self.servers);
                }
            }
            return false;
        }
        if proxy_state.has(Flag::GivenUp) {
            return false;
        }
        // Rules may have dropped the SYN-ACK that connection tracking saw: the server may have
        // given up on the client since (`reqsk_timer_handler`), and then only answers another SYN.
        // If a rule reset the server in answer to its SYN-ACK, connection tracking has closed the
        // connection (`nf_ct_set_closing`): another SYN would only bring another reset.
        let is_over = connection.tcp_state() == TcpState::Over;
        if !is_over && entry.retransmits.wrapping_add(1) < DELAYS.len() {
            if let Ok(syn) = wait.syn(time_to_live) {
                self.sender.send(syn, wait.domain);
            }
            return true;
        }
        connection.end();
        self.give_up(wait);
        false
    }

    /// Resets the client.
    fn give_up(&self, wait: &Wait) {
        let endpoint = Endpoint::of_client(&wait.endpoints);
        self.servers.count(&endpoint, ConnectResult::Unanswered);
        wait.reset_client(&self.sender);
    }

    /// Forgets all waiting connections, and resets the clients of those that connection tracking
    /// does not know since rules did not let the SYN out. May sleep.
    pub(crate) fn give_up_all(&self) {
        self.table.take_all(|SynSentEntry { wait, .. }| {
            if FoundConnection::look_up(self.namespace(), &wait.endpoints).is_none() {
                self.give_up(wait);
            }
        });
    }

    /// Schedules the next retransmission, or stops waiting.
    fn reschedule(&self, due: &Due, is_over: bool, now: u32) {
        self.table.with_slot(&due.wait.endpoints, |slot| {
            let entry = slot
                .as_mut()
                .filter(|entry| entry.wait.is_same(&due.wait))?;
            if is_over {
                *slot = None;
                return Some(());
            }
            let retransmits = due.retransmits.wrapping_add(1);
            let delay = DELAYS.get(retransmits).copied().unwrap_or(1);
            entry.retransmits = retransmits;
            entry.due = now.wrapping_add(delay.wrapping_mul(JIFFIES_PER_SECOND));
            Some(())
        });
    }

    /// Does the work due in one range of slots. Returns whether any of them was in use.
    fn run_batch(&self, first: usize, due: &mut KVec<Due>) -> bool {
        let now = jiffies32();
        due.clear();
        let is_left = self.table.with_step(first, |slots| {
            let mut is_left = false;
            for entry in slots.flatten() {
                is_left = true;
                if entry.is_due(now) && due.len() < due.capacity() {
                    // There is room, so nothing is allocated.
                    let one = Due {
                        wait: entry.wait,
                        retransmits: entry.retransmits,
                    };
                    let _ = due.push(one, GFP_ATOMIC);
                }
            }
            is_left
        });
        for entry in due.iter() {
            let goes_on = self.retransmit_work(entry);
            self.reschedule(entry, !goes_on, now);
        }
        is_left
    }
}

/// Retransmits SYNs, and gives up on servers that do not answer.
pub(crate) struct RetransmitWork(pub(crate) Arc<SynSentTable>);

impl Background for RetransmitWork {
    fn run(&self) -> u32 {
        let syn_sent = &self.0;
        (syn_sent.table).work(|first, due| syn_sent.run_batch(first, due))
    }
}
