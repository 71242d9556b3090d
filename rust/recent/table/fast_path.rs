// SPDX-License-Identifier: GPL-2.0

//! The fast path of most packets, while no entries migrate and none are reaped.
//!
//! Inlined and monomorphized for each kind of key: calls, and passing arguments in memory, would
//! cost as much as the work itself.

use super::Query;
use crate::recent::prelude::*;

impl EntryTable {
    /// As [`EntryTable::check`]; `None` if the bucket changed meanwhile, or the table is
    /// superseded.
    #[inline(always)]
    pub(crate) fn check_fast(
        &self,
        query: &Query<'_, impl Find>,
        now: impl FnOnce() -> u32,
    ) -> Option<bool> {
        let (head, attempt) = self.buckets.attempt(self.bucket(&query.key))?;
        let answer = match self.find(head, &query.key, Some(&attempt)) {
            Some((_, entry)) => Self::answer(entry, query, self.timeout(), now()),
            None => None,
        };
        if attempt.is_disturbed() || answer.is_none() && self.is_superseded() {
            return None;
        }
        Some(answer.unwrap_or(false))
    }

    /// As [`EntryTable::update`].
    #[inline(always)]
    pub(crate) fn update_fast(
        &self,
        query: &Query<'_, impl Find>,
        invert: bool,
        now: impl FnOnce() -> u32,
        time_to_live: u8,
    ) -> Result<bool, Superseded> {
        let guard = self.lock(self.bucket(&query.key))?;
        let Some((_, entry)) = self.find(guard.head(), &query.key, None) else {
            return Ok(false);
        };
        let now = now();
        let Some(agrees) = Self::answer(entry, query, self.timeout(), now) else {
            return Ok(false);
        };
        if agrees != invert {
            entry.push(now, Some(time_to_live));
        }
        Ok(agrees)
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
        if self.write_known(&guard, key, now, move |entry| {
            entry.push(now, Some(time_to_live));
        }) {
            return Ok(Stamped::Updated);
        }
        drop(guard);
        self.stamp_new(bucket, &key.key(), now, time_to_live)
    }

    #[inline(never)]
    fn stamp_new(
        &self,
        bucket: u32,
        key: &EntryKey,
        now: u32,
        time_to_live: u8,
    ) -> Result<Stamped, Superseded> {
        self.write_new(bucket, key, now, Origin::Packet, move |entry| {
            entry.push(now, Some(time_to_live));
        })
    }
}
