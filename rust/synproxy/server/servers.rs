// SPDX-License-Identifier: GPL-2.0

//! What is known of the servers behind SYNPROXY: their options, the rate of their SYNs, and how
//! connections to them went.
//!
//! A lockless table of fixed size. Nothing depends on its contents: if two servers get the same
//! slot at once, or an entry is read while it is written, a client is offered options that its
//! server does not use, and those are translated.

use super::{
    clamps::Clamps,
    floods::{
        FloodChange,
        FloodState, //
    },
};
use crate::{
    kernel_api::{
        net::listeners::Offer,
        time::{
            jiffies32,
            jiffies64, //
        },
    },
    monitor::LearnedOptions,
    packet::Address,
    synproxy::prelude::*, //
};

/// The window scale of an unknown server: what Linux uses with its default buffer sizes.
pub(crate) const SCALE_DEFAULT: u8 = 7;

/// The maximum number of known servers. A fuzzer creates the table for each run.
const CAPACITY: usize = if cfg!(fuzzing) { 64 } else { 4096 };

/// Slots per server; if all are taken, the least recently used entry is replaced.
const WAYS: usize = 8;

/// Jiffies after which a server is asked again for options that it did not use: a minute.
const RELEARN: u32 = 60 * JIFFIES_PER_SECOND;

const IS_KNOWN: u32 = 1 << 31;
const HAS_SCALE: u32 = 1 << 30;
const HAS_SACK: u32 = 1 << 29;
const HAS_TIMESTAMPS: u32 = 1 << 28;
const HAS_ECN: u32 = 1 << 27;
const IS_LOCAL: u32 = 1 << 26;
/// Of an offer.
const HAS_MSS: u32 = 1 << 25;
/// Of an offer.
const HAS_ROOM: u32 = 1 << 24;
const SCALE_SHIFT: u32 = 16;

/// The options that a server was seen to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ServerOptions {
    /// MSS, in bytes. For a server on this machine, the one that its last client was sent.
    pub(crate) mss: u16,
    /// Window scale, if it scales windows.
    pub(crate) scale: Option<u8>,
    /// SACK.
    pub(crate) sack: bool,
    /// Timestamps.
    pub(crate) timestamps: bool,
    /// ECN.
    pub(crate) ecn: bool,
    /// It is on this machine, so its MSS depends on the route to each client.
    pub(crate) is_local: bool,
    /// The window of its last SYN-ACK, in bytes.
    pub(crate) window: u16,
}

impl ServerOptions {
    /// What is told of them.
    pub(crate) fn learned(&self) -> LearnedOptions {
        LearnedOptions {
            mss: self.mss,
            scale: self.scale,
            sack: self.sack,
            timestamps: self.timestamps,
            ecn: self.ecn,
        }
    }

    /// Whether it uses all options that an unknown server is asked for.
    #[inline]
    fn is_full(&self) -> bool {
        self.scale.is_some() && self.sack && self.timestamps
    }

    /// Whether a server has these options still. The MSS of one on this machine is its client's.
    fn is_like(self, before: &Self) -> bool {
        let comparable = |options: Self| Self {
            mss: if options.is_local { 0 } else { options.mss },
            window: 0,
            ..options
        };
        comparable(self) == comparable(*before)
    }

    /// What this server and others can do: those that a client may get to.
    fn common(self, others: &Self) -> Self {
        Self {
            mss: self.mss.min(others.mss),
            scale: (self.scale.zip(others.scale)).map(|(own, other)| own.min(other)),
            sack: self.sack && others.sack,
            timestamps: self.timestamps && others.timestamps,
            ecn: self.ecn && others.ecn,
            is_local: self.is_local && others.is_local,
            window: self.window.min(others.window),
        }
    }

    /// All of it but the window.
    fn pack(self) -> u32 {
        let flag = |is_set, flag| if is_set { flag } else { 0 };
        IS_KNOWN
            | u32::from(self.mss)
            | self
                .scale
                .map_or(0, |scale| HAS_SCALE | u32::from(scale) << SCALE_SHIFT)
            | flag(self.sack, HAS_SACK)
            | flag(self.timestamps, HAS_TIMESTAMPS)
            | flag(self.ecn, HAS_ECN)
            | flag(self.is_local, IS_LOCAL)
    }

