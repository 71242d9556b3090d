// SPDX-License-Identifier: GPL-2.0

//! Sets of names of hosts, which are looked up by their hashes.

use crate::kernel_api::hash::HashKey;
use kernel::prelude::*;

/// The longest name in a set, in bytes.
const NAME_MAX: usize = u8::MAX as usize;

/// A prime number. A polynomial modulo this, at a random point, tells two texts apart but for as many points
/// as they are long.
const PRIME: u64 = (1 << 61) - 1;

/// Names of hosts, and suffixes of names, which begin with a dot.
///
/// Whoever made the names does not know the point, so that nobody can make many that share a slot.
pub(crate) struct HostSet {
    /// Each name in lower case, behind a byte that says how long it is.
    names: KVVec<u8>,
    /// A power of two, and at most half of them used: the offset of a name behind its length, or 0.
    slots: KVVec<u32>,
    point: u64,
}

impl HostSet {
    /// A set of names. In place of a first label, a star stands for any labels.
    ///
    /// # Errors
    ///
    /// `EINVAL` for a name that is empty or too long, `ENOMEM` without memory.
    pub(crate) fn new<'a>(all: impl Iterator<Item = &'a [u8]>) -> Result<Self> {
        let mut names = KVVec::new();
        let mut count = 0_usize;
        for name in all {
            let name = match name {
                [b'*', suffix @ ..] if matches!(suffix, [b'.', _, ..]) => suffix,
                name => name,
            };
            if name.is_empty() || name.len() > NAME_MAX {
                return Err(EINVAL);
            }
            names.push(name.len() as u8, GFP_KERNEL_ACCOUNT)?;
            for byte in name {
                names.push(byte.to_ascii_lowercase(), GFP_KERNEL_ACCOUNT)?;
            }
            count = count.saturating_add(1);
        }
        let key = HashKey::random();
        let size = count.saturating_mul(2).checked_next_power_of_two();
        let mut this = Self {
            slots: KVVec::from_elem(0, size.ok_or(ENOMEM)?, GFP_KERNEL_ACCOUNT)?,
            names,
            point: (u64::from(key.hash_one(0)) << 32 | u64::from(key.hash_one(1))) % PRIME,
        };
        let mut start = 1;
        while start < this.names.len() {
            let name = this.name_at(start);
            let next = start.wrapping_add(name.len()).wrapping_add(1);
            let hash = (name.iter().rev()).fold(0, |hash, byte| this.extended(hash, *byte));
            if let Err(free) = this.find(hash, name) {
                if let Some(slot) = this.slots.get_mut(free) {
                    *slot = u32::try_from(start).map_err(|_| ENOMEM)?;
                }
            }
            start = next;
        }
        Ok(this)
    }

    /// Whether a name in lower case is in the set, or below a suffix of it.
    pub(crate) fn contains(&self, name: &[u8]) -> bool {
        let mut hash = 0;
        for (index, byte) in name.iter().enumerate().rev() {
            hash = self.extended(hash, *byte);
            let suffix = name.get(index..).unwrap_or_default();
            if (*byte == b'.' || index == 0) && self.find(hash, suffix).is_ok() {
                return true;
            }
        }
        false
    }

    /// The hash of a text with a byte in front of it.
    #[inline]
    fn extended(&self, hash: u64, byte: u8) -> u64 {
        let product = u128::from(hash).wrapping_mul(u128::from(self.point));
        let sum = product.wrapping_add(u128::from(byte).wrapping_add(1));
        // 2^61 is 1 modulo the prime.
        let folded = (sum as u64 & PRIME).wrapping_add(sum.wrapping_shr(61) as u64);
        folded.checked_sub(PRIME).unwrap_or(folded)
    }

    /// The name at an offset, behind its length.
    #[inline]
    fn name_at(&self, start: usize) -> &[u8] {
        let length = start.checked_sub(1).and_then(|at| self.names.get(at));
        let end = start.wrapping_add(length.map_or(0, |length| usize::from(*length)));
        self.names.get(start..end).unwrap_or_default()
    }

    /// Finds a name by its hash. The error is the slot where it would be.
    #[inline]
    fn find(&self, hash: u64, name: &[u8]) -> core::result::Result<usize, usize> {
        let mask = self.slots.len().wrapping_sub(1);
        let mut index = hash as usize & mask;
        // There are free slots, so that this ends.
        while let Some(start) = self.slots.get(index).filter(|start| **start != 0) {
            if self.name_at(*start as usize) == name {
                return Ok(index);
            }
            index = index.wrapping_add(1) & mask;
        }
        Err(index)
    }
}
