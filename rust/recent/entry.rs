// SPDX-License-Identifier: GPL-2.0

//! What a list knows of one address: a few shared words.
//!
//! A writer holds the lock of the entry's bucket. A reader without the lock discards what it read
//! if the bucket changed in the meantime, so any mix of old and new words is harmless here.

use super::{
    expiry::ExpiryRecord,
    stamps::{
        age,
        is_within,
        ANY_AGE, //
    },
};
use crate::{
    kernel_api::{
        hash::HashKey,
        sync::words::Word, //
    },
    packet::{
        Address,
        Family, //
    },
    recent::prelude::*, //
};
use core::cmp::Ordering;

/// No entry: the end of a chain.
pub(super) const NONE: u32 = u32::MAX;

/// The maximum number of ages in a snapshot.
pub(crate) const SNAPSHOT_AGES: usize = 2048;

/// The number of words before the stamps.
pub(super) const HEADER_WORDS: usize = 9;

const NEXT: usize = 0;
const BUCKET: usize = 1;
const SHAPE: usize = 2;
const RING: usize = 3;
const PACKETS: usize = 4;
const ADDRESS: usize = 5;

/// SHAPE holds the TTL in bits 0-7, the IP version in bits 8-11, this flag (stamped again since
/// eviction last looked at the entry), [`EXPIRES`] and the port in the upper half.
const REFERENCED: u32 = 1 << 12;

/// The entry was told when to expire: it has an [`ExpiryRecord`], and the number of its stamps is
/// there. RING says that it has none.
const EXPIRES: u32 = 1 << 13;

/// The entry is for a network: the upper half holds the length of its prefix instead of a port.
const NETWORK: u32 = 1 << 14;

/// The bits of SHAPE that belong to the key.
const KEY_OF_SHAPE: u32 = 0xffff_0f00 | NETWORK;

/// The key of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EntryKey {
    /// The address family.
    pub(crate) family: Family,
    /// The address; of a network, the first one.
    pub(crate) address: Address,
    /// What the key has besides.
    pub(crate) detail: KeyDetail,
}

/// What a key has besides its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyDetail {
    /// A port, in host byte order; 0 if ports are ignored.
    Port(u16),
    /// A network's prefix of so many bits, fewer than an address has.
    Prefix(u8),
}

impl EntryKey {
    /// The key of an address without a port.
    #[inline]
    pub(crate) const fn of_address(family: Family, address: Address) -> Self {
        Self {
            family,
            address,
            detail: KeyDetail::Port(0),
        }
    }

    /// The key of a network. A prefix as long as an address makes it that of the address. `None` if the
    /// prefix is longer, or bits of the address behind it are set.
    pub(crate) fn of_network(family: Family, address: Address, length: u8) -> Option<Self> {
        let bits = match family {
            Family::Ipv4 => 32,
            Family::Ipv6 => 128,
        };
        match length.cmp(&bits) {
            Ordering::Greater => None,
            Ordering::Equal => Some(Self::of_address(family, address)),
            Ordering::Less => {
                let network = Self::of_address(family, address).network(length);
                (network.address == address).then_some(network)
            }
        }
    }

    /// The network that the address is in, by the length of its prefix.
    #[inline]
    pub(super) fn network(&self, length: u8) -> Self {
        Self {
            family: self.family,
            address: self.address.masked(&Address::prefix_mask(length)),
            detail: KeyDetail::Prefix(length),
        }
    }

    /// The port, in host byte order; 0 if ports are ignored.
    #[inline]
    pub(crate) fn port(&self) -> u16 {
        match self.detail {
            KeyDetail::Port(port) => port,
            KeyDetail::Prefix(_) => 0,
        }
    }

    /// The length of a network's prefix.
    #[inline]
    pub(crate) fn prefix(&self) -> Option<u8> {
        match self.detail {
            KeyDetail::Port(_) => None,
            KeyDetail::Prefix(length) => Some(length),
        }
    }

    /// The family of a network, and the length of its prefix.
    #[inline]
    pub(super) fn network_length(&self) -> Option<(Family, u8)> {
        Some((self.family, self.prefix()?))
    }

    /// The key's bits in SHAPE.
    #[inline]
    fn shape(&self) -> u32 {
        let detail = match self.detail {
            KeyDetail::Port(port) => u32::from(port) << 16,
            KeyDetail::Prefix(length) => u32::from(length) << 16 | NETWORK,
        };
        detail | self.family.version() << 8
    }
}

