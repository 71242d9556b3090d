// SPDX-License-Identifier: GPL-2.0

//! A recent list next to a model that is as simple as possible: after each operation both hold the
//! same entries, except those that the list evicted.

use super::Bytes;
use crate::{
    c,
    kernel_api::{
        testing::initial_scope,
        work::Background, //
    },
    monitor::Monitor,
    packet::{
        Address,
        Family, //
    },
    recent::{
        Ageing,
        Ages,
        EntryKey,
        Expiry,
        Ipv4Key,
        Ipv6Key,
        KeyDetail,
        List,
        ListLimits,
        ListSettings,
        Lists,
        Query,
        SavedState,
        Stamped,
        Window,
        AGE_MAX, //
    },
};
use kernel::sync::{
    rcu,
    Arc, //
};
use std::sync::Once;

type Id = EntryKey;

/// How many stamps an entry holds here.
const HITS: usize = 6;

/// When an address was seen, latest first; without heap memory, for the sake of millions of runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seen {
    times: [u64; HITS],
    count: usize,
}

impl Seen {
    fn of(times: impl Iterator<Item = u64>) -> Self {
        let mut seen = Self::default();
        for (place, time) in seen.times.iter_mut().zip(times) {
            *place = time;
            seen.count += 1;
        }
        seen
    }

    fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        self.times[..self.count].iter().copied()
    }

    fn latest(&self) -> u64 {
        self.times[0]
    }

    fn with(&self, time: u64, hits: u32) -> Self {
        Self::of([time].into_iter().chain(self.iter()).take(hits as usize))
    }

    fn truncated(&self, hits: u32) -> Self {
        Self::of(self.iter().take(hits as usize))
    }
}

/// What is known of an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Entry {
    seen: Seen,
    time_to_live: u8,
    packets: u32,
    expiry: Option<Expiry>,
}

impl Entry {
    fn is_alive(&self, now: u64, timeout: u32) -> bool {
        match self.expiry {
            Some(expiry) => expiry.left() != Some(0),
            None => now - self.seen.latest() <= timeout.into(),
        }
    }

    /// What a list that shrinks goes by: entries that are to stay are lost last.
    fn rank(&self) -> u64 {
        self.expiry.map_or(self.seen.latest(), |_| u64::MAX)
    }
}

/// A dozen entries: a linear search is fast enough.
#[derive(Clone, Default)]
struct Entries(Vec<(Id, Entry)>);

impl Entries {
    fn get(&self, id: &Id) -> Option<&Entry> {
        let (_, entry) = self.0.iter().find(|(other, _)| other == id)?;
        Some(entry)
    }

    fn contains(&self, id: &Id) -> bool {
        self.get(id).is_some()
    }

    /// Returns whether it was there.
    fn insert(&mut self, id: Id, entry: Entry) -> bool {
        let was_there = self.remove(&id);
        self.0.push((id, entry));
        was_there
    }

    /// Returns whether it was there.
    fn remove(&mut self, id: &Id) -> bool {
        let index = self.0.iter().position(|(other, _)| other == id);
        index.map(|index| self.0.swap_remove(index)).is_some()
    }

    fn retain(&mut self, mut keep: impl FnMut(&Id, &mut Entry) -> bool) {
        self.0.retain_mut(|(id, entry)| keep(id, entry));
    }
}

struct Model {
    entries: Entries,
    settings: ListSettings,
    now: u64,
}

impl Model {
    fn entry(&self, id: &Id) -> Option<&Entry> {
        let entry = self.entries.get(id)?;
        (entry.is_alive(self.now, self.settings.timeout)).then_some(entry)
    }

    /// The key of the entry that decides on an address, and what [`List::check`] says; without an entry,
    /// the address.
    fn decide(&self, key: &Id, time_to_live: u8, window: &Window) -> (Id, Option<bool>) {
        let keys = [*key].into_iter().chain(networks(key));
        let mut found = keys.map(|key| (key, self.check(&key, time_to_live, window)));
        found
            .find(|(_, agrees)| agrees.is_some())
            .unwrap_or((*key, None))
    }

    fn check(&self, id: &Id, time_to_live: u8, window: &Window) -> Option<bool> {
        let entry = self.entry(id)?;
        if time_to_live != 0 && entry.time_to_live != 0 && entry.time_to_live != time_to_live {
            return None;
        }
        let counted = entry
            .seen
            .iter()
            .filter(|seen| self.now - seen <= window.age.into());
        Some(counted.count() >= window.hits as usize)
    }

