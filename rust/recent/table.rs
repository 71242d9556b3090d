// SPDX-License-Identifier: GPL-2.0

//! The hash table of a recent list.
//!
//! Each bucket heads a chain of entries. A writer of a chain, or of an entry in it, holds the
//! bucket's lock; a reader takes no lock and retries if the bucket changed. The hash is keyed, so
//! that nobody can aim at one bucket.
//!
//! When the list is full, a new address takes over the entry of another. A clock hand goes round
//! the entries, skips those stamped again since it last passed, and takes the first one that was
//! not. That looks at a few entries, locks one bucket at a time and approximates LRU. Entries that
//! were told when to expire stay until then.
//!
//! Reaping, which a rule asks for, works in the same way: each packet of the rule looks at its own
//! address and a few others, so that all entries are visited within as many packets as there are
//! entries. xt_recent looks at the oldest entry instead, which takes a list of all entries and its
//! lock.

mod ageing;
mod eviction;
mod fast_path;
mod migrate;

pub(super) use migrate::Survivors;

use super::{
    entry::{
        Ages,
        Snapshot,
        NONE, //
    },
    prefixes::Prefixes,
    slots::{
        Shortage,
        Slots, //
    },
};
use crate::{
    kernel_api::{
        hash::HashKey,
        sync::{
            buckets::{
                Attempt,
                Buckets, //
            },
            words::{
                CacheAligned,
                Word, //
            },
        },
    },
    monitor::ListMonitor,
    recent::prelude::*,
    spec::command, //
};

/// The result of stamping an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stamped {
    /// It was in the list.
    Updated,
    /// It got a free entry, or one of its own that had expired.
    New,
    /// It got the entry of another address, which was evicted.
    Reclaimed,
    /// There was no memory for an entry.
    NoMemory,
    /// All entries are in use, and were told to stay.
    Full,
}

impl Stamped {
    /// What stamping an entry of the address itself comes to.
    fn of(entry: Entry<'_>) -> Self {
        match entry.has_stamps() {
            true => Self::Updated,
            false => Self::New,
        }
    }
}

/// Why an address is stamped, which decides what happens when no entry is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// A packet: evict another entry.
    Packet,
    /// User space: evict if the list is full, fail if memory runs out.
    Hand,
    /// Migration from the previous table: never evict.
    Move,
    /// Migration of an entry that is to stay: evict another.
    MoveToStay,
}

/// The entry at that index is to be told when to expire, and there is no memory yet to note that: under
/// the lock of a bucket nobody may allocate some.
struct NoRecord(u32);

/// The list has a newer table; retry with that one.
#[derive(Debug)]
pub(super) struct Superseded;

/// A query for an entry.
#[derive(Clone, Copy)]
pub(crate) struct Query<'a, F = EntryKey> {
    /// The key.
    pub(crate) key: F,
    /// The TTL that the packet stamped last must have had; 0 matches any.
    pub(crate) time_to_live: u8,
    /// When and how often it must have been seen.
    pub(crate) window: &'a Window,
}

impl Query<'_> {
    /// Whether there is an entry with that key.
    pub(super) fn any(key: &EntryKey) -> Self {
        Query {
            key: *key,
            time_to_live: 0,
            window: &const { Window::any() },
        }
    }
}

/// The result of a query.
#[derive(Clone, Copy)]
struct Lookup {
    /// Whether the entry satisfies the window.
    agrees: bool,
    /// Age of its latest stamp, in jiffies; `None` if it is not to be reaped.
    age: Option<u32>,
}

/// ListStatistics of a list.
#[derive(Clone, Copy)]
pub(crate) struct ListStatistics {
    /// Entries now.
    pub(crate) entries: u32,
    /// Entries evicted.
    pub(crate) evicted: u64,
    /// Entries removed because of their age.
    pub(crate) expired: u64,
    /// Addresses not added for lack of memory.
    pub(crate) refused: u64,
}

impl ListStatistics {
    /// The sum of two tables' statistics.
    pub(super) fn plus(&self, other: &Self) -> Self {
        Self {
            entries: self.entries.saturating_add(other.entries),
            evicted: self.evicted.saturating_add(other.evicted),
            expired: self.expired.saturating_add(other.expired),
            refused: self.refused.saturating_add(other.refused),
        }
    }
}

