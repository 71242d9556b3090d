// SPDX-License-Identifier: GPL-2.0

//! Which lengths of prefix the networks in a table have.
//!
//! A packet looks for a network of each length that is there. The lengths change under a lock; packets
//! take none. A length is noted before the first network of that length can be found, and forgotten
//! after the last one is gone.

use crate::{
    kernel_api::sync::{
        softirq_lock::SoftirqLock,
        words::Word, //
    },
    packet::Family,
    recent::prelude::*, //
};

/// The lengths of both families: one word for IPv4, four for IPv6.
const WORDS: usize = 5;

/// Where the lengths of a family begin.
const fn first_word(family: Family) -> usize {
    match family {
        Family::Ipv4 => 0,
        Family::Ipv6 => 1,
    }
}

/// Which lengths are there.
pub(super) struct Prefixes {
    /// A bit for each length, from that of the longest address to 0.
    lengths: [Word; WORDS],
    /// How many networks there are of each length.
    counts: SoftirqLock<KVec<u32>>,
}

impl Prefixes {
    /// None so far.
    pub(super) fn new() -> Result<Self> {
        let counts = KVec::from_elem(0, WORDS * 32, GFP_KERNEL_ACCOUNT)?;
        Ok(Self {
            lengths: [const { Word::new(0) }; WORDS],
            counts: SoftirqLock::new(counts)?,
        })
    }

    /// Changes how many networks there are of a length.
    #[cold]
    fn change(&self, (family, length): (Family, u8), change: impl Fn(u32) -> u32) {
        let index = first_word(family).wrapping_add(usize::from(length / 32));
        let bit = 1u32.wrapping_shl(length.into());
        self.counts.with(|counts| {
            let count = index
                .wrapping_mul(32)
                .wrapping_add(usize::from(length % 32));
            let (Some(count), Some(word)) = (counts.get_mut(count), self.lengths.get(index)) else {
                return;
            };
            *count = change(*count);
            let others = word.load() & !bit;
            word.store_release(if *count > 0 { others | bit } else { others });
        });
    }

    /// There is one more entry, perhaps for a network. The caller holds no bucket's lock.
    #[inline]
    pub(super) fn add(&self, network: Option<(Family, u8)>) {
        if let Some(network) = network {
            self.change(network, |count| count.saturating_add(1));
        }
    }

    /// There is one less. The caller holds no bucket's lock.
    #[inline]
    pub(super) fn remove(&self, network: Option<(Family, u8)>) {
        if let Some(network) = network {
            self.change(network, |count| count.saturating_sub(1));
        }
    }

    /// The lengths that are there, the index of a word of an address with bits for how many of its bits
    /// belong to the prefix, the longest last.
    #[inline]
    pub(super) fn of(&self, family: Family) -> impl DoubleEndedIterator<Item = (usize, u32)> + '_ {
        let words = match family {
            Family::Ipv4 => self.lengths.get(..1),
            Family::Ipv6 => self.lengths.get(1..),
        };
        let words = words.unwrap_or_default().iter();
        words.map(Word::load_acquire).enumerate()
    }

    /// The lengths that are there, in this table or in the previous one, the longest first.
    pub(super) fn lengths<'a>(
        &'a self,
        previous: Option<&'a Self>,
        family: Family,
    ) -> impl Iterator<Item = u8> + 'a {
        // In this order none is missed that migrates.
        let mut all = [0; 4];
        for table in Iterator::chain(previous.into_iter(), [self]) {
            for (all, (_, lengths)) in all.iter_mut().zip(table.of(family)) {
                *all |= lengths;
            }
        }
        (0..all.len() as u8).rev().flat_map(move |index| {
            let lengths = all.get(usize::from(index)).map_or(0, |lengths| *lengths);
            bits(lengths).map(move |bit| index.wrapping_mul(32).wrapping_add(bit as u8))
        })
    }
}

/// The numbers of the bits that are set, the greatest first.
#[inline]
pub(super) fn bits(mut left: u32) -> impl Iterator<Item = u32> {
    core::iter::from_fn(move || {
        let bit = left.checked_ilog2()?;
        left ^= 1u32.wrapping_shl(bit);
        Some(bit)
    })
}