/// What finds an entry: an [`EntryKey`], or a shorter one that is cheaper to compare.
pub(crate) trait Find: Copy {
    /// The full key.
    fn key(&self) -> EntryKey;

    /// The hash of the key.
    fn hash(&self, with: &HashKey) -> u32;

    /// Whether `entry` has this key.
    fn matches_key(&self, entry: Entry<'_>) -> bool;
}

impl Find for EntryKey {
    #[inline]
    fn key(&self) -> EntryKey {
        *self
    }

    fn hash(&self, with: &HashKey) -> u32 {
        let [a, b, c, d] = self.address.words();
        match (self.family, self.detail) {
            (Family::Ipv4, KeyDetail::Port(0)) => Ipv4Key(a).hash(with),
            (Family::Ipv4, KeyDetail::Port(_)) => with.hash_pair(a, self.shape()),
            (Family::Ipv6, KeyDetail::Port(0)) => Ipv6Key([a, b, c, d]).hash(with),
            (Family::Ipv6, KeyDetail::Port(_)) => with.hash(&[a, b, c, d, self.shape()]),
            (Family::Ipv4, KeyDetail::Prefix(length)) => Ipv4Network(a, length).hash(with),
            (Family::Ipv6, KeyDetail::Prefix(length)) => {
                Ipv6Network([a, b, c, d], length).hash(with)
            }
        }
    }

    #[inline]
    fn matches_key(&self, entry: Entry<'_>) -> bool {
        let [a, b, c, d] = self.address.words();
        // IPv6 addresses often share their first words.
        entry.word(ADDRESS + 3) == d
            && entry.word(ADDRESS + 2) == c
            && entry.word(ADDRESS + 1) == b
            && entry.word(ADDRESS) == a
            && entry.word(SHAPE) & KEY_OF_SHAPE == self.shape()
    }
}

/// The key of an IPv4 address without a port: its first word, the only nonzero one.
#[derive(Clone, Copy)]
pub(crate) struct Ipv4Key(pub(crate) u32);

impl Find for Ipv4Key {
    #[inline]
    fn key(&self) -> EntryKey {
        EntryKey::of_address(Family::Ipv4, Address::new([self.0, 0, 0, 0]))
    }

    /// Hashes as xt_recent and nftables do.
    #[inline]
    fn hash(&self, with: &HashKey) -> u32 {
        with.hash_one(self.0)
    }

    #[inline]
    fn matches_key(&self, entry: Entry<'_>) -> bool {
        entry.word(ADDRESS) == self.0 && entry.word(SHAPE) & KEY_OF_SHAPE == self.key().shape()
    }
}

/// The key of an IPv6 address without a port.
#[derive(Clone, Copy)]
pub(crate) struct Ipv6Key(pub(crate) [u32; 4]);

impl Find for Ipv6Key {
    #[inline]
    fn key(&self) -> EntryKey {
        EntryKey::of_address(Family::Ipv6, Address::new(self.0))
    }

    /// Hashes as xt_recent and nftables do.
    #[inline]
    fn hash(&self, with: &HashKey) -> u32 {
        with.hash_four(&self.0)
    }

    #[inline]
    fn matches_key(&self, entry: Entry<'_>) -> bool {
        self.key().matches_key(entry)
    }
}

/// The key of an IPv4 network: the first word of its address, and the length of its prefix.
#[derive(Clone, Copy)]
pub(super) struct Ipv4Network(pub(super) u32, pub(super) u8);

impl Find for Ipv4Network {
    #[inline]
    fn key(&self) -> EntryKey {
        EntryKey {
            detail: KeyDetail::Prefix(self.1),
            ..Ipv4Key(self.0).key()
        }
    }

    /// Only user space adds networks.
    #[inline]
    fn hash(&self, with: &HashKey) -> u32 {
        with.spread(u64::from(self.1) << 32 | u64::from(self.0))
    }

    #[inline]
    fn matches_key(&self, entry: Entry<'_>) -> bool {
        entry.word(ADDRESS) == self.0 && entry.word(SHAPE) & KEY_OF_SHAPE == self.key().shape()
    }
}

/// The key of an IPv6 network: its address, and the length of its prefix.
#[derive(Clone, Copy)]
pub(super) struct Ipv6Network(pub(super) [u32; 4], pub(super) u8);

impl Find for Ipv6Network {
    #[inline]
    fn key(&self) -> EntryKey {
        EntryKey {
            detail: KeyDetail::Prefix(self.1),
            ..Ipv6Key(self.0).key()
        }
    }

