// SPDX-License-Identifier: GPL-2.0

//! Which connections are open, as far as that is remembered.
//!
//! Segments of open connections are to go on to connection tracking, which looks their connection up. So
//! that it need not be looked up twice, a table says of most of them that there is one. Each place of it
//! holds the mark of one connection, and both depend on a keyed hash: nobody can tell which others share a
//! place, and of segments of no connection about one in half a billion is taken for one. Connection tracking
//! has the last word on that. What follows a SYN between the same is looked up again.
//!
//! A SYN is looked up as well where its place was ever used: whoever's mark was there last, the connection may be
//! one whose mark gave way to that. Where the mark of one of SYNPROXY's connections gave way, that is remembered: somebody
//! has to be told when connection tracking loses that one.

use crate::{
    kernel_api::{
        conntrack::connections::Endpoints,
        hash::HashKey,
        sync::words::Word, //
    },
    packet::Family, //
};
use kernel::prelude::*;

/// Places, as a power of two. A fuzzer makes the table anew for each run.
const PLACES_SHIFT: u32 = if cfg!(fuzzing) { 4 } else { 14 };

/// GOLDEN_RATIO_32 of `include/linux/hash.h`: spreads the ports, of which few bits differ, over a mark.
const SPREAD: u32 = 0x61c8_8647;

/// What a place holds whose mark was cleared. Marks are odd.
const CLEARED: u32 = 2;

/// The bit that all marks have.
const MARK: u32 = 1;

/// The bit of a mark that says that the connection is one of SYNPROXY's.
const OWN: u32 = 2;

/// The bit of a place that says that the mark of one of SYNPROXY's connections has given way there. What somebody else
/// writes at the same time may take it away.
const CROWDED: u32 = 4;

/// What is not the mark itself.
const FLAGS: u32 = OWN | CROWDED;

/// The marks of open connections.
pub(in crate::synproxy) struct EstablishedCache {
    key: HashKey,
    marks: KVVec<Word>,
}

/// A place and the mark for it.
#[derive(Clone, Copy)]
pub(in crate::synproxy) struct Mark<'a> {
    place: &'a Word,
    mark: u32,
}

impl EstablishedCache {
    /// None.
    pub(in crate::synproxy) fn new() -> Result<Self> {
        let count = 1 << PLACES_SHIFT;
        let mut marks = KVVec::with_capacity(count, GFP_KERNEL_ACCOUNT)?;
        for _ in 0..count {
            marks.push(Word::new(0), GFP_KERNEL_ACCOUNT)?;
        }
        Ok(Self {
            key: HashKey::random(),
            marks,
        })
    }

    /// The mark of the connection that a client's segments are of.
    #[inline]
    pub(in crate::synproxy) fn mark(&self, endpoints: &Endpoints) -> Option<Mark<'_>> {
        let ([a, b, c, d], [e, f, g, h]) = endpoints.addresses;
        let ports = endpoints.port_word();
        let hash = match endpoints.family {
            Family::Ipv4 => self.key.hash_three([a, e, ports]),
            Family::Ipv6 => self.key.hash_nine(&[a, b, c, d, e, f, g, h, ports]),
        };
        let place = self.marks.get(hash as usize & ((1 << PLACES_SHIFT) - 1))?;
        let mark = hash ^ (a ^ d).rotate_left(7) ^ ports.wrapping_mul(SPREAD);
        // Zero is the mark of none.
        Some(Mark {
            place,
            mark: (mark | MARK) & !FLAGS,
        })
    }
}

impl Mark<'_> {
    /// Whether the connection is known to be open.
    #[inline]
    pub(in crate::synproxy) fn is_set(&self) -> bool {
        self.place.load() & !FLAGS == self.mark
    }

    /// Whether the connection is known to be open, and to be one of SYNPROXY's.
    pub(in crate::synproxy) fn is_own(&self) -> bool {
        self.place.load() & !CROWDED == self.mark | OWN
    }

    /// Whether the place may have had the mark of a connection at any time.
    #[inline]
    pub(in crate::synproxy) fn was_used(&self) -> bool {
        self.place.load() != 0
    }

    /// There is a connection, which is not open yet.
    #[inline]
    pub(in crate::synproxy) fn occupy(&self) {
        if !self.was_used() {
            self.place.store(CLEARED);
        }
    }

    /// The connection is open, and one of SYNPROXY's or not.
    pub(in crate::synproxy) fn set(&self, is_own: bool) {
        let own = if is_own { OWN } else { 0 };
        let last = self.place.load();
        let gives_way = last & (MARK | OWN) == MARK | OWN && last & !FLAGS != self.mark;
        let crowded = if gives_way { CROWDED } else { last & CROWDED };
        self.place.store(self.mark | own | crowded);
    }

    /// Whether the connection may be one of SYNPROXY's whose mark has given way.
    pub(in crate::synproxy) fn may_have_given_way(&self) -> bool {
        self.place.load() & CROWDED != 0
    }

    /// The connection may be another one now.
    #[inline]
    pub(in crate::synproxy) fn clear(&self) {
        let last = self.place.load();
        if last & !FLAGS == self.mark {
            self.place.store(CLEARED | last & CROWDED);
        }
    }
}
