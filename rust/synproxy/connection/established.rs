// SPDX-License-Identifier: GPL-2.0

//! A cache of connections known to be open.
//!
//! Segments of open connections go on to connection tracking, which looks the connection up. To
//! avoid a second lookup, a table says of most of them that they exist. Each slot holds the mark of
//! one connection, and both slot and mark come from a keyed hash: nobody can tell which others
//! share a slot, and about one in half a billion segments out of flow is taken for one in a
//! connection. Connection tracking has the last word on that. A SYN of a new connection clears the
//! mark, so that what follows is looked up again.
//!
//! A SYN is looked up whenever its slot was ever used: whichever mark was there last, it may have
//! replaced the mark of the SYN's connection. A slot remembers that a mark of one of SYNPROXY's
//! connections was replaced: both sides have to be told when connection tracking loses that
//! connection.

use crate::synproxy::prelude::*;

/// The number of slots, as a power of two. A fuzzer creates the table for each run.
const SLOTS_SHIFT: u32 = if cfg!(fuzzing) { 4 } else { 14 };

/// GOLDEN_RATIO_32 of `include/linux/hash.h`: spreads the ports, which differ in few bits, over a
/// mark.
const SPREAD: u32 = 0x61c8_8647;

/// A slot whose mark was cleared. Marks are odd.
const CLEARED: u32 = 2;

/// The bit that all marks have.
const MARK: u32 = 1;

/// Bit of a slot: the connection is one of SYNPROXY's.
const OWN: u32 = 2;

/// Bit of a slot: a mark of one of SYNPROXY's connections was replaced here. A concurrent write may
/// lose it.
const REPLACED: u32 = 4;

/// The bits of a slot that are not part of the mark.
const FLAGS: u32 = OWN | REPLACED;

/// The marks of open connections.
pub(crate) struct EstablishedCache {
    key: HashKey,
    marks: KVVec<Word>,
}

/// A slot, and the mark for it.
#[derive(Clone, Copy)]
pub(crate) struct EstablishedMark<'a> {
    slot: &'a Word,
    mark: u32,
}

impl EstablishedCache {
    /// An empty table.
    pub(crate) fn new() -> Result<Self> {
        let count = 1 << SLOTS_SHIFT;
        let mut marks = KVVec::with_capacity(count, GFP_KERNEL_ACCOUNT)?;
        for _ in 0..count {
            marks.push(Word::new(0), GFP_KERNEL_ACCOUNT)?;
        }
        Ok(Self {
            key: HashKey::random(),
            marks,
        })
    }

    /// The mark of a client's connection.
    #[inline]
    pub(crate) fn mark(&self, endpoints: &Endpoints) -> Option<EstablishedMark<'_>> {
        let ([a, b, c, d], [e, f, g, h]) = endpoints.addresses;
        let ports = endpoints.port_word();
        let hash = match endpoints.family {
            Family::Ipv4 => self.key.hash_three([a, e, ports]),
            Family::Ipv6 => self.key.hash_nine(&[a, b, c, d, e, f, g, h, ports]),
        };
        let slot = self.marks.get(hash as usize & ((1 << SLOTS_SHIFT) - 1))?;
        let mark = hash ^ (a ^ d).rotate_left(7) ^ ports.wrapping_mul(SPREAD);
        // 0 is an empty slot.
        Some(EstablishedMark {
            slot,
            mark: (mark | MARK) & !FLAGS,
        })
    }
}

impl EstablishedMark<'_> {
    /// Whether the connection is known to be open.
    #[inline]
    pub(crate) fn is_set(&self) -> bool {
        self.slot.load() & !FLAGS == self.mark
    }

    /// Whether the connection is known to be open, and one of SYNPROXY's.
    pub(crate) fn is_own(&self) -> bool {
        self.slot.load() & !REPLACED == self.mark | OWN
    }

    /// Whether the slot ever held the mark of any connection.
    #[inline]
    pub(crate) fn was_used(&self) -> bool {
        self.slot.load() != 0
    }

    /// There is a connection, but it is not open yet.
    #[inline]
    pub(crate) fn occupy(&self) {
        if !self.was_used() {
            self.slot.store(CLEARED);
        }
    }

    /// The connection is open; `is_own` tells whether it is one of SYNPROXY's.
    pub(crate) fn set(&self, is_own: bool) {
        let own = if is_own { OWN } else { 0 };
        let last = self.slot.load();
        let gives_way = last & (MARK | OWN) == MARK | OWN && last & !FLAGS != self.mark;
        let crowded = if gives_way { REPLACED } else { last & REPLACED };
        self.slot.store(self.mark | own | crowded);
    }

    /// Whether the connection may be one of SYNPROXY's whose mark was replaced.
    pub(crate) fn may_have_been_replaced(&self) -> bool {
        self.slot.load() & REPLACED != 0
    }

    /// Clears the mark: the connection may be another one now.
    #[inline]
    pub(crate) fn clear(&self) {
        let last = self.slot.load();
        if last & !FLAGS == self.mark {
            self.slot.store(CLEARED | last & REPLACED);
        }
    }
}