    /// Only user space adds networks.
    #[inline]
    fn hash(&self, with: &HashKey) -> u32 {
        let [a, b, c, d] = self.0.map(u64::from);
        let first = (a << 32 | b).wrapping_add(self.1.into());
        with.spread(first.rotate_left(17) ^ (c << 32 | d))
    }

    #[inline]
    fn matches_key(&self, entry: Entry<'_>) -> bool {
        self.key().matches_key(entry)
    }
}

/// An entry's contents at one moment.
pub(crate) struct Snapshot<'a> {
    /// The key.
    pub(crate) key: EntryKey,
    /// TTL or hop limit of the packet stamped last.
    pub(crate) time_to_live: u8,
    /// Packets stamped since the entry was created; saturates.
    pub(crate) packets: u32,
    /// Ages in jiffies, latest packet first; at most [`SNAPSHOT_AGES`].
    pub(crate) ages: &'a [u32],
    /// When it expires, if it was told.
    pub(crate) expiry: Option<Expiry>,
}

/// Room for the ages of a snapshot.
pub(crate) struct Ages(KVec<u32>);

impl Ages {
    /// Allocates the room. May sleep.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self(KVec::with_capacity(SNAPSHOT_AGES, GFP_KERNEL)?))
    }

    /// The ages read last.
    pub(super) fn get(&self) -> &[u32] {
        &self.0
    }
}

/// What was known of an address at another time.
pub(crate) struct SavedState<Ages> {
    /// TTL or hop limit of the packet stamped last.
    pub(crate) time_to_live: u8,
    /// Packets stamped.
    pub(crate) packets: u32,
    /// Ages in jiffies, latest packet first; at least one.
    pub(crate) ages: Ages,
}

#[derive(Clone, Copy)]
pub(crate) struct Entry<'a> {
    header: &'a [Word; HEADER_WORDS],
    stamps: &'a [Word],
    /// Its record, if it was told when to expire and that is known of.
    record: Option<ExpiryRecord<'a>>,
}

impl<'a> Entry<'a> {
    /// An entry made of its words. It is taken for one that was not told when to expire.
    #[inline]
    pub(super) fn new(header: &'a [Word; HEADER_WORDS], stamps: &'a [Word]) -> Self {
        Self {
            header,
            stamps,
            record: None,
        }
    }

    /// The entry with its record.
    pub(super) fn with_record(self, record: Option<ExpiryRecord<'a>>) -> Self {
        Self { record, ..self }
    }

    /// Whether the entry was told when to expire.
    pub(super) fn expires(&self) -> bool {
        self.word(SHAPE) & EXPIRES != 0
    }

    /// When it expires, if it was told.
    pub(super) fn expiry(&self) -> Option<Expiry> {
        Some(self.record?.expiry())
    }

    /// Whether the entry was told to expire later.
    pub(super) fn is_to_stay(&self) -> bool {
        self.expiry().is_some_and(|expiry| !expiry.is_over())
    }

    /// Tells the entry, which may have been told before, when to expire; `record` is its own.
    pub(super) fn set_expiry(&self, record: ExpiryRecord<'_>, expiry: Expiry) {
        let (count, latest) = self.ring();
        record.store(expiry, count);
        self.set_word(RING, latest);
        self.set_word(SHAPE, self.word(SHAPE) | EXPIRES);
    }

    #[inline]
    fn word(&self, index: usize) -> u32 {
        self.header.get(index).map_or(0, Word::load)
    }

    #[inline]
    fn set_word(&self, index: usize, value: u32) {
        if let Some(word) = self.header.get(index) {
            word.store(value);
        }
    }

    /// The next entry of the chain, or of the free list.
    #[inline]
    pub(super) fn next(&self) -> u32 {
        self.word(NEXT)
    }

    #[inline]
    pub(super) fn set_next(&self, next: u32) {
        self.set_word(NEXT, next);
    }

    /// The bucket that the entry is in; `None` if it is free or not linked yet. New memory reads as
    /// `None`.
    #[inline]
    pub(super) fn bucket(&self) -> Option<u32> {
        self.word(BUCKET).checked_sub(1)
    }

    pub(super) fn set_bucket(&self, bucket: Option<u32>) {
        self.set_word(BUCKET, bucket.map_or(0, |bucket| bucket.wrapping_add(1)));
    }