    fn unpack(word: u32, window: u32) -> Option<Self> {
        (word & IS_KNOWN != 0).then_some(Self {
            mss: word as u16,
            scale: (word & HAS_SCALE != 0).then_some((word >> SCALE_SHIFT & 0xf) as u8),
            sack: word & HAS_SACK != 0,
            timestamps: word & HAS_TIMESTAMPS != 0,
            ecn: word & HAS_ECN != 0,
            is_local: word & IS_LOCAL != 0,
            window: window as u16,
        })
    }
}

/// A report on a server.
pub(crate) struct ServerReport {
    /// The address family.
    pub(crate) family: Family,
    /// The address that clients use.
    pub(crate) address: Address,
    /// The port that clients use, in host byte order.
    pub(crate) port: u16,
    /// Connections it accepted.
    pub(crate) opened: u32,
    /// Those of them that a socket of this host took over.
    pub(crate) handed_over: u32,
    /// Connections it refused.
    pub(crate) refused: u32,
    /// Connections for which it was not reached.
    pub(crate) unanswered: u32,
    /// How often early data of clients was dropped, so that they had to send it again.
    pub(crate) dropped: u32,
    /// Clients that had to say something before they were connected, by what became of it, see
    /// [`WaitResult`].
    pub(crate) waited: [u32; WAIT_RESULTS],
    /// Its options, if they are known.
    pub(crate) options: Option<ServerOptions>,
    /// Jiffies since the entry was last used.
    pub(crate) age: u32,
}

/// The result of a connection attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConnectResult {
    /// Accepted.
    Opened,
    /// Accepted: a socket of this host took it over.
    HandedOver,
    /// Reset.
    Refused,
    /// The server was not reached.
    Unanswered,
}

/// What becomes of a client that has to say something before it is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WaitResult {
    /// It has begun to wait. All others end that.
    Begun,
    /// It has said all that rules can look for.
    ByData,
    /// Its time was over.
    ByTimeout,
    /// It had to give way to others, or was gone.
    GivenUp,
}

/// How many [`WaitResult`]s there are.
const WAIT_RESULTS: usize = 4;

/// What a server's SYN-ACK says.
#[derive(Clone, Copy)]
pub(crate) struct Said<'a> {
    /// Its options.
    pub(crate) options: &'a Options,
    /// Whether it uses ECN, if it was asked.
    pub(crate) ecn: Option<bool>,
    /// Its window, in bytes.
    pub(crate) window: u16,
    /// The server is on this machine.
    pub(crate) is_local: bool,
    /// Rules have chosen this server for the client, and may choose another one for the next.
    pub(crate) was_chosen: bool,
}

/// What is known of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// It was connected to, and said this.
    Server(ServerOptions),
    /// It is a socket of this host, which would say this, and will get the connection itself.
    Listener(Offer),
    /// Nobody was connected to it yet.
    Nothing,
}

/// A slot of the table.
struct Server {
    address: [Word; 4],
    /// The port, and the IP version above it; 0 if the slot is free.
    port: Word,
    options: Word,
    window: Word,
    /// What a socket of this host would say, see [`pack_offer`].
    offer: [Word; 2],
    /// Jiffies when it would have said that.
    offered: Word,
    /// Jiffies when a client last asked for all options.
    learned: Word,
    /// Jiffies when the entry was last used.
    used: Word,
    opened: Atomic<i32>,
    handed_over: Atomic<i32>,
    refused: Atomic<i32>,
    unanswered: Atomic<i32>,
    dropped: Atomic<i32>,
    waited: [Atomic<i32>; WAIT_RESULTS],
    flood: FloodState,
}

/// A server's address and port.
#[derive(Clone, Copy)]
pub(crate) struct Endpoint {
    /// The address family.
    pub(crate) family: Family,
    /// The address.
    pub(crate) address: Address,
    /// The port, in host byte order.
    pub(crate) port: u16,
}

impl Endpoint {
    /// The destination of a client's packets.
    pub(crate) fn of_client(endpoints: &Endpoints) -> Self {
        let ((_, address), (_, port)) = (endpoints.addresses, endpoints.ports);
        Self {
            family: endpoints.family,
            address: Address::new(address),
            port: u16::from_be_bytes(port),
        }
    }

    fn tag(&self) -> u32 {
        self.family.version() << 16 | u32::from(self.port)
    }
}

