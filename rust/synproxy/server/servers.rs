// SPDX-License-Identifier: GPL-2.0

//! What is known of the servers behind SYNPROXY: which options they use, how many SYNs they get, and how
//! connections to them went.
//!
//! A table of fixed size without locks. Nothing depends on what it holds: two servers that get the same
//! place at once, or an entry that is read while it is written, make a client hear of options that its
//! server does not use, and those are translated.

use super::{
    clamps::Clamps,
    floods::{
        FloodState,
        Rate, //
    },
};
use crate::{
    kernel_api::{
        conntrack::connections::Endpoints,
        hash::HashKey,
        sync::words::Word,
        time::{
            jiffies32,
            JIFFIES_PER_SECOND, //
        }, //
    },
    packet::{
        Address,
        Family, //
    },
    synproxy::{
        cookie::announcement::SCALE_DEFAULT,
        tcp::options::{
            Options,
            MSS_DEFAULT, //
        },
    },
};
use kernel::{
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
};

/// Most servers that are known at a time. A fuzzer makes the table anew for each run.
const CAPACITY: usize = if cfg!(fuzzing) { 64 } else { 4096 };

/// Places that a server may have; where all are taken, the one that was used longest ago is given up.
const WAYS: usize = 8;

/// After how many jiffies a server is asked again for options that it did not use: a minute.
const RELEARN: u32 = 60 * JIFFIES_PER_SECOND;

const IS_KNOWN: u32 = 1 << 31;
const HAS_SCALE: u32 = 1 << 30;
const HAS_SACK: u32 = 1 << 29;
const HAS_TIMESTAMPS: u32 = 1 << 28;
const HAS_ECN: u32 = 1 << 27;
const IS_LOCAL: u32 = 1 << 26;
const SCALE_SHIFT: u32 = 16;

/// The options that a server was seen to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ServerOptions {
    /// Maximum segment size, in bytes. A server of this machine told its last client that.
    pub(crate) mss: u16,
    /// Window scale, if it scales windows.
    pub(crate) scale: Option<u8>,
    /// Selective acknowledgements.
    pub(crate) sack: bool,
    /// Timestamps.
    pub(crate) timestamps: bool,
    /// Explicit congestion notification.
    pub(crate) ecn: bool,
    /// It is on this machine, so that the way to each client decides which segments it takes.
    pub(crate) is_local: bool,
}

impl ServerOptions {
    /// Whether it uses all that it is asked for where nothing is known.
    #[inline]
    fn is_full(&self) -> bool {
        self.scale.is_some() && self.sack && self.timestamps
    }

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

    fn unpack(word: u32) -> Option<Self> {
        (word & IS_KNOWN != 0).then_some(Self {
            mss: word as u16,
            scale: (word & HAS_SCALE != 0).then_some((word >> SCALE_SHIFT & 0xf) as u8),
            sack: word & HAS_SACK != 0,
            timestamps: word & HAS_TIMESTAMPS != 0,
            ecn: word & HAS_ECN != 0,
            is_local: word & IS_LOCAL != 0,
        })
    }
}

/// What there is to say of a server.
pub(crate) struct ServerReport {
    /// The IP version.
    pub(crate) family: Family,
    /// The address that clients know it by.
    pub(crate) address: Address,
    /// The port that clients know it by.
    pub(crate) port: u16,
    /// Connections that it accepted.
    pub(crate) opened: u32,
    /// Connections that it refused.
    pub(crate) refused: u32,
    /// Connections that it was not reached for.
    pub(crate) unanswered: u32,
    /// The options that it uses, if it has accepted a connection.
    pub(crate) options: Option<ServerOptions>,
    /// Jiffies since something happened to it.
    pub(crate) age: u32,
}

/// How a connection to a server went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::synproxy) enum ConnectResult {
    /// It was accepted.
    Opened,
    /// It was reset.
    Refused,
    /// The server was not reached.
    Unanswered,
}

/// A place in the table.
struct Server {
    address: [Word; 4],
    /// The port, and the IP version above it; zero where there is no server.
    port: Word,
    options: Word,
    /// Jiffies when all options were last seen that it may have.
    learned: Word,
    /// Jiffies when something happened.
    used: Word,
    opened: Atomic<i32>,
    refused: Atomic<i32>,
    unanswered: Atomic<i32>,
    flood: FloodState,
}

/// What a server is known by.
#[derive(Clone, Copy)]
pub(in crate::synproxy) struct Endpoint {
    /// The IP version.
    pub(in crate::synproxy) family: Family,
    /// The address.
    pub(in crate::synproxy) address: Address,
    /// The port, in host byte order.
    pub(in crate::synproxy) port: u16,
}

impl Endpoint {
    /// Where these packets of a client go to.
    pub(in crate::synproxy) fn of_client(endpoints: &Endpoints) -> Self {
        let ((_, address), (_, port)) = (endpoints.addresses, endpoints.ports);
        Self {
            family: endpoints.family,
            address: Address::new(address),
            port: u16::from_be_bytes(port),
        }
    }

    fn tag(&self) -> u32 {
        let version = match self.family {
            Family::Ipv4 => 4,
            Family::Ipv6 => 6,
        };
        version << 16 | u32::from(self.port)
    }
}

impl Server {
    const fn new() -> Self {
        Self {
            address: [const { Word::new(0) }; 4],
            port: Word::new(0),
            options: Word::new(0),
            learned: Word::new(0),
            used: Word::new(0),
            opened: Atomic::new(0),
            refused: Atomic::new(0),
            unanswered: Atomic::new(0),
            flood: FloodState::new(),
        }
    }

