// SPDX-License-Identifier: GPL-2.0

//! The rules of a network namespace, as an immutable value: a change makes a new one.

use super::{
    chains::{
        self,
        ChainName, //
    },
    draft::Draft,
    index::Index,
    references::References,
    rule::Rule,
    trace::Tracing, //
};
use crate::{
    rates::RateTable,
    rules::prelude::*, //
};

/// What a ruleset needs while it is in force.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// The packets of these built-in chains.
    pub(crate) packets: [bool; chains::COUNT],
    /// Connection tracking.
    pub(crate) conntrack: bool,
    /// SYNPROXY.
    pub(crate) synproxy: bool,
    /// Address translation.
    pub(crate) translation: bool,
}

/// The rules of a network namespace.
///
/// Unchanged chains are shared with the previous ruleset.
pub(crate) struct Ruleset {
    /// The chains by number; `None` for a free number.
    pub(super) chains: KVVec<Option<Arc<Chain>>>,
    /// The chains by name.
    pub(super) index: Index,
    /// Differs from that of previous rulesets.
    pub(crate) generation: u32,
    /// How many rules jump to each chain.
    pub(crate) references: References,
    /// What it needs while it is in force.
    pub(crate) needs: Needs,
    /// What it needs to tell of packets.
    pub(super) tracing: Tracing,
}

impl ChainNames for Ruleset {
    fn name_of(&self, id: ChainId) -> Option<ChainName> {
        Some(self.chain(id)?.name)
    }
}

impl Ruleset {
    /// A ruleset without rules.
    pub(crate) fn new() -> Result<Self> {
        let mut chains = KVVec::with_capacity(chains::COUNT, GFP_KERNEL_ACCOUNT)?;
        let mut index = Index::default();
        for (id, base) in ChainId::built_in() {
            let chain = Arc::new(Chain::built_in(base)?, GFP_KERNEL_ACCOUNT)?;
            chains.push(Some(chain), GFP_KERNEL_ACCOUNT)?;
            index.insert(id, base.table, base.name, |id| {
                chains.get(id.number())?.as_deref()
            })?;
        }
        Ok(Self {
            chains,
            index,
            generation: 1,
            references: References::default(),
            needs: Needs::default(),
            tracing: Tracing::new(),
        })
    }

    /// The chain with that number.
    #[inline]
    pub(crate) fn chain(&self, id: ChainId) -> Option<&Chain> {
        self.chains.get(id.number())?.as_deref()
    }

    /// Whether somebody may listen to what traced packets meet; two loads and a comparison.
    #[inline]
    pub(crate) fn may_be_heard(&self) -> bool {
        self.tracing.may_be_heard()
    }

    /// All chains, the built-in ones first.
    pub(crate) fn chains(&self) -> impl Iterator<Item = (ChainId, &Chain)> {
        let chains = self.chains.iter().enumerate();
        chains.filter_map(|(number, chain)| Some((ChainId::new(number), chain.as_deref()?)))
    }

    /// A draft of the ruleset that follows this one.
    pub(crate) fn draft(&self) -> Result<Draft> {
        Draft::after(self)
    }

    /// How many rules use a list.
    pub(crate) fn users(&self, list: &List) -> usize {
        self.rules().filter_map(|rule| rule.uses(list)).count()
    }

    /// The highest number of packets that a rule counts in a list.
    pub(crate) fn hits(&self, list: &List) -> u32 {
        let hits = self.rules().filter_map(|rule| rule.uses(list));
        hits.max().unwrap_or(0)
    }

    /// The tables of rates that rules use, each as often as it is used.
    pub(crate) fn rates(&self) -> impl Iterator<Item = &RateTable> {
        self.rules().flat_map(|rule| rule.rates())
    }

    fn rules(&self) -> impl Iterator<Item = &Arc<Rule>> {
        self.chains().flat_map(|(_, chain)| chain.rules.iter())
    }
}