/// Packs an offer for a route without limits. It is never zero.
fn pack_offer(offer: &Offer) -> [u32; 2] {
    let options = ServerOptions {
        mss: offer.mss.unwrap_or(0),
        scale: offer.scale,
        sack: offer.sack,
        timestamps: offer.timestamps,
        ecn: offer.ecn,
        is_local: false,
        window: 0,
    };
    let flag = |is_set, flag| if is_set { flag } else { 0 };
    let more = flag(offer.mss.is_some(), HAS_MSS) | flag(offer.has_room, HAS_ROOM);
    [options.pack() | more, offer.space]
}

fn unpack_offer([word, space]: [u32; 2]) -> Option<Offer> {
    let options = ServerOptions::unpack(word, 0)?;
    Some(Offer {
        mss: (word & HAS_MSS != 0).then_some(options.mss),
        space,
        initial_window: 0,
        scale: options.scale,
        sack: options.sack,
        timestamps: options.timestamps,
        ecn: options.ecn,
        has_room: word & HAS_ROOM != 0,
    })
}

impl Server {
    const fn new() -> Self {
        Self {
            address: [const { Word::new(0) }; 4],
            port: Word::new(0),
            options: Word::new(0),
            window: Word::new(0),
            offer: [const { Word::new(0) }; 2],
            offered: Word::new(0),
            learned: Word::new(0),
            used: Word::new(0),
            opened: Atomic::new(0),
            handed_over: Atomic::new(0),
            refused: Atomic::new(0),
            unanswered: Atomic::new(0),
            dropped: Atomic::new(0),
            waited: [const { Atomic::new(0) }; WAIT_RESULTS],
            flood: FloodState::new(),
        }
    }

    #[inline]
    fn is(&self, endpoint: &Endpoint) -> bool {
        let words = endpoint.address.words();
        self.port.load() == endpoint.tag()
            && (self.address.iter().zip(words)).all(|(word, other)| word.load() == other)
    }

    /// Its address and port; `None` if the slot is free.
    fn endpoint(&self) -> Option<Endpoint> {
        let tag = self.port.load();
        Some(Endpoint {
            family: Family::from_version(tag >> 16)?,
            address: Address::new(self.address.each_ref().map(Word::load)),
            port: tag as u16,
        })
    }

    fn known_options(&self) -> Option<ServerOptions> {
        ServerOptions::unpack(self.options.load(), self.window.load())
    }

    /// Its options. After [`RELEARN`], those it did not use count as unknown: a client that is not
    /// offered an option does not ask the server for it.
    #[inline]
    fn options(&self) -> Option<ServerOptions> {
        let options = self.known_options()?;
        let age = jiffies32().wrapping_sub(self.learned.load());
        if options.is_full() || age < RELEARN {
            return Some(options);
        }
        Some(ServerOptions {
            mss: options.mss,
            scale: options.scale.or(Some(SCALE_DEFAULT)),
            sack: true,
            timestamps: true,
            ecn: options.ecn,
            is_local: options.is_local,
            window: options.window,
        })
    }

    fn set_offer(&self, words: [u32; 2], now: u32) {
        for (word, value) in self.offer.iter().zip(words) {
            word.store(value);
        }
        self.offered.store(now);
    }

    /// What a socket of this host would have said in the same jiffy. A flood does not look it up for
    /// each of its SYNs.
    #[inline]
    fn offer(&self, now: u32) -> Option<Offer> {
        let is_fresh = self.offered.load() == now;
        unpack_offer(self.offer.each_ref().map(Word::load)).filter(|_| is_fresh)
    }

    fn become_server(&self, endpoint: &Endpoint) {
        self.port.store(0);
        for (word, value) in self.address.iter().zip(endpoint.address.words()) {
            word.store(value);
        }
        self.options.store(0);
        self.set_offer([0; 2], 0);
        self.opened.store(0, Relaxed);
        self.handed_over.store(0, Relaxed);
        self.refused.store(0, Relaxed);
        self.unanswered.store(0, Relaxed);
        self.dropped.store(0, Relaxed);
        for counter in &self.waited {
            counter.store(0, Relaxed);
        }
        self.flood.clear();
        self.port.store(endpoint.tag());
    }
}

/// The servers of a network namespace.
pub(crate) struct Servers {
    key: HashKey,
    slots: KVVec<Server>,
    /// What rules leave of the MSS, by device.
    pub(crate) clamps: Clamps,
}