    #[inline]
    fn is(&self, endpoint: &Endpoint) -> bool {
        let words = endpoint.address.words();
        self.port.load() == endpoint.tag()
            && (self.address.iter().zip(words)).all(|(word, other)| word.load() == other)
    }

    fn become_server(&self, endpoint: &Endpoint) {
        self.port.store(0);
        for (word, value) in self.address.iter().zip(endpoint.address.words()) {
            word.store(value);
        }
        self.options.store(0);
        self.opened.store(0, Relaxed);
        self.refused.store(0, Relaxed);
        self.unanswered.store(0, Relaxed);
        self.flood.clear();
        self.port.store(endpoint.tag());
    }
}

/// The servers of a network namespace.
pub(in crate::synproxy) struct Servers {
    key: HashKey,
    places: KVVec<Server>,
    /// What is known of devices.
    pub(in crate::synproxy) clamps: Clamps,
}

impl Servers {
    /// None so far.
    pub(in crate::synproxy) fn new() -> Result<Self> {
        let mut places = KVVec::with_capacity(CAPACITY, GFP_KERNEL_ACCOUNT)?;
        for _ in 0..CAPACITY {
            places.push(Server::new(), GFP_KERNEL_ACCOUNT)?;
        }
        Ok(Self {
            key: HashKey::random(),
            places,
            clamps: Clamps::new(),
        })
    }

    #[inline]
    fn ways(&self, endpoint: &Endpoint) -> &[Server] {
        let [a, b, c, d] = endpoint.address.words();
        let hash = match endpoint.family {
            Family::Ipv4 => self.key.hash_pair(a, endpoint.tag()),
            // All of it with the key: clients choose some of the addresses that they send SYNs to.
            Family::Ipv6 => self.key.hash(&[a, b, c, d, endpoint.tag()]),
        };
        let first = (hash as usize % (CAPACITY / WAYS)).wrapping_mul(WAYS);
        let ways = self.places.get(first..).unwrap_or_default();
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
            // Another CPU may have used it a moment later than now.
            _ => (now.wrapping_sub(server.used.load()) as i32).max(0) as u32,
        };
        let server = self
            .ways(endpoint)
            .iter()
            .max_by_key(|server| idleness(server))?;
        let is_crowded = idleness(server) < JIFFIES_PER_SECOND;
        server.become_server(endpoint);
        if is_crowded {
            // A flood for more servers than there is room for: were the next to begin with its burst, all would pass.
            server.flood.begin(now);
        }
        server.used.store(now);
        Some(server)
    }

    /// The options that the server uses, if that is known. Now and then, what it did not use is taken for not
    /// known: who is not told of an option does not ask the server for it.
    #[inline]
    pub(in crate::synproxy) fn options(&self, endpoint: &Endpoint) -> Option<ServerOptions> {
        let server = self.find(endpoint)?;
        let options = ServerOptions::unpack(server.options.load())?;
        let age = jiffies32().wrapping_sub(server.learned.load());
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
        })
    }

    /// Remembers what a server announced when it accepted a connection; none of `asked` that the client did
    /// not ask for says anything of the server.
    pub(in crate::synproxy) fn learn(
        &self,
        endpoint: &Endpoint,
        asked: &Options,
        announced: &Options,
        ecn: Option<bool>,
        is_local: bool,
    ) {
        let Some(server) = self.find_or_make(endpoint) else {
            return;
        };
        let before = ServerOptions::unpack(server.options.load());
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
            ecn: ecn.unwrap_or(before.is_some_and(|before| before.ecn)),
            is_local,
        };
        server.options.store(options.pack());
        if asked.scale.is_some() && asked.sack && asked.timestamps.is_some() {
            server.learned.store(jiffies32());
        }
    }

    /// Counts how a connection to a server went.
    pub(in crate::synproxy) fn count(&self, endpoint: &Endpoint, attempt: ConnectResult) {
        let Some(server) = self.find_or_make(endpoint) else {
            return;
        };
        let counter = match attempt {
            ConnectResult::Opened => &server.opened,
            ConnectResult::Refused => &server.refused,
            ConnectResult::Unanswered => &server.unanswered,
        };
        counter.fetch_add(1, Relaxed);
        server.used.store(jiffies32());
    }

    /// Whether a SYN to the server may pass at that rate.
    pub(in crate::synproxy) fn admits(&self, endpoint: &Endpoint, rate: &Rate) -> bool {
        let Some(server) = self.find_or_make(endpoint) else {
            return false;
        };
        let now = jiffies32();
        server.used.store(now);
        server.flood.admits(rate, now)
    }

    /// A client whose SYN has passed has come back.
    pub(in crate::synproxy) fn prove(&self, endpoint: &Endpoint) {
        if let Some(server) = self.find(endpoint) {
            server.flood.prove();
        }
    }

    /// The first server from that place on, and the place behind it.
    pub(in crate::synproxy) fn report_from(&self, place: usize) -> Option<(ServerReport, usize)> {
        let rest = self.places.get(place..)?;
        let (steps, server) = rest
            .iter()
            .enumerate()
            .find(|(_, server)| server.port.load() != 0)?;
        let tag = server.port.load();
        let address = server.address.each_ref().map(Word::load);
        let report = ServerReport {
            family: match tag >> 16 {
                4 => Family::Ipv4,
                _ => Family::Ipv6,
            },
            address: Address::new(address),
            port: tag as u16,
            opened: server.opened.load(Relaxed) as u32,
            refused: server.refused.load(Relaxed) as u32,
            unanswered: server.unanswered.load(Relaxed) as u32,
            options: ServerOptions::unpack(server.options.load()),
            age: jiffies32().wrapping_sub(server.used.load()),
        };
        Some((report, place.wrapping_add(steps).wrapping_add(1)))
    }
}
