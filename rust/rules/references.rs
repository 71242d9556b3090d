// SPDX-License-Identifier: GPL-2.0

//! How many rules jump to each chain.

use super::chain::RuleEntry;
use crate::rules::prelude::*;

/// The number of rules that jump to each chain, by chain number.
#[derive(Default)]
pub(crate) struct References(KVVec<u32>);

impl References {
    /// Counts the jumps of chains, which only jump to each other and have numbers below `end`; with
    /// a family, only those of rules that include it.
    pub(super) fn count<'a>(
        end: usize,
        chains: impl Iterator<Item = &'a Chain>,
        family: Option<Family>,
    ) -> Result<Self> {
        let is_meant =
            |entry: &&RuleEntry| family.is_none_or(|family| family.is_in(entry.family()));
        let mut references = KVVec::from_elem(0u32, end, GFP_KERNEL_ACCOUNT)?;
        for chain in chains {
            let rules = chain.rules.entries().iter().filter(is_meant);
            for to in rules.filter_map(|entry| entry.rule.destination()) {
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
