// SPDX-License-Identifier: GPL-2.0

//! A table of token buckets, by key.
//!
//! Each key has one of a few places, those of its set, of which each has a lock. If all of them are
//! taken, the bucket that is full soonest gives way: those of hosts that keep on sending stay.

use super::{
    bucket::Bucket,
    key::KEY_WORDS,
    Limit,
    RateKey, //
};
use crate::{
    kernel_api::{
        hash::HashKey,
        memory_cgroup::{
            MemoryCgroup,
            LARGE, //
        },
        sync::{
            buckets::Buckets,
            records::Records,
            words::Word, //
        },
        work::cond_resched, //
    },
    packet::Family, //
};
use core::num::NonZeroU32;
use kernel::{
    alloc::flags::__GFP_NOWARN,
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
};

/// The places of a set.
pub(super) const WAYS: usize = 8;

/// There are so many places for each bucket that a table is meant for, so that hardly any set gets
/// full before the table.
const SPARE: u32 = 2;

/// The words of a place: a key, when the bucket is full and when it was seen (two words each), and
/// how often it was filled.
const PLACE: usize = KEY_WORDS + 5;

/// The words of a set: the tags of all its places, and then the places.
const SET: usize = WAYS + WAYS * PLACE;

/// A tag is that of a free place, or bits of the hash with the IP version in these.
const VERSION: u32 = 0xf;
const FREE: u32 = 0;

/// A table of token buckets.
pub(crate) struct RateTable {
    name: KVec<u8>,
    key: HashKey,
    /// How many buckets it is meant for.
    size: u32,
    sets: Records<SET>,
    locks: Buckets,
    /// Charged for sets, which get their memory when a packet needs them.
    memory_cgroup: MemoryCgroup,
    evicted: Atomic<u64>,
    refused: Atomic<u64>,
    /// Whether a rule uses it, while that is found out.
    is_used: Atomic<bool>,
}

/// What a table knows of a key.
pub(crate) struct RateSnapshot {
    pub(crate) key: RateKey,
    /// Jiffies until the bucket is full.
    pub(crate) missing: u64,
    /// Jiffies since the last packet.
    pub(crate) age: u64,
}

/// A place of a set.
#[derive(Clone, Copy)]
struct Place<'a> {
    tag: &'a Word,
    words: &'a [Word; PLACE],
}

impl Place<'_> {
    fn family(&self) -> Option<Family> {
        Family::from_version(self.tag.load() & VERSION)
    }

    /// Whether it is for a key of the same family.
    #[inline]
    fn has(&self, key: &RateKey) -> bool {
        match key.family {
            // The other words are 0.
            Family::Ipv4 => {
                let [source, _, _, _, destination, _, _, _, ports, ..] = self.words;
                let ([a, ..], [b, ..]) = (key.source.words(), key.destination.words());
                source.load() == a && destination.load() == b && ports.load() == key.ports
            }
            Family::Ipv6 => {
                let own = key.words();
                Iterator::zip(self.words.iter(), own).all(|(word, own)| word.load() == own)
            }
        }
    }

    fn key(&self) -> [u32; KEY_WORDS] {
        let mut key = [0; KEY_WORDS];
        for (own, word) in Iterator::zip(key.iter_mut(), self.words) {
            *own = word.load();
        }
        key
    }

    fn set_key(&self, tag: u32, key: &RateKey) {
        for (word, own) in Iterator::zip(self.words.iter(), key.words()) {
            word.store(own);
        }
        self.tag.store(tag);
    }

    #[inline]
    fn bucket(&self) -> Bucket {
        let [.., full_low, full_high, seen_low, seen_high, refilled] = self.words;
        let both = |low: &Word, high: &Word| u64::from(high.load()) << 32 | u64::from(low.load());
        Bucket {
            full_at: both(full_low, full_high),
            seen: both(seen_low, seen_high),
            refilled: refilled.load(),
        }
    }

    #[inline]
    fn set_bucket(&self, bucket: &Bucket) {
        let [.., full_low, full_high, seen_low, seen_high, refilled] = self.words;
        full_low.store(bucket.full_at as u32);
        full_high.store((bucket.full_at >> 32) as u32);
        seen_low.store(bucket.seen as u32);
        seen_high.store((bucket.seen >> 32) as u32);
        refilled.store(bucket.refilled);
    }
}

/// The places of a set.
#[inline]
fn places(set: &[Word; SET]) -> impl Iterator<Item = Place<'_>> {
    let (tags, places) = set.split_at(WAYS);
    let places = places.chunks_exact(PLACE).filter_map(<[Word]>::first_chunk);
    Iterator::zip(tags.iter(), places).map(|(tag, words)| Place { tag, words })
}