/// A hash table of entries. Fields that packets only read come first, in as few cache lines as
/// possible.
#[repr(C)]
pub(super) struct EntryTable {
    /// Age in jiffies above which an entry counts as expired.
    timeout: Word,
    /// Nonzero if the list has a newer table.
    superseded: Word,
    buckets: Buckets,
    hash: HashKey,
    slots: Slots,
    pub(super) prefixes: Prefixes,
    /// Where to tell of entries that packets bring; not in tests of the table alone.
    monitor: Option<ListMonitor>,
    written: CacheAligned<Written>,
}

/// Fields written as entries come and go.
struct Written {
    entries: Atomic<u32>,
    /// Number of the entry that eviction looks at next.
    clock_hand: Atomic<u32>,
    /// Number of the entry that reaping looks at next.
    gc_cursor: Atomic<u32>,
    evicted: Atomic<u64>,
    expired: Atomic<u64>,
    refused: Atomic<u64>,
}

impl EntryTable {
    /// A table of up to `size` entries, each with `hits` stamps, which expire after `timeout`
    /// jiffies.
    pub(super) fn new(size: u32, hits: u32, timeout: u32) -> Result<Self> {
        Ok(Self {
            hash: HashKey::random(),
            // Load factor at most 2/3: every other entry in the chain may be a cache miss.
            buckets: Buckets::new(size.saturating_add(size / 2), NONE, LARGE)?,
            slots: Slots::new(size, hits)?,
            prefixes: Prefixes::new()?,
            monitor: None,
            timeout: Word::new(timeout),
            superseded: Word::new(0),
            written: CacheAligned(Written {
                entries: Atomic::new(0),
                clock_hand: Atomic::new(0),
                gc_cursor: Atomic::new(0),
                evicted: Atomic::new(0),
                expired: Atomic::new(0),
                refused: Atomic::new(0),
            }),
        })
    }

    /// The same, telling of entries that packets bring.
    pub(super) fn telling(self, monitor: &ListMonitor) -> Self {
        Self {
            monitor: Some(monitor.clone()),
            ..self
        }
    }

    /// Tells of an entry that a packet brought or evicted. The caller holds no bucket's lock.
    #[inline]
    fn tell(&self, command: u8, key: impl FnOnce() -> Option<EntryKey>, now: u32) {
        let Some(monitor) = &self.monitor else {
            return;
        };
        monitor.put(command, now, || {
            let key = key()?;
            Some((key.family, key.address, key.port(), key.prefix()))
        });
    }

    /// Tells of an address that a packet stamped, if it was not in the list.
    #[inline]
    fn tell_new(&self, stamped: Stamped, key: &EntryKey, now: u32) {
        if matches!(stamped, Stamped::New | Stamped::Reclaimed) {
            self.tell(command::ENTRY_ADD_NTF, || Some(*key), now);
        }
    }

    pub(super) fn size(&self) -> u32 {
        self.slots.limit()
    }

    pub(super) fn hits(&self) -> u32 {
        self.slots.hits()
    }

    #[inline(always)]
    pub(super) fn timeout(&self) -> u32 {
        self.timeout.load()
    }

    pub(super) fn set_timeout(&self, timeout: u32) {
        self.timeout.store(timeout);
    }

    /// Allocates memory for `entries` entries and, if `expire` says so, to note when they expire. May
    /// sleep.
    pub(super) fn reserve(&self, entries: u32, expire: bool) -> Result {
        self.slots.reserve(entries, expire)
    }

    /// Whether there may be entries that were told when to expire.
    pub(super) fn has_expiries(&self) -> bool {
        self.slots.has_expiries()
    }

    pub(super) fn statistics(&self) -> ListStatistics {
        ListStatistics {
            entries: self.written.entries.load(Relaxed),
            evicted: self.written.evicted.load(Relaxed),
            expired: self.written.expired.load(Relaxed),
            refused: self.written.refused.load(Relaxed),
        }
    }