    fn push(&mut self, id: &Id, time_to_live: Option<u8>) {
        let mut entry = self.entry(id).copied().unwrap_or_default();
        entry.seen = entry.seen.with(self.now, self.settings.hits);
        entry.time_to_live = time_to_live.unwrap_or(entry.time_to_live);
        entry.packets = entry.packets.saturating_add(1);
        self.entries.insert(*id, entry);
    }

    fn set_expiry(&mut self, id: &Id, expiry: Option<Expiry>) {
        let entries = self.entries.0.iter_mut();
        for (_, entry) in entries.filter(|(other, _)| other == id) {
            entry.expiry = expiry;
        }
    }

    fn alive(&self) -> Entries {
        let entries = self.entries.0.iter().copied();
        let is_alive = |entry: &Entry| entry.is_alive(self.now, self.settings.timeout);
        Entries(entries.filter(|(_, entry)| is_alive(entry)).collect())
    }

    /// Forgets stamps that are too old to be compared, as the ageing does; of an entry that is to stay, the
    /// latest remains.
    fn age(&mut self) {
        let now = self.now;
        self.entries.retain(|_, entry| {
            let seen = entry.seen;
            entry.seen = Seen::of(seen.iter().filter(|seen| now - seen <= AGE_MAX.into()));
            if entry.seen.count == 0 && entry.expiry.is_some() {
                entry.seen = Seen::of([now - u64::from(AGE_MAX) - 1].into_iter());
            }
            entry.seen.count != 0
        });
    }

    /// Whether the list is full of entries that are to stay.
    fn is_full(&self) -> bool {
        let alive = self.alive();
        let stay = alive.0.iter().filter(|(_, entry)| entry.expiry.is_some());
        stay.count() == self.settings.size as usize
    }
}

fn start() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        core::mem::forget(crate::kernel_api::sync::rcu::Reclaimer::start());
    });
}

/// Lengths of prefixes that tell some of the addresses apart, and others not.
const LENGTHS: [[u8; 4]; 2] = [[0, 4, 6, 7], [30, 40, 96, 101]];

/// The networks that an address is in, the longest first.
fn networks(key: &EntryKey) -> impl Iterator<Item = EntryKey> + '_ {
    let lengths = LENGTHS[usize::from(key.family == Family::Ipv6)];
    lengths.into_iter().rev().map(|length| network(key, length))
}

fn network(key: &EntryKey, length: u8) -> EntryKey {
    let bits = u128::from_be_bytes(key.address.to_bytes(Family::Ipv6).0);
    let kept = bits & u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
    let bytes = &kept.to_be_bytes()[..key.address.to_bytes(key.family).1];
    let (family, first) = Address::from_bytes(bytes).unwrap();
    EntryKey::of_network(family, first, length).unwrap()
}

/// The key of an address, or of a network.
fn any_key(byte: u8) -> EntryKey {
    let key = key(byte);
    match byte >> 6 {
        2 => networks(&key).nth(usize::from(byte & 3)).unwrap(),
        _ => key,
    }
}

fn key(byte: u8) -> EntryKey {
    let number = u32::from(byte & 0x1f);
    let (family, words) = match byte & 0x20 {
        0 => (Family::Ipv4, [number, 0, 0, 0]),
        _ => (Family::Ipv6, [1, number & 1, 3, number >> 1]),
    };
    EntryKey {
        family,
        address: Address::new(words),
        detail: KeyDetail::Port(u16::from(byte >> 6 == 3)),
    }
}

/// When an entry is told to expire, if it is.
fn expiry(byte: u8) -> Option<Expiry> {
    match byte & 0x18 {
        0x08 => Expiry::after(u64::from(byte >> 5) * 400),
        0x10 => Some(Expiry::NEVER),
        _ => None,
    }
}

fn settings(bytes: &mut Bytes<'_>) -> ListSettings {
    let [size, hits, timeout] = bytes.array();
    ListSettings {
        size: u32::from(size % 12) + 1,
        hits: u32::from(hits) % HITS as u32 + 1,
        timeout: if timeout & 0x80 != 0 {
            AGE_MAX
        } else {
            u32::from(timeout) * 4
        },
    }
}

/// All contents of the list.
fn contents(list: &List, ages: &mut Ages, now: u64) -> Entries {
    let mut contents = Entries::default();
    for number in 0.. {
        match list.snapshot(number, ages) {
            Err(_) => break,
            Ok(None) => {}
            Ok(Some(shown)) => {
                let entry = Entry {
                    seen: Seen::of(shown.ages.iter().map(|age| now - u64::from(*age))),
                    time_to_live: shown.time_to_live,
                    packets: shown.packets,
                    expiry: shown.expiry,
                };
                assert!(!contents.insert(shown.key, entry), "shown twice");
            }
        }
    }
    contents
}