impl RateTable {
    /// An empty table for so many buckets. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM` if there is not enough memory.
    pub(super) fn new(name: &[u8], size: u32) -> Result<Self> {
        let mut owned = KVec::new();
        owned.extend_from_slice(name, GFP_KERNEL_ACCOUNT)?;
        let places = size.saturating_mul(SPARE);
        let locks = Buckets::new(places.div_ceil(WAYS as u32).max(1), 0, LARGE)?;
        // Each set gets its memory on its own.
        let sets = Records::new(locks.count(), 0, NonZeroU32::MIN, u32::MAX, LARGE)?;
        Ok(Self {
            name: owned,
            key: HashKey::random(),
            size,
            sets,
            locks,
            memory_cgroup: MemoryCgroup::current(),
            evicted: Atomic::new(0),
            refused: Atomic::new(0),
            is_used: Atomic::new(true),
        })
    }

    /// Its name.
    pub(crate) fn name(&self) -> &[u8] {
        &self.name
    }

    /// How many buckets it is meant for.
    pub(crate) fn size(&self) -> u32 {
        self.size
    }

    /// Notes whether a rule uses it.
    pub(super) fn set_used(&self, is_used: bool) {
        self.is_used.store(is_used, Relaxed);
    }

    /// What was noted last.
    pub(super) fn is_used(&self) -> bool {
        self.is_used.load(Relaxed)
    }

    /// How many buckets gave way before they were full.
    pub(crate) fn evicted(&self) -> u64 {
        self.evicted.load(Relaxed)
    }

    /// How many packets had no bucket since there was no memory.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Relaxed)
    }

    /// Takes a packet of so many bytes from the bucket of its key. Returns whether there was enough in
    /// it, as there is in one that there was no memory for.
    #[inline(always)]
    pub(crate) fn take(&self, key: &RateKey, limit: &Limit, length: u32, jiffies: u64) -> bool {
        let hash = key.hash(&self.key);
        let number = self.locks.index(hash);
        // The index is made of the lower bits.
        let tag = hash.rotate_right(u32::BITS / 2) & !VERSION | key.family.version();
        let Some(set) = self.set(number).or_else(|| self.provide(number)) else {
            self.refused.fetch_add(1, Relaxed);
            return true;
        };
        let _lock = self.locks.lock(number);
        let found = places(set).find(|place| place.tag.load() == tag && place.has(key));
        let Some(place) = found.or_else(|| self.make_room(set, tag, key, limit, jiffies)) else {
            return true;
        };
        let mut bucket = place.bucket();
        let is_under = limit.take(&mut bucket, length, jiffies);
        place.set_bucket(&bucket);
        is_under
    }

    /// A set, if it has memory.
    #[inline]
    fn set(&self, number: u32) -> Option<&[Word; SET]> {
        Some(self.sets.get(number)?.0)
    }

    /// A set, which is given its memory; `None` if there is none.
    #[cold]
    fn provide(&self, number: u32) -> Option<&[Word; SET]> {
        let flags = GFP_NOWAIT | __GFP_NOWARN;
        let provided = (self.memory_cgroup).charge(flags, |flags| self.sets.provide(number, flags));
        provided.ok()?;
        self.set(number)
    }

    /// Makes a place of the set that of a key, with a full bucket. The caller has the set's lock.
    #[cold]
    fn make_room<'a>(
        &self,
        set: &'a [Word; SET],
        tag: u32,
        key: &RateKey,
        limit: &Limit,
        jiffies: u64,
    ) -> Option<Place<'a>> {
        // A bucket that says nothing comes first.
        let rank = |place: &Place<'_>| match place.bucket() {
            _ if place.tag.load() == FREE => 0,
            bucket if bucket.is_full(limit, jiffies) => 1,
            bucket => bucket.full_at.saturating_add(2),
        };
        let place = places(set).min_by_key(rank)?;
        if rank(&place) > 1 {
            self.evicted.fetch_add(1, Relaxed);
        }
        place.set_key(tag, key);
        // It has not expired before it is seen.
        place.set_bucket(&Bucket {
            seen: jiffies,
            ..Bucket::FULL
        });
        Some(place)
    }

    /// The places that there are, used or not.
    pub(crate) fn places_count(&self) -> usize {
        (self.locks.count() as usize).saturating_mul(WAYS)
    }

    /// What is in the place of that number, from 0; `None` if it is free.
    pub(crate) fn snapshot(&self, number: usize, jiffies: u64) -> Option<RateSnapshot> {
        let set = (number / WAYS) as u32;
        let mut places = places(self.set(set)?);
        let _lock = self.locks.lock(set);
        let place = places.nth(number % WAYS)?;
        let family = place.family()?;
        let bucket = place.bucket();
        Some(RateSnapshot {
            key: RateKey::new(family, place.key()),
            missing: bucket.missing(jiffies),
            age: bucket.age(jiffies),
        })
    }

    /// Forgets all buckets. May sleep.
    pub(crate) fn flush(&self) {
        for number in 0..self.locks.count() {
            if let Some(set) = self.set(number) {
                let lock = self.locks.lock(number);
                places(set).for_each(|place| place.tag.store(FREE));
                drop(lock);
            }
            cond_resched();
        }
    }
}