    /// Adds the statistics of the list's previous table.
    pub(super) fn continue_from(&self, statistics: ListStatistics) {
        self.written.evicted.fetch_add(statistics.evicted, Relaxed);
        self.written.expired.fetch_add(statistics.expired, Relaxed);
        self.written.refused.fetch_add(statistics.refused, Relaxed);
    }

    #[inline(always)]
    fn bucket(&self, key: &impl Find) -> u32 {
        self.buckets.index(key.hash(&self.hash))
    }

    /// Locks a bucket; fails if the table is superseded.
    #[inline(always)]
    fn lock(&self, bucket: u32) -> Result<BucketGuard<'_>, Superseded> {
        let guard = self.buckets.lock(bucket);
        if self.is_superseded() {
            return Err(Superseded);
        }
        Ok(guard)
    }

    /// Looks an entry up, here or in the previous table.
    #[inline]
    fn lookup_in_both(
        &self,
        previous: Option<&Self>,
        query: &Query<'_>,
        now: u32,
    ) -> Option<Lookup> {
        let timeout = self.timeout();
        let lookup = self.lookup(query, timeout, now);
        let (None, Some(previous)) = (lookup, previous) else {
            return lookup;
        };
        // It may just have migrated, but entries migrate in one direction only.
        let earlier = previous.lookup(query, timeout, now);
        earlier.or_else(|| self.lookup(query, timeout, now))
    }

    /// As [`EntryTable::lookup_in_both`], for the longest network that the address is in, whose key
    /// the query gets.
    fn lookup_network(
        &self,
        previous: Option<&Self>,
        query: &mut Query<'_>,
        now: u32,
    ) -> Option<Lookup> {
        let address = query.key;
        let earlier = previous.map(|previous| &previous.prefixes);
        for length in self.prefixes.lengths(earlier, address.family) {
            let network = Query {
                key: address.network(length),
                ..*query
            };
            let may_be_in = |table: &Self| table.may_have(&network.key);
            if !may_be_in(self) && !previous.is_some_and(may_be_in) && !may_be_in(self) {
                continue;
            }
            if let Some(lookup) = self.lookup_in_both(previous, &network, now) {
                *query = network;
                return Some(lookup);
            }
        }
        None
    }

    /// Whether there is an entry with that key, unless its bucket changes at the moment.
    #[inline]
    fn may_have(&self, key: &impl Find) -> bool {
        let Some((head, attempt)) = self.buckets.attempt(self.bucket(key)) else {
            return true;
        };
        self.find(head, key, Some(&attempt)).is_some() || attempt.is_disturbed()
    }

    /// The query for the entry that decides on the address: its own, or else that of the longest
    /// network that it is in, if there is one.
    pub(super) fn deciding<'a>(
        &self,
        previous: Option<&Self>,
        query: &Query<'a>,
        now: u32,
    ) -> Query<'a> {
        let mut deciding = *query;
        if self.lookup_in_both(previous, query, now).is_none() {
            self.lookup_network(previous, &mut deciding, now);
        }
        deciding
    }

    /// Whether the entry of an address, or of the longest network that it is in if there may be
    /// networks, matches the query, here or in the previous table.
    pub(super) fn check(
        &self,
        previous: Option<&Self>,
        query: &Query<'_>,
        has_networks: bool,
        now: u32,
    ) -> Result<bool, Superseded> {
        let mut query = *query;
        let mut lookup = self.lookup_in_both(previous, &query, now);
        if lookup.is_none() && has_networks {
            lookup = self.lookup_network(previous, &mut query, now);
        }
        if lookup.is_none() && self.is_superseded() {
            return Err(Superseded);
        }
        // Nothing is reaped during a migration.
        if let (Some(limit), None) = (query.window.reaped_age(), previous) {
            if lookup.is_some_and(|lookup| lookup.age > Some(limit)) {
                self.reap(&query.key, limit, now);
            }
            self.reap_others(limit, now);
        }
        Ok(lookup.is_some_and(|lookup| lookup.agrees))
    }

    /// As [`EntryTable::check`], and stamps the entry, if there is one, when the result differs
    /// from `invert`.
    pub(super) fn update(
        &self,
        previous: Option<&Self>,
        query: &Query<'_>,
        invert: bool,
        now: u32,
        time_to_live: u8,
    ) -> Result<bool, Superseded> {
        if let Some(previous) = previous {
            self.migrate(previous, &query.key, now, Origin::Packet)?;
        }
        let agrees = self.update_known(query, invert, now, time_to_live)?;
        if let (Some(limit), None) = (query.window.reaped_age(), previous) {
            self.reap_others(limit, now);
        }
        Ok(agrees)
    }

    fn update_known(
        &self,
        query: &Query<'_>,
        invert: bool,
        now: u32,
        time_to_live: u8,
    ) -> Result<bool, Superseded> {
        let guard = self.lock(self.bucket(&query.key))?;
        let Some((index, entry)) = self.find(guard.head(), &query.key, None) else {
            return Ok(false);
        };
        let Some(lookup) = self.evaluate(index, entry, query, self.timeout(), now) else {
            return Ok(false);
        };
        let limit = query.window.reaped_age();
        if lookup.agrees != invert {
            self.whole(index, entry).push(now, Some(time_to_live));
        } else if limit.is_some_and(|limit| lookup.age > Some(limit)) {
            self.expire(guard, index, entry);
        }
        Ok(lookup.agrees)
    }

    /// Stamps an address, adding an entry if it has none.
    ///
    /// Without a TTL, an entry keeps its own.
    pub(super) fn stamp(
        &self,
        previous: Option<&Self>,
        key: &EntryKey,
        now: u32,
        time_to_live: Option<u8>,
        origin: Origin,
    ) -> Result<Stamped, Superseded> {
        let stamped = self.write(previous, key, now, origin, None, |entry| {
            entry.push(now, time_to_live)
        })?;
        if origin == Origin::Packet {
            self.tell_new(stamped, key, now);
        }
        Ok(stamped)
    }

    /// Calls `write` on the entry of an address, adding one without stamps if it has none, and then
    /// tells it when to expire, if that is given.
    pub(super) fn write(
        &self,
        previous: Option<&Self>,
        key: &EntryKey,
        now: u32,
        origin: Origin,
        expiry: Option<Expiry>,
        write: impl Fn(Entry<'_>),
    ) -> Result<Stamped, Superseded> {
        if let Some(previous) = previous {
            self.migrate(previous, key, now, origin)?;
        }
        let bucket = self.bucket(key);
        let write = |index, entry: Entry<'_>| {
            if expiry.is_some() && !self.slots.has_expiry(index) {
                return Err(NoRecord(index));
            }
            let stamped = Stamped::of(entry);
            write(entry);
            if let Some(expiry) = expiry {
                self.slots.set_expiry(index, expiry);
            }
            Ok(stamped)
        };
        loop {
            let known = self.write_known(&self.lock(bucket)?, key, now, write);
            let written = match known {
                Some(written) => written,
                None => self.write_new(bucket, key, now, origin, expiry.is_some(), write)?,
            };
            match written {
                Ok(stamped) => return Ok(stamped),
                Err(NoRecord(index)) if self.slots.provide_expiry(index).is_err() => {
                    return Ok(self.refuse(Stamped::NoMemory));
                }
                // Each chunk gets its memory once.
                Err(NoRecord(_)) => {}
            }
        }
    }

    /// Counts an address that is not added.
    fn refuse(&self, why: Stamped) -> Stamped {
        self.written.refused.fetch_add(1, Relaxed);
        why
    }

    /// Calls `write` on a new entry for an address that had none so far. `expires` says whether it will
    /// be told when to expire.
    fn write_new(
        &self,
        bucket: u32,
        key: &EntryKey,
        now: u32,
        origin: Origin,
        expires: bool,
        write: impl Fn(u32, Entry<'_>) -> Result<Stamped, NoRecord>,
    ) -> Result<Result<Stamped, NoRecord>, Superseded> {
        // Eviction may lock another bucket, so this one is not held meanwhile.
        let (index, stamped) = match self.take_slot(now, origin) {
            Ok(taken) => taken,
            Err(Shortage::Memory) => return Ok(Ok(self.refuse(Stamped::NoMemory))),
            Err(Shortage::Limit) => return Ok(Ok(self.refuse(Stamped::Full))),
        };
        let Some(entry) = self.slots.entry(index) else {
            return Ok(Ok(Stamped::NoMemory));
        };
        if expires && self.slots.provide_expiry(index).is_err() {
            self.slots.give_back(index);
            return Ok(Ok(self.refuse(Stamped::NoMemory)));
        }
        self.prefixes.add(key.network_length());
        let mut is_used = false;
        let written = self.lock(bucket).map(|mut guard| {
            if let Some(written) = self.write_known(&guard, key, now, &write) {
                return written;
            }
            Self::write_first(index, entry, key, &write)?;
            self.link(&mut guard, bucket, index, entry);
            is_used = true;
            Ok(stamped)
        });
        if !is_used {
            self.prefixes.remove(key.network_length());
            self.slots.give_back(index);
        }
        written
    }

    /// Removes the address if its entry matches the TTL; 0 matches any. Returns whether it was
    /// there.
    pub(super) fn remove(
        &self,
        previous: Option<&Self>,
        key: &EntryKey,
        time_to_live: u8,
        now: u32,
    ) -> Result<bool, Superseded> {
        // In this order it cannot migrate in between.
        let earlier = previous.is_some_and(|table| table.remove_frozen(key, time_to_live, now));
        let guard = self.lock(self.bucket(key))?;
        Ok(self.take_out_of(guard, key, time_to_live, now) || earlier)
    }

    /// The entry of that number, from 0. `Err(ENOENT)` if the numbers end before it.
    pub(super) fn snapshot<'a>(
        &self,
        number: u32,
        now: u32,
        ages: &'a mut Ages,
    ) -> Result<Option<Snapshot<'a>>> {
        if number >= self.slots.used() {
            return Err(ENOENT);
        }
        let Some((index, entry, bucket)) = self.occupied(number) else {
            return Ok(None);
        };
        let read = self.buckets.read(bucket, |_, _| {
            let entry = self.whole(index, entry);
            let is_shown = entry.bucket() == Some(bucket) && entry.is_alive(self.timeout(), now);
            let read = entry.read(now, ages).filter(|_| is_shown);
            read.map(|read| (read, entry.expiry()))
        });
        Ok(read.map(|((key, time_to_live, packets), expiry)| Snapshot {
            key,
            time_to_live,
            packets,
            ages: ages.get(),
            expiry,
        }))
    }

    /// The entry at `index`, with when it expires, if it was told.
    #[inline]
    fn whole<'a>(&'a self, index: u32, entry: Entry<'a>) -> Entry<'a> {
        if entry.expires() {
            self.slots.whole_entry(index).unwrap_or(entry)
        } else {
            entry
        }
    }

    /// Whether the entry counts: see [`Entry::is_alive`].
    fn is_alive(&self, index: u32, entry: Entry<'_>, timeout: u32, now: u32) -> bool {
        self.whole(index, entry).is_alive(timeout, now)
    }

    /// The entry of that number, with its index and bucket, unless it is in none.
    fn occupied(&self, number: u32) -> Option<(u32, Entry<'_>, u32)> {
        let index = self.slots.index(number);
        let entry = self.slots.entry(index)?;
        Some((index, entry, entry.bucket()?))
    }

    /// Finds an entry. Without the lock, that is with an attempt, it may miss one or return a wrong
    /// one.
    #[inline(always)]
    fn find(
        &self,
        head: u32,
        key: &impl Find,
        attempt: Option<&Attempt<'_>>,
    ) -> Option<(u32, Entry<'_>)> {
        let mut index = head;
        // No entry has the index [`NONE`].
        while let Some(entry) = self.slots.entry(index) {
            if key.matches_key(entry) {
                return Some((index, entry));
            }
            if attempt.is_some_and(Attempt::is_disturbed) {
                return None;
            }
            index = entry.next();
        }
        None
    }

    /// Whether the entry satisfies the query's window; `None` if it is older than `timeout`, its TTL
    /// does not match, or it was told when to expire.
    #[inline(always)]
    fn answer(
        entry: Entry<'_>,
        query: &Query<'_, impl Find>,
        timeout: u32,
        now: u32,
    ) -> Option<bool> {
        if !entry.matches_ttl(query.time_to_live) {
            return None;
        }
        entry.satisfies(query.window, timeout, now)
    }

    /// As [`EntryTable::answer`] for all entries, with the entry's age.
    fn evaluate(
        &self,
        index: u32,
        entry: Entry<'_>,
        query: &Query<'_>,
        timeout: u32,
        now: u32,
    ) -> Option<Lookup> {
        match Self::answer(entry, query, timeout, now) {
            Some(agrees) => Some(Lookup {
                agrees,
                age: Some(entry.last_seen(now)),
            }),
            None => self.evaluate_until_expired(index, query, now),
        }
    }

    /// As [`EntryTable::evaluate`], for an entry that was told when to expire.
    #[cold]
    #[inline(never)]
    fn evaluate_until_expired(&self, index: u32, query: &Query<'_>, now: u32) -> Option<Lookup> {
        let entry = self.slots.whole_entry(index)?;
        if !entry.matches_ttl(query.time_to_live) {
            return None;
        }
        Some(Lookup {
            agrees: entry.satisfies_until_expired(query.window, now)?,
            age: None,
        })
    }

    fn lookup(&self, query: &Query<'_>, timeout: u32, now: u32) -> Option<Lookup> {
        let bucket = self.bucket(&query.key);
        self.buckets.read(bucket, |head, attempt| {
            let (index, entry) = self.find(head, &query.key, Some(attempt))?;
            self.evaluate(index, entry, query, timeout, now)
        })
    }

    /// Calls `write` on the entry of an address; `None` if it has none.
    #[inline(always)]
    fn write_known<R>(
        &self,
        guard: &BucketGuard<'_>,
        key: &impl Find,
        now: u32,
        write: impl Fn(u32, Entry<'_>) -> R,
    ) -> Option<R> {
        let (index, entry) = self.find(guard.head(), key, None)?;
        if entry.was_seen_within(self.timeout(), now) {
            Some(write(index, entry))
        } else {
            Some(self.write_unseen(index, entry, &key.key(), write))
        }
    }

    /// Calls `write` on an entry that was told when to expire, or resets it and does.
    #[cold]
    fn write_unseen<R>(
        &self,
        index: u32,
        entry: Entry<'_>,
        key: &EntryKey,
        write: impl Fn(u32, Entry<'_>) -> R,
    ) -> R {
        match self.whole(index, entry) {
            whole if whole.is_to_stay() => write(index, whole),
            _ => Self::write_first(index, entry, key, write),
        }
    }

    /// Resets an entry for `key` and calls `write` on it.
    #[cold]
    fn write_first<R>(
        index: u32,
        entry: Entry<'_>,
        key: &EntryKey,
        write: impl Fn(u32, Entry<'_>) -> R,
    ) -> R {
        entry.init(key);
        let written = write(index, entry);
        // Only an address that comes back gets a second chance.
        entry.take_reference();
        written
    }

    /// Links an entry into its bucket. If it is for a network, its length is noted already.
    fn link(&self, guard: &mut BucketGuard<'_>, bucket: u32, index: u32, entry: Entry<'_>) {
        entry.set_next(guard.head());
        entry.set_bucket(Some(bucket));
        guard.set_head(index);
        self.written.entries.fetch_add(1, Relaxed);
    }

    /// Unlinks an entry, which the caller then owns, and unlocks its bucket.
    fn unlink(&self, mut guard: BucketGuard<'_>, index: u32, entry: Entry<'_>) {
        if guard.head() == index {
            guard.set_head(entry.next());
        } else {
            let mut before = guard.head();
            while let Some(previous) = self.slots.entry(before) {
                if previous.next() == index {
                    previous.set_next(entry.next());
                    break;
                }
                before = previous.next();
            }
        }
        entry.set_bucket(None);
        let network = entry.network_length();
        drop(guard);
        self.prefixes.remove(network);
        self.written.entries.fetch_sub(1, Relaxed);
    }
}
