// SPDX-License-Identifier: GPL-2.0

//! The fast path of most packets, while no entries migrate and none are reaped, and for entries that
//! were not told when to expire. It takes those for ones without stamps, which are for the slow path.
//!
//! Inlined and monomorphized for each kind of key: calls, and passing arguments in memory, would
//! cost as much as the work itself.

use super::{
    super::{
        entry::{
            Ipv4Network,
            Ipv6Network, //
        },
        prefixes::bits, //
    },
    Query, //
};
use crate::{
    packet::{
        first_bits,
        Family, //
    },
    recent::prelude::*, //
};

impl EntryTable {
    /// As [`EntryTable::check`]; `None` if the bucket changed meanwhile, the table is superseded, or the
    /// entry has expired or may do so when it was told.
    #[inline(always)]
    pub(crate) fn check_fast(
        &self,
        query: &Query<'_, impl Find>,
        now: impl FnOnce() -> u32,
    ) -> Option<bool> {
        let answer = self.answer_fast(&query.key, query, now)?;
        if answer.is_none() && self.is_superseded() {
            return None;
        }
        Some(answer.unwrap_or(false))
    }

    /// What the entry with that key says to the query, `Some(None)` without one; `None` as for
    /// [`EntryTable::check_fast`].
    #[inline(always)]
    fn answer_fast(
        &self,
        key: &impl Find,
        query: &Query<'_, impl Find>,
        now: impl FnOnce() -> u32,
    ) -> Option<Option<bool>> {
        let (head, attempt) = self.buckets.attempt(self.bucket(key))?;
        let answer = match self.find(head, key, Some(&attempt)) {
            Some((_, entry)) => Some(Self::answer(entry, query, self.timeout(), now())?),
            None => None,
        };
        if attempt.is_disturbed() {
            return None;
        }
        Some(answer)
    }

    /// As [`EntryTable::check_fast`], in a list that may have networks.
    #[inline(never)]
    pub(crate) fn check_fast_in_networks(
        &self,
        query: &Query<'_, impl Find>,
        now: fn() -> u32,
    ) -> Option<bool> {
        if let Some(answer) = self.answer_fast(&query.key, query, now)? {
            return Some(answer);
        }
        let EntryKey {
            family, address, ..
        } = query.key.key();
        let words = address.words();
        let mut network = words;
        for (index, lengths) in self.prefixes.of(family).rev() {
            // What follows this word is behind all prefixes that are left.
            if let Some(behind) = network.get_mut(index.wrapping_add(1)) {
                *behind = 0;
            }
            for bit in bits(lengths) {
                if let (Some(masked), Some(word)) = (network.get_mut(index), words.get(index)) {
                    *masked = word & first_bits(bit);
                }
                let length = (index as u8).wrapping_mul(32).wrapping_add(bit as u8);
                let answer = match family {
                    Family::Ipv4 => {
                        let [word, ..] = network;
                        self.answer_fast(&Ipv4Network(word, length), query, now)?
                    }
                    Family::Ipv6 => self.answer_fast(&Ipv6Network(network, length), query, now)?,
                };
                if let Some(answer) = answer {
                    return Some(answer);
                }
            }
        }
        (!self.is_superseded()).then_some(false)
    }

    /// As [`EntryTable::update`]; `None` as for [`EntryTable::check_fast`].
    #[inline(always)]
    pub(crate) fn update_fast(
        &self,
        query: &Query<'_, impl Find>,
        invert: bool,
        now: impl FnOnce() -> u32,
        time_to_live: u8,
    ) -> Option<bool> {
        let guard = self.lock(self.bucket(&query.key)).ok()?;
        let Some((_, entry)) = self.find(guard.head(), &query.key, None) else {
            return Some(false);
        };
        let now = now();
        let agrees = Self::answer(entry, query, self.timeout(), now)?;
        if agrees != invert {
            entry.push(now, Some(time_to_live));
        }
        Some(agrees)
    }

    /// As [`EntryTable::stamp`], for a packet.
    #[inline(always)]
    pub(crate) fn stamp_fast(
        &self,
        key: &impl Find,
        now: impl FnOnce() -> u32,
        time_to_live: u8,
    ) -> Result<Stamped, Superseded> {
        let bucket = self.bucket(key);
        let guard = self.lock(bucket)?;
        let now = now();
        match self.find(guard.head(), key, None) {
            Some((_, entry)) if entry.was_seen_within(self.timeout(), now) => {
                entry.push(now, Some(time_to_live));
                Ok(Stamped::Updated)
            }
            Some((index, entry)) => {
                Ok(self.stamp_unseen(guard, index, entry, &key.key(), now, time_to_live))
            }
            None => {
                drop(guard);
                self.stamp_new(bucket, &key.key(), now, time_to_live)
            }
        }
    }

    /// Stamps an entry that was told when to expire, or has expired.
    #[cold]
    #[inline(never)]
    fn stamp_unseen(
        &self,
        guard: BucketGuard<'_>,
        index: u32,
        entry: Entry<'_>,
        key: &EntryKey,
        now: u32,
        time_to_live: u8,
    ) -> Stamped {
        let stamped = self.write_unseen(index, entry, key, |_, entry: Entry<'_>| {
            let stamped = Stamped::of(entry);
            entry.push(now, Some(time_to_live));
            stamped
        });
        drop(guard);
        self.tell_new(stamped, key, now);
        stamped
    }

    #[inline(never)]
    fn stamp_new(
        &self,
        bucket: u32,
        key: &EntryKey,
        now: u32,
        time_to_live: u8,
    ) -> Result<Stamped, Superseded> {
        let push = move |_, entry: Entry<'_>| {
            entry.push(now, Some(time_to_live));
            Ok(Stamped::Updated)
        };
        let written = self.write_new(bucket, key, now, Origin::Packet, false, push)?;
        let stamped = written.unwrap_or(Stamped::NoMemory);
        self.tell_new(stamped, key, now);
        Ok(stamped)
    }
}