impl Servers {
    /// No servers yet.
    pub(crate) fn new() -> Result<Self> {
        let mut slots = KVVec::with_capacity(CAPACITY, GFP_KERNEL_ACCOUNT)?;
        for _ in 0..CAPACITY {
            slots.push(Server::new(), GFP_KERNEL_ACCOUNT)?;
        }
        Ok(Self {
            key: HashKey::random(),
            slots,
            clamps: Clamps::new(),
        })
    }

    #[inline]
    fn ways(&self, endpoint: &Endpoint) -> &[Server] {
        let [a, b, c, d] = endpoint.address.words();
        let hash = match endpoint.family {
            Family::Ipv4 => self.key.hash_pair(a, endpoint.tag()),
            // Hash every word with the key: clients choose some of the addresses that they send
            // SYNs to.
            Family::Ipv6 => self.key.hash(&[a, b, c, d, endpoint.tag()]),
        };
        let first = (hash as usize % (CAPACITY / WAYS)).wrapping_mul(WAYS);
        let ways = self.slots.get(first..).unwrap_or_default();
        ways.get(..WAYS).unwrap_or_default()
    }

    #[inline]
    fn find(&self, endpoint: &Endpoint) -> Option<&Server> {
        self.ways(endpoint)
            .iter()
            .find(|server| server.is(endpoint))
    }

    fn find_or_make(&self, endpoint: &Endpoint) -> Option<&Server> {
        let found = self.find(endpoint);
        if found.is_some() {
            return found;
        }
        let now = jiffies32();
        let idleness = |server: &Server| match server.port.load() {
            0 => u32::MAX,
            // Another CPU may have used it just after `now` was read.
            _ => (now.wrapping_sub(server.used.load()) as i32).max(0) as u32,
        };
        let server = self
            .ways(endpoint)
            .iter()
            .max_by_key(|server| idleness(server))?;
        let is_crowded = idleness(server) < JIFFIES_PER_SECOND;
        server.become_server(endpoint);
        if is_crowded {
            // A flood to more servers than there are slots: if each new one started with its burst,
            // all SYNs would pass.
            server.flood.note(now.into());
        }
        server.used.store(now);
        Some(server)
    }

    /// What is known of a server at `now`, in jiffies.
    #[inline]
    pub(crate) fn known(&self, endpoint: &Endpoint, now: u32) -> Known {
        let Some(server) = self.find(endpoint) else {
            return Known::Nothing;
        };
        match server.options() {
            Some(options) => Known::Server(options),
            None => server.offer(now).map_or(Known::Nothing, Known::Listener),
        }
    }

    /// The server's options, if known.
    #[inline]
    pub(crate) fn options(&self, endpoint: &Endpoint) -> Option<ServerOptions> {
        self.find(endpoint)?.options()
    }

    /// Remembers for a moment what a socket of this host says to clients whose route has no limits.
    #[cold]
    pub(crate) fn remember(&self, endpoint: &Endpoint, offer: &Offer, now: u32) {
        if let Some(server) = self.find_or_make(endpoint) {
            server.set_offer(pack_offer(offer), now);
            server.used.store(now);
        }
    }

    /// Records what a SYN-ACK has said that accepted a connection. An option that the client did not
    /// ask for, see `asked`, tells nothing about the server. Returns the server's options if they are
    /// others than before.
    pub(crate) fn learn(
        &self,
        endpoint: &Endpoint,
        asked: &Options,
        said: &Said<'_>,
    ) -> Option<ServerOptions> {
        let server = self.find_or_make(endpoint)?;
        let (before, announced) = (server.known_options(), said.options);
        let options = ServerOptions {
            mss: announced.mss.unwrap_or(MSS_DEFAULT),
            scale: match asked.scale {
                Some(_) => announced.scale,
                None => before.map_or(Some(SCALE_DEFAULT), |before| before.scale),
            },
            sack: match asked.sack {
                true => announced.sack,
                false => before.is_none_or(|before| before.sack),
            },
            timestamps: match asked.timestamps {
                Some(_) => announced.timestamps.is_some(),
                None => before.is_none_or(|before| before.timestamps),
            },
            ecn: (said.ecn).unwrap_or(before.is_some_and(|before| before.ecn)),
            is_local: said.is_local,
            window: said.window,
        };
        let age = jiffies32().wrapping_sub(server.learned.load());
        let others = before.filter(|_| said.was_chosen && age < RELEARN);
        let options = others.map_or(options, |others| options.common(&others));
        server.window.store(options.window.into());
        server.options.store(options.pack());
        if asked.scale.is_some() && asked.sack && asked.timestamps.is_some() {
            server.learned.store(jiffies32());
        }
        let is_same = before.is_some_and(|before| before.is_like(&options));
        (!is_same).then_some(options)
    }

