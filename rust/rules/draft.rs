// SPDX-License-Identifier: GPL-2.0

//! A ruleset in the making.

use super::{
    chains::{
        self,
        ChainId, //
    },
    rule::Rule,
    ruleset::{
        Chain,
        Ruleset, //
    },
};
use crate::kernel_api::counters::{
    Counters,
    Totals, //
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// A chain of a draft, which is copied when it is changed for the first time.
pub(super) enum DraftChain {
    Shared(Arc<Chain>),
    Changed(Chain),
}

impl DraftChain {
    fn chain(&self) -> &Chain {
        match self {
            Self::Shared(chain) => chain,
            Self::Changed(chain) => chain,
        }
    }
}

/// What is to be set to zero when the draft comes into force.
pub(super) enum Zeroed {
    Policy(Arc<Counters>),
    Rule(Arc<Rule>),
}

/// A ruleset in the making, which nobody sees.
pub(crate) struct Draft {
    pub(super) chains: [DraftChain; chains::COUNT],
    pub(super) zeroed: KVVec<Zeroed>,
    pub(super) generation: u32,
}

impl Draft {
    /// A chain, to look at.
    pub(crate) fn chain_ref(&self, id: ChainId) -> Result<&Chain> {
        self.chains
            .get(id.place())
            .map(DraftChain::chain)
            .ok_or(EINVAL)
    }

    /// A chain, to change.
    pub(crate) fn chain_mut(&mut self, id: ChainId) -> Result<&mut Chain> {
        let place = self.chains.get_mut(id.place()).ok_or(EINVAL)?;
        if let DraftChain::Shared(shared) = place {
            *place = DraftChain::Changed(shared.try_clone()?);
        }
        match place {
            DraftChain::Changed(chain) => Ok(chain),
            DraftChain::Shared(_) => Err(EINVAL),
        }
    }

    /// Sets the counters of a chain and of its rules to zero, once the draft is in force.
    pub(crate) fn zero(&mut self, id: ChainId) -> Result {
        let chain = self.chains.get(id.place()).ok_or(EINVAL)?.chain();
        let policy = Zeroed::Policy(chain.policy_counters.clone());
        self.zeroed.push(policy, GFP_KERNEL_ACCOUNT)?;
        for rule in &chain.rules {
            self.zeroed
                .push(Zeroed::Rule(rule.clone()), GFP_KERNEL_ACCOUNT)?;
        }
        Ok(())
    }

    /// How many rules there are.
    pub(crate) fn rules(&self) -> usize {
        self.chains.iter().fold(0, |sum, chain| {
            sum.saturating_add(chain.chain().rules.len())
        })
    }

    /// Makes it a ruleset, together with what is to be done when that is in force.
    pub(crate) fn finish(self) -> Result<(Ruleset, Zeroing)> {
        let chains = self.chains.map(|chain| match chain {
            DraftChain::Shared(chain) => Some(chain),
            DraftChain::Changed(chain) => Arc::new(chain, GFP_KERNEL_ACCOUNT).ok(),
        });
        let [Some(first), Some(second)] = chains else {
            return Err(ENOMEM);
        };
        let ruleset = Ruleset {
            chains: [first, second],
            generation: self.generation,
        };
        Ok((ruleset, Zeroing(self.zeroed)))
    }
}

/// Counters that are to be set to zero.
#[must_use = "they are set to zero by `run`"]
pub(crate) struct Zeroing(KVVec<Zeroed>);

impl Zeroing {
    /// Does it.
    pub(crate) fn run(self) {
        for zeroed in &self.0 {
            match zeroed {
                Zeroed::Policy(counters) => counters.set(Totals::default()),
                Zeroed::Rule(rule) => rule.counters().set(Totals::default()),
            }
        }
    }
}
