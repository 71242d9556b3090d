// SPDX-License-Identifier: GPL-2.0

//! What buckets are told apart by: addresses and ports, or parts of them.

use crate::{
    kernel_api::hash::HashKey,
    packet::{
        Address,
        Family, //
    },
};

/// The key of a bucket. What rules do not look at is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RateKey {
    pub(crate) family: Family,
    pub(crate) source: Address,
    pub(crate) destination: Address,
    /// The source port in the upper half, the destination port in the lower one.
    pub(crate) ports: u32,
}

/// An address that no rule looks at.
pub(crate) const NONE: Address = Address::new([0; 4]);

/// The words of a key besides its family.
pub(super) const KEY_WORDS: usize = 9;

impl RateKey {
    /// From its words.
    pub(super) fn new(family: Family, words: [u32; KEY_WORDS]) -> Self {
        let [a, b, c, d, e, f, g, h, ports] = words;
        Self {
            family,
            source: Address::new([a, b, c, d]),
            destination: Address::new([e, f, g, h]),
            ports,
        }
    }

    /// Its words.
    #[inline]
    pub(super) fn words(&self) -> [u32; KEY_WORDS] {
        let ([a, b, c, d], [e, f, g, h]) = (self.source.words(), self.destination.words());
        [a, b, c, d, e, f, g, h, self.ports]
    }

    /// Whether it is an IPv6 source alone.
    #[inline]
    fn is_source(&self) -> bool {
        self.ports == 0 && self.destination == NONE
    }

    /// Hashes as xt_hashlimit does, only the words that may be set.
    #[inline]
    pub(super) fn hash(&self, with: &HashKey) -> u32 {
        match self.family {
            Family::Ipv4 => {
                let ([a, ..], [b, ..]) = (self.source.words(), self.destination.words());
                with.hash_three([a, b, self.ports])
            }
            Family::Ipv6 if self.is_source() => with.hash_four(&self.source.words()),
            Family::Ipv6 => with.hash_nine(&self.words()),
        }
    }
}
