// SPDX-License-Identifier: GPL-2.0

//! Clients that have returned a cookie, and whose server is chosen by what they say first.
//!
//! They are kept in a table of fixed size until their first bytes are there. If there are too many,
//! one that has said nothing gives way, the oldest first; it opens its connection when it says
//! something, as its first data carries the cookie, too. A client that says nothing in time may wait
//! for its server to speak first. It is sent a keep-alive, and its answer opens the connection: there
//! is no other packet that could take the way of the client's packets through all rules.

use super::opening::Opening;
use crate::{
    content,
    kernel_api::{
        net::{
            netns::Scope,
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
        connection::held::{
            self,
            HeldMemory, //
        },
        prelude::*,
        server::servers::{
            Servers,
            WaitResult, //
        },
        table::{
            ConnectionTable,
            Kept, //
        },
    },
};

/// How many keep-alives a client may leave without an answer. They are a second apart.
const KEEP_ALIVES_MAX: u32 = 3;

/// A client is told what has arrived from so many segments on. Few ClientHellos and requests have more,
/// and a client sends no fewer at once (RFC 3390).
const TOLD_FROM: u32 = 3;

/// A client that waits.
struct Waiting {
    opening: Opening,
    held: Option<Held>,
    /// Jiffies when its connection is opened whatever it has said.
    until: u32,
    /// Jiffies when a keep-alive is due.
    due: u32,
    keep_alives: u32,
    /// How many segments with data have come.
    segments: u32,
}

impl Kept for Waiting {
    fn endpoints(&self) -> &Endpoints {
        &self.opening.wait.endpoints
    }
}

impl Waiting {
    fn new(opening: Opening, until: u32) -> Self {
        Self {
            opening,
            held: None,
            until,
            due: until,
            keep_alives: 0,
            segments: 0,
        }
    }

    /// Whether a segment is this client's, by its number of the server.
    fn is_sender(&self, segment: &Segment) -> bool {
        segment.acknowledgement == self.opening.wait.cookie.wrapping_add(1)
    }

    /// Why its connection can be opened.
    fn reason(&self, now: u32) -> Option<WaitResult> {
        let has_said_all = self.held.as_ref().is_some_and(|held| {
            held.flags & flags::FIN != 0
                || !held.bytes().is_empty() && content::is_whole(held.bytes())
        });
        if has_said_all {
            Some(WaitResult::ByData)
        } else {
            time_after_eq(now, self.until).then_some(WaitResult::ByTimeout)
        }
    }

    /// Ranks clients by how soon they give way: who has said nothing before all others, and then who
    /// has waited longest.
    fn age_rank(&self, now: u32) -> u64 {
        let late = now.wrapping_sub(self.until).wrapping_add(1 << 31);
        u64::from(self.held.is_none()) << 32 | u64::from(late)
    }

    /// A segment that the client answers, whatever it has said: one byte before what it expects
    /// (RFC 9293, section 3.8.4).
    fn keep_alive(&self, time_to_live: u8) -> Result<NewPacket> {
        self.segment(self.opening.wait.cookie, None, time_to_live)
    }

    /// A segment that tells the client that it can send more, if it may have to be told. Only a server
    /// can acknowledge what it says. So it is told that all but the first byte have come, which
    /// makes room for more (RFC 2018, RFC 6675), and which it does not rely on.
    fn told(&self, time_to_live: u8) -> Option<NewPacket> {
        let (opening, held) = (&self.opening, self.held.as_ref()?);
        let second = opening.wait.fields.sequence.wrapping_add(2);
        let more = held.sequence_length().checked_sub(1)?;
        if self.segments < TOLD_FROM || more == 0 {
            return None;
        }
        let block = (second, second.wrapping_add(more));
        let block = opening.agreement.sack.then_some(block);
        let next = opening.wait.cookie.wrapping_add(1);
        self.segment(next, block, time_to_live).ok()
    }

    /// A segment to the client, which acknowledges nothing of what it has said.
    fn segment(
        &self,
        sequence: u32,
        received: Option<(u32, u32)>,
        time_to_live: u8,
    ) -> Result<NewPacket> {
        let Opening { wait, agreement } = &self.opening;
        let window = content::LENGTH_MAX as u16;
        let fields = Fields {
            sequence,
            acknowledgement: wait.fields.sequence.wrapping_add(1),
            flags: flags::ACK,
            window: window.wrapping_shr(agreement.advertised_wscale().unwrap_or(0).into()),
        };
        let stamps = wait.options.timestamps.zip(wait.stamp);
        let options = Options {
            timestamps: stamps.map(|(client, own)| Timestamps {
                value: own,
                echo: client.value,
            }),
            received,
            ..Options::default()
        };
        let client = wait.endpoints.reversed();
        let mut packet = compose::packet(&client, time_to_live, &fields, &options, &[])?;
        // It has no connection.
        packet.set_untracked();
        Ok(packet)
    }
}

/// What becomes of a client's segment. It is only on the stack, where a box would be an allocation for
/// each connection.
#[allow(clippy::large_enum_variant)]
pub(super) enum Step {
    /// Nobody waits who could have sent it.
    Unknown,
    /// It is kept, or not needed. It does not go on. This is the answer, if there is one.
    Wait(Option<NewPacket>),
    /// It opens the connection, with this data.
    Open(Opening, Option<Held>),
}

/// The clients that wait.
pub(crate) struct WaitingClients {
    table: ConnectionTable<Waiting>,
    sender: Sender,
    servers: Arc<Servers>,
    memory: Arc<HeldMemory>,
}

impl WaitingClients {
    /// Nobody waits yet; what is held takes this memory.
    pub(crate) fn new(
        scope: &Arc<Scope>,
        servers: Arc<Servers>,
        memory: Arc<HeldMemory>,
    ) -> Result<Arc<Self>> {
        let clients = Self {
            table: ConnectionTable::new()?,
            sender: Sender::new(scope.enter()?),
            servers,
            memory,
        };
        Ok(Arc::new(clients, GFP_KERNEL_ACCOUNT)?)
    }

    /// Whether nobody waits.
    #[inline]
    pub(crate) fn is_idle(&self) -> bool {
        self.table.is_idle()
    }

    /// Whether a segment is that of a client that waits.
    pub(super) fn has_sender(&self, endpoints: &Endpoints, segment: &Segment) -> bool {
        let is_it = |slot: &mut Option<Waiting>| {
            let waiting = slot.as_ref()?;
            waiting.is_sender(segment).then_some(())
        };
        !self.is_idle() && self.table.with_slot(endpoints, is_it).is_some()
    }

    /// Has a client wait that has returned its cookie just now, for `patience` jiffies, unless it
    /// waits already. Returns whether it is new, so that [`WaitingWork`] may have to be scheduled, see
    /// [`Self::has_grown`].
    pub(super) fn insert(&self, opening: Opening, patience: u32) -> bool {
        let now = jiffies32();
        let (endpoints, cookie) = (opening.wait.endpoints, opening.wait.cookie);
        let new = Waiting::new(opening, now.wrapping_add(patience));
        let replaced = self.table.with_ways(&endpoints, |ways| {
            let is_same =
                |one: &Waiting| *one.endpoints() == endpoints && one.opening.wait.cookie == cookie;
            if ways.iter().flatten().any(is_same) {
                return None;
            }
            let urgency = |slot: &&mut Option<Waiting>| match slot {
                None => (1, 0),
                Some(other) if *other.endpoints() == endpoints => (2, 0),
                Some(other) => (0, other.age_rank(now)),
            };
            let slot = ways.iter_mut().max_by_key(urgency)?;
            Some(slot.replace(new))
        });
        let Some(replaced) = replaced else {
            return false;
        };
        let server = Endpoint::of_client(&endpoints);
        self.servers.count_waited(&server, WaitResult::Begun);
        if let Some(other) = replaced {
            self.give_up(&other);
        }
        true
    }

    /// See [`ConnectionTable::has_grown`].
    pub(super) fn has_grown(&self) -> bool {
        self.table.has_grown()
    }

    /// Takes in what a client says that waits.
    pub(super) fn receive(&self, endpoints: &Endpoints, skb: &Skb, segment: &Segment) -> Step {
        let now = jiffies32();
        let mut is_held = None;
        let mut result = None;
        let step = self.table.with_slot(endpoints, |slot| {
            let waiting = slot.as_mut().filter(|waiting| waiting.is_sender(segment))?;
            let first = waiting.opening.wait.fields.sequence.wrapping_add(1);
            is_held = held::hold(&mut waiting.held, &self.memory, first, skb, segment);
            result = waiting.reason(now);
            if result.is_none() {
                waiting.segments = (waiting.segments).saturating_add(is_held.is_some().into());
                let time_to_live = self.sender.initial_time_to_live(endpoints.family);
                return Some(Step::Wait(waiting.told(time_to_live)));
            }
            let Waiting { opening, held, .. } = slot.take()?;
            Some(Step::Open(opening, held))
        });
        let server = Endpoint::of_client(endpoints);
        if is_held == Some(false) {
            self.servers.count_dropped(&server);
        }
        if let Some(result) = result {
            self.servers.count_waited(&server, result);
        }
        step.unwrap_or(Step::Unknown)
    }

    /// Nobody waits any more for what this client says.
    #[cold]
    fn give_up(&self, waiting: &Waiting) {
        let server = Endpoint::of_client(waiting.endpoints());
        self.servers.count_waited(&server, WaitResult::GivenUp);
        if waiting.held.is_some() {
            self.servers.count_dropped(&server);
        }
    }

    /// Resets all clients that wait. May sleep.
    pub(crate) fn give_up_all(&self) {
        self.table.take_all(|waiting| {
            self.give_up(waiting);
            waiting.opening.wait.reset_client(&self.sender);
        });
    }

    /// The keep-alive that is due for a client, and where it is routed. One that was sent enough of them
    /// is given up.
    fn keep_alive_due(
        &self,
        slot: &mut Option<Waiting>,
        now: u32,
    ) -> Option<(NewPacket, RoutingDomain)> {
        let waiting = slot
            .as_mut()
            .filter(|waiting| time_after_eq(now, waiting.due))?;
        if waiting.keep_alives == KEEP_ALIVES_MAX {
            self.give_up(&slot.take()?);
            return None;
        }
        waiting.keep_alives = waiting.keep_alives.wrapping_add(1);
        waiting.due = now.wrapping_add(JIFFIES_PER_SECOND);
        let wait = &waiting.opening.wait;
        let time_to_live = self.sender.initial_time_to_live(wait.endpoints.family);
        let keep_alive = waiting.keep_alive(time_to_live).ok()?;
        Some((keep_alive, wait.domain))
    }

    /// Sends what is due in one range of slots. Returns whether any of them was in use.
    fn run_step(&self, first: usize, due: &mut KVec<(NewPacket, RoutingDomain)>) -> bool {
        let now = jiffies32();
        let is_any = self.table.with_step(first, |slots| {
            let mut is_any = false;
            for slot in slots {
                is_any |= slot.is_some();
                if let Some(one) = self.keep_alive_due(slot, now) {
                    // There is room, so nothing is allocated.
                    let _ = due.push(one, GFP_ATOMIC);
                }
            }
            is_any
        });
        while let Some((keep_alive, domain)) = due.pop() {
            self.sender.send(keep_alive, domain);
        }
        is_any
    }
}

/// Has clients that say nothing open their connections.
pub(crate) struct WaitingWork(pub(crate) Arc<WaitingClients>);

impl Background for WaitingWork {
    fn run(&self) -> u32 {
        let clients = &self.0;
        (clients.table).work(|first, due| clients.run_step(first, due))
    }
}