    /// Forgets the options of a server whose connections nobody translates any more. Returns whether
    /// they were known.
    pub(crate) fn forget(&self, endpoint: &Endpoint) -> bool {
        let server = self.find(endpoint);
        server.is_some_and(|server| {
            let was_known = server.known_options().is_some();
            if was_known {
                server.options.store(0);
            }
            was_known
        })
    }

    /// Counts the result of a connection attempt.
    pub(crate) fn count(&self, endpoint: &Endpoint, attempt: ConnectResult) {
        let Some(server) = self.find_or_make(endpoint) else {
            return;
        };
        if attempt == ConnectResult::HandedOver {
            server.handed_over.fetch_add(1, Relaxed);
        }
        let counter = match attempt {
            ConnectResult::Opened | ConnectResult::HandedOver => &server.opened,
            ConnectResult::Refused => &server.refused,
            ConnectResult::Unanswered => &server.unanswered,
        };
        counter.fetch_add(1, Relaxed);
        server.used.store(jiffies32());
    }

    /// Counts early data of a client that was not held, or that the server does not get.
    #[cold]
    pub(crate) fn count_dropped(&self, endpoint: &Endpoint) {
        if let Some(server) = self.find_or_make(endpoint) {
            server.dropped.fetch_add(1, Relaxed);
        }
    }

    /// Counts what became of a client that has to say something before it is connected.
    pub(crate) fn count_waited(&self, endpoint: &Endpoint, result: WaitResult) {
        let Some(server) = self.find_or_make(endpoint) else {
            return;
        };
        if let Some(counter) = server.waited.get(result as usize) {
            counter.fetch_add(1, Relaxed);
        }
        server.used.store(jiffies32());
    }

    /// Whether a SYN to the server may pass at this rate, and whether a flood begins or ends with it.
    pub(crate) fn judge(&self, endpoint: &Endpoint, rate: &Rate) -> (bool, Option<FloodChange>) {
        let Some(server) = self.find_or_make(endpoint) else {
            return (false, None);
        };
        let now = jiffies64();
        server.used.store(now as u32);
        server.flood.judge(rate, now)
    }

    /// Ends the floods that are over, and calls `tell` for each. Returns whether there are others.
    pub(crate) fn end_floods(&self, mut tell: impl FnMut(&Endpoint)) -> bool {
        let (now, mut are_left) = (jiffies64(), false);
        for server in self.slots.iter() {
            if server.flood.end(now) {
                if let Some(endpoint) = server.endpoint() {
                    tell(&endpoint);
                }
            }
            are_left |= server.flood.is_underway();
        }
        are_left
    }

    /// A client whose SYN passed completed its handshake.
    pub(crate) fn prove(&self, endpoint: &Endpoint) {
        if let Some(server) = self.find(endpoint) {
            server.flood.prove();
        }
    }

    /// The first server in slot `slot` or after it, and the slot to continue from.
    pub(crate) fn report_from(&self, slot: usize) -> Option<(ServerReport, usize)> {
        let rest = self.slots.get(slot..)?;
        let (steps, server) = rest
            .iter()
            .enumerate()
            .find(|(_, server)| server.port.load() != 0)?;
        let endpoint = server.endpoint()?;
        let report = ServerReport {
            family: endpoint.family,
            address: endpoint.address,
            port: endpoint.port,
            opened: server.opened.load(Relaxed) as u32,
            handed_over: server.handed_over.load(Relaxed) as u32,
            refused: server.refused.load(Relaxed) as u32,
            unanswered: server.unanswered.load(Relaxed) as u32,
            dropped: server.dropped.load(Relaxed) as u32,
            waited: (server.waited.each_ref()).map(|counter| counter.load(Relaxed) as u32),
            options: server.known_options(),
            age: jiffies32().wrapping_sub(server.used.load()),
        };
        Some((report, slot.wrapping_add(steps).wrapping_add(1)))
    }
}