pub(super) fn run(bytes: &mut Bytes<'_>) {
    start();
    // A few buckets or all of them, and jiffies that are about to wrap or just did.
    let [mask, time] = bytes.array();
    c::set_hash_mask(if mask & 1 == 0 {
        u32::MAX
    } else {
        u32::from(mask >> 1)
    });
    let mut now = 0x3_ffff_ff00 + u64::from(time);
    c::set_jiffies(now);
    let chosen = settings(bytes);
    let limits = ListLimits {
        lists: 2,
        entries: 100,
        timeout: AGE_MAX,
    };
    let monitor = Monitor::new(&initial_scope().unwrap()).unwrap();
    let lists = Lists::new(limits, monitor).unwrap();
    let list = lists.create(b"list", chosen, None).unwrap();
    let ageing = Ageing::new(lists.clone());
    let mut model = Model {
        entries: Entries::default(),
        settings: chosen,
        now,
    };
    let mut ages = Ages::new().unwrap();
    while !bytes.is_empty() {
        let [operation, who, byte] = bytes.array();
        let key = match operation % 12 {
            4..=6 => any_key(who),
            _ => key(who),
        };
        let id = key;
        if key.prefix().is_some() {
            list.with_migration_locked(|| list.allow_networks().unwrap());
        }
        let before = (model.alive(), list.statistics());
        let guard = rcu::read_lock();
        let ttl = byte & 3;
        match operation % 12 {
            0 | 1 => {
                kernel::alloc::fail_after((byte & 0xf0 == 0xf0).then_some(0));
                let is_quick = match (key.family, key.detail) {
                    _ if byte & 4 == 0 => false,
                    (Family::Ipv4, KeyDetail::Port(0)) => {
                        list.stamp_fast(&Ipv4Key(key.address.words()[0]), ttl, &guard)
                    }
                    (Family::Ipv6, KeyDetail::Port(0)) => {
                        list.stamp_fast(&Ipv6Key(key.address.words()), ttl, &guard)
                    }
                    _ => list.stamp_fast(&key, ttl, &guard),
                };
                if !is_quick {
                    list.stamp(&key, || key, ttl, &guard);
                }
                kernel::alloc::fail_after(None);
                let refused = list.statistics().refused - before.1.refused;
                assert!(refused == 0 || byte & 0xf0 == 0xf0 || model.is_full());
                if refused == 0 {
                    model.push(&id, Some(ttl));
                }
            }
            2 | 3 => {
                let window = Window {
                    age: if byte & 0x80 != 0 {
                        Window::any().age
                    } else {
                        u32::from(byte)
                    },
                    hits: u32::from(byte >> 2 & 7) + 1,
                    reap: operation & 0x80 != 0,
                };
                let query = Query {
                    key,
                    time_to_live: ttl,
                    window: &window,
                };
                let (deciding, expected) = model.decide(&id, ttl, &window);
                if operation % 12 == 2 {
                    if let (false, Some(answer)) = (window.reap, list.check_fast(&query, &guard)) {
                        assert_eq!(answer, expected == Some(true));
                    }
                    assert_eq!(list.check(&query, || key, &guard), expected == Some(true));
                } else {
                    let invert = byte & 0x40 != 0;
                    let quick = match window.reap || operation & 0x40 == 0 {
                        true => None,
                        false => list.update_fast(&query, invert, 9, &guard),
                    };
                    let answer =
                        quick.unwrap_or_else(|| list.update(&query, || key, invert, 9, &guard));
                    assert_eq!(answer, expected == Some(true));
                    if expected.is_some_and(|agrees| agrees != invert) {
                        model.push(&deciding, Some(9));
                    }
                }
                if window.reap {
                    // Entries not seen for that long may be gone, and no others.
                    let kept = contents(&list, &mut ages, now);
                    let (now, age) = (model.now, window.age);
                    model
                        .entries
                        .retain(|id, entry| kept.contains(id) || entry.is_alive(now, age));
                }
            }
            4 => {
                let expected = model.entry(&id).is_some_and(|entry| {
                    ttl == 0 || entry.time_to_live == 0 || entry.time_to_live == ttl
                });
                assert_eq!(list.remove(&key, ttl), expected);
                if expected {
                    model.entries.remove(&id);
                }
            }
            5 => {
                let time_to_live = (byte & 4 != 0).then_some(ttl);
                let is_known = model.entry(&id).is_some();
                kernel::alloc::fail_after((byte & 0xf0 == 0xf0).then_some(0));
                let expiry = expiry(byte);
                let exist = who & 0x10 != 0;
                let stamped = list.add(&key, time_to_live, expiry, exist);
                kernel::alloc::fail_after(None);
                let is_refused = matches!(stamped, Stamped::NoMemory | Stamped::Full);
                assert!(stamped != Stamped::NoMemory || byte & 0xf0 == 0xf0);
                assert!(stamped != Stamped::Full || model.is_full());
                assert!(!is_known || stamped == Stamped::Updated || is_refused);
                if !is_refused {
                    assert_eq!(stamped == Stamped::Updated, is_known);
                    if !(is_known && exist) {
                        model.push(&id, time_to_live);
                    }
                    if expiry.is_some() {
                        model.set_expiry(&id, expiry);
                    }
                }
            }
            6 => {
                let step = u64::from(byte >> 4) + 1;
                let past = SavedState {
                    time_to_live: ttl,
                    packets: u32::from(byte),
                    ages: (0..u32::from(byte >> 2 & 3) + 1)
                        .map(|count| (u64::from(count) * step) as u32),
                };
                let expiry = expiry(who);
                if list.restore(&key, &past, expiry, false) == Stamped::Full {
                    assert!(model.is_full());
                    continue;
                }
                let seen = past.ages.clone().map(|age| now - u64::from(age));
                let entry = Entry {
                    seen: Seen::of(seen.take(model.settings.hits as usize)),
                    time_to_live: ttl,
                    packets: byte.into(),
                    expiry,
                };
                model.entries.insert(id, entry);
            }
            7 => {
                now += match who & 3 {
                    3 => u64::from(byte) << 20,
                    _ => u64::from(byte),
                };
                c::set_jiffies(now);
                model.now = now;
                // The ageing runs at least once an hour.
                ageing.run();
                model.age();
            }
            8 => {
                assert!(list.flush().is_ok());
                model.entries = Entries::default();
            }
            9 => {
                let timeout = settings(bytes).timeout;
                // An expired entry does not come back.
                model.entries = model.alive();
                ageing.run();
                model.age();
                list.set_timeout(timeout);
                model.settings.timeout = timeout;
            }
            10 => {
                let chosen = settings(bytes);
                model.entries = model.alive();
                // With a longer timeout, entries that have expired but are still there would come
                // back.
                ageing.run();
                model.age();
                kernel::alloc::fail_after((byte < 32).then_some(byte.into()));
                let prepared = list.prepare(chosen);
                kernel::alloc::fail_after(None);
                if let Ok(prepared) = prepared {
                    let lost = prepared.install();
                    model.settings = chosen;
                    for (_, entry) in &mut model.entries.0 {
                        entry.seen = entry.seen.truncated(chosen.hits);
                    }
                    let alive = model.alive();
                    let spare = alive.0.len().saturating_sub(chosen.size as usize);
                    assert_eq!(lost, spare as u64);
                    // The oldest entries were evicted.
                    let kept = contents(&list, &mut ages, now);
                    let rank = |(_, entry): &(Id, Entry)| entry.rank();
                    let lost = alive.0.iter().filter(|(id, _)| !kept.contains(id));
                    let newest_lost = lost.map(rank).max();
                    let oldest_kept = kept.0.iter().map(rank).min();
                    assert!(newest_lost.is_none() || newest_lost <= oldest_kept);
                    model.entries = alive;
                    model.entries.retain(|id, _| kept.contains(id));
                }
            }
            _ => {
                let _ = list.reserve(byte.into(), who & 1 == 0);
            }
        }
        drop(guard);
        c::run_retired();
        compare(&list, &mut model, &before.0, &id, &mut ages);
    }
    c::set_hash_mask(u32::MAX);
}

/// The list holds what the model does, less one entry for each eviction.
fn compare(list: &Arc<List>, model: &mut Model, before: &Entries, who: &Id, ages: &mut Ages) {
    let held = contents(list, ages, model.now);
    let expected = model.alive();
    for (id, entry) in &held.0 {
        assert_eq!(Some(entry), expected.get(id), "{id:?}");
    }
    let mut gone = expected.0.iter().filter(|(id, _)| !held.contains(id));
    // One operation evicts at most one entry, and only if the list is full or memory ran out.
    if let Some((id, _)) = gone.next() {
        assert!(!before.contains(who) && id != who);
        assert!(expected.get(id).is_some_and(|entry| entry.expiry.is_none()));
    }
    assert!(gone.next().is_none());
    assert!(held.0.len() <= model.settings.size as usize);
    assert!(list.statistics().entries as usize >= held.0.len());
    model
        .entries
        .retain(|id, _| held.contains(id) || !expected.contains(id));
}
