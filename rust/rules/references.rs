// SPDX-License-Identifier: GPL-2.0

//! How many rules jump to each chain.

use super::{
    chain::Chain,
    chains::ChainId, //
};
use kernel::prelude::*;

/// The numbers of rules that jump to chains, by the chains' numbers.
#[derive(Default)]
pub(crate) struct References(KVVec<u32>);

impl References {
    /// Counts the jumps of chains whose numbers are less than `end`, and which jump only to each other.
    pub(super) fn count<'a>(end: usize, chains: impl Iterator<Item = &'a Chain>) -> Result<Self> {
        let mut references = KVVec::from_elem(0u32, end, GFP_KERNEL_ACCOUNT)?;
        for chain in chains {
            for to in chain.rules.iter().filter_map(|rule| rule.destination()) {
                if let Some(count) = references.get_mut(to.number()) {
                    *count = count.saturating_add(1);
                }
            }
        }
        Ok(Self(references))
    }

    /// How many rules jump to that chain.
    pub(crate) fn to(&self, id: ChainId) -> u32 {
        self.0.get(id.number()).copied().unwrap_or(0)
    }
}