    /// Whether the entry matches this TTL. As in xt_recent, 0 matches any TTL, be it in the query
    /// or in an entry added by hand.
    #[inline]
    pub(super) fn matches_ttl(&self, time_to_live: u8) -> bool {
        if time_to_live == 0 {
            return true;
        }
        let own = self.word(SHAPE) as u8;
        own == time_to_live || own == 0
    }

    /// Initializes the entry for `key`, without stamps.
    #[inline]
    pub(super) fn init(&self, key: &EntryKey) {
        for (offset, word) in key.address.words().into_iter().enumerate() {
            self.set_word(ADDRESS.wrapping_add(offset), word);
        }
        self.set_word(SHAPE, key.shape());
        self.set_word(PACKETS, 0);
        self.set_stamps([].into_iter());
    }

    pub(super) fn key(&self) -> Option<EntryKey> {
        let shape = self.word(SHAPE);
        let words = core::array::from_fn(|offset| self.word(ADDRESS.wrapping_add(offset)));
        Some(EntryKey {
            family: Family::from_version(shape >> 8 & 0xf)?,
            address: Address::new(words),
            detail: match shape & NETWORK {
                0 => KeyDetail::Port((shape >> 16) as u16),
                _ => KeyDetail::Prefix((shape >> 16) as u8),
            },
        })
    }

    /// As [`EntryKey::network_length`].
    #[inline]
    pub(super) fn network_length(&self) -> Option<(Family, u8)> {
        let shape = self.word(SHAPE);
        if shape & NETWORK == 0 {
            return None;
        }
        self.key()?.network_length()
    }

    /// How many stamps fit.
    #[inline]
    fn capacity(&self) -> u32 {
        self.stamps.len() as u32
    }

    /// The number of stamps, and the index of the latest.
    #[inline]
    fn ring(&self) -> (u32, u32) {
        let ring = self.word(RING);
        let count = match self.record {
            Some(record) => record.count(),
            None => ring >> 16,
        };
        (count, ring & 0xffff)
    }

    /// Both are below 2^16.
    #[inline]
    fn set_ring(&self, count: u32, latest: u32) {
        match self.record {
            Some(record) => {
                record.store(record.expiry(), count);
                self.set_word(RING, latest);
            }
            None => self.set_word(RING, count << 16 | latest),
        }
    }

    /// The stamp that `newer` stamps came after, if the entry still has it.
    #[inline]
    pub(super) fn stamp(&self, newer: u32) -> Option<u32> {
        let (count, latest) = self.ring();
        if newer >= count {
            return None;
        }
        let index = latest.wrapping_sub(newer);
        // Stamps not below the latest are above it, up to the end.
        let stamp = self.stamps.get(index as usize).or_else(|| {
            let index = index.wrapping_add(self.capacity());
            self.stamps.get(index as usize)
        });
        stamp.map(Word::load)
    }

    /// Whether the entry is not new.
    pub(super) fn has_stamps(&self) -> bool {
        self.stamp(0).is_some()
    }

    /// Age of the latest stamp, in jiffies; `u32::MAX` without stamps.
    #[inline]
    pub(super) fn last_seen(&self, now: u32) -> u32 {
        self.stamp(0).map_or(u32::MAX, |stamp| age(now, stamp))
    }

    /// Whether the latest stamp is at most `limit` jiffies old.
    #[inline]
    pub(super) fn was_seen_within(&self, limit: u32, now: u32) -> bool {
        (self.stamp(0)).is_some_and(|stamp| is_within(limit, now, stamp))
    }

    /// Whether the entry counts: until it expires, if it was told when, and otherwise as long as the
    /// latest stamp is at most `timeout` jiffies old.
    pub(super) fn is_alive(&self, timeout: u32, now: u32) -> bool {
        match self.expiry() {
            Some(expiry) => !expiry.is_over(),
            None => self.was_seen_within(timeout, now),
        }
    }

    /// As [`Entry::satisfies`], for an entry that was told when to expire.
    pub(super) fn satisfies_until_expired(&self, window: &Window, now: u32) -> Option<bool> {
        if !self.is_to_stay() {
            return None;
        }
        self.satisfies(window, ANY_AGE, now)
    }

    /// Whether the entry's stamps satisfy the window; `None` if the latest is older than `timeout`.
    #[inline]
    pub(super) fn satisfies(&self, window: &Window, timeout: u32, now: u32) -> Option<bool> {
        if let Some(counted) = self.stamp(window.hits.wrapping_sub(1)) {
            if is_within(window.age, now, counted) {
                // The latest stamp is at least as recent as this one.
                let is_there =
                    is_within(timeout, now, counted) || self.was_seen_within(timeout, now);
                return is_there.then_some(true);
            }
        }
        self.was_seen_within(timeout, now).then_some(false)
    }

    /// Adds a stamp, and sets the TTL if one is given.
    #[inline]
    pub(super) fn push(&self, now: u32, time_to_live: Option<u8>) {
        let (count, latest) = self.ring();
        let next = latest.wrapping_add(1);
        let index = match self.stamps.get(next as usize) {
            Some(stamp) => {
                stamp.store(now);
                next
            }
            None => {
                if let Some(first) = self.stamps.first() {
                    first.store(now);
                }
                0
            }
        };
        self.set_ring(count.wrapping_add(1).min(self.capacity()), index);
        let mut shape = self.word(SHAPE);
        if let Some(time_to_live) = time_to_live {
            shape = shape & !0xff | u32::from(time_to_live);
        }
        self.set_word(SHAPE, shape | REFERENCED);
        self.set_word(PACKETS, self.word(PACKETS).saturating_add(1));
    }

    /// Initializes the entry for `key` with the stamps, TTL and packet count of `other`, but not told
    /// when to expire.
    pub(super) fn copy(&self, other: Entry<'_>, key: &EntryKey) {
        self.init(key);
        self.set_stamps((0..).map_while(|newer| other.stamp(newer)));
        let rest = other.word(SHAPE) & !(KEY_OF_SHAPE | EXPIRES);
        self.set_word(SHAPE, key.shape() | rest);
        self.set_word(PACKETS, other.word(PACKETS));
    }

    /// Sets the stamps, given latest first; those that do not fit are dropped.
    fn set_stamps(&self, stamps: impl Iterator<Item = u32>) {
        // Fill from the end, the latest in the last slot, so that the next stamp goes into slot 0.
        let capacity = self.capacity();
        let mut count = 0u32;
        for stamp in stamps.take(capacity as usize) {
            count = count.wrapping_add(1);
            let index = capacity.wrapping_sub(count);
            if let Some(word) = self.stamps.get(index as usize) {
                word.store(stamp);
            }
        }
        self.set_ring(count, capacity.wrapping_sub(1));
    }

    /// Replaces stamps, TTL and packet count. After that, the entry is not told when to expire.
    pub(super) fn restore(&self, now: u32, past: &SavedState<impl Iterator<Item = u32> + Clone>) {
        self.with_record(None)
            .set_stamps(past.ages.clone().map(|age| now.wrapping_sub(age)));
        let shape = self.word(SHAPE) & KEY_OF_SHAPE;
        self.set_word(SHAPE, shape | u32::from(past.time_to_live));
        self.set_word(PACKETS, past.packets);
    }

    /// Clears REFERENCED and returns whether it was set.
    pub(super) fn take_reference(&self) -> bool {
        let shape = self.word(SHAPE);
        self.set_word(SHAPE, shape & !REFERENCED);
        shape & REFERENCED != 0
    }

    /// Whether the oldest stamp is older than `age_max`, and so about to be mistaken for one in the
    /// future.
    pub(super) fn has_stale_stamp(&self, now: u32, age_max: u32) -> bool {
        let (count, _) = self.ring();
        self.stamp(count.wrapping_sub(1))
            .is_some_and(|stamp| age(now, stamp) > age_max)
    }

    /// Drops stamps older than `age_max`; of an entry that was told when to expire, the latest stays
    /// just that old.
    pub(super) fn forget_stale_stamps(&self, now: u32, age_max: u32) {
        while self.has_stale_stamp(now, age_max) {
            let (count, latest) = self.ring();
            if self.record.is_some() && count == 1 {
                let oldest = now.wrapping_sub(age_max).wrapping_sub(1);
                self.set_stamps([oldest].into_iter());
                return;
            }
            self.set_ring(count.saturating_sub(1), latest);
        }
    }

    /// The entry's contents; `None` if the entry is not valid at the moment. Fills `ages` as far as
    /// there is room.
    pub(super) fn read(&self, now: u32, ages: &mut Ages) -> Option<(EntryKey, u8, u32)> {
        let ages = &mut ages.0;
        ages.clear();
        let mut newer = 0;
        while let Some(stamp) = self.stamp(newer) {
            if ages.push_within_capacity(age(now, stamp)).is_err() {
                break;
            }
            newer = newer.wrapping_add(1);
        }
        Some((self.key()?, self.word(SHAPE) as u8, self.word(PACKETS)))
    }
}
