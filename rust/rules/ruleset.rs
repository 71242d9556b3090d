// SPDX-License-Identifier: GPL-2.0

//! The rules of a network namespace, as a value: what changes them makes a new one.

use super::{
    chains::{
        self,
        ChainId, //
    },
    draft::{
        Draft,
        DraftChain, //
    },
    rule::{
        Rule,
        RuleSpec, //
    },
};
use crate::{
    kernel_api::{
        counters::Counters,
        netfilter::Verdict, //
    },
    recent::List, //
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// A built-in chain.
pub(crate) struct Chain {
    /// What becomes of packets that no rule decides on.
    pub(crate) policy: Verdict,
    /// How many packets the policy decided on.
    pub(crate) policy_counters: Arc<Counters>,
    /// The rules, in order.
    pub(crate) rules: KVVec<Arc<Rule>>,
}

impl Chain {
    fn new() -> Result<Self> {
        Ok(Self {
            policy: Verdict::Accept,
            policy_counters: Arc::new(Counters::new()?, GFP_KERNEL_ACCOUNT)?,
            rules: KVVec::new(),
        })
    }

    pub(super) fn try_clone(&self) -> Result<Self> {
        let mut rules = KVVec::with_capacity(self.rules.len(), GFP_KERNEL_ACCOUNT)?;
        for rule in &self.rules {
            rules
                .push_within_capacity(rule.clone())
                .map_err(|_| ENOMEM)?;
        }
        Ok(Self {
            policy: self.policy,
            policy_counters: self.policy_counters.clone(),
            rules,
        })
    }

    /// Whether packets have to be shown to it.
    fn is_in_use(&self) -> bool {
        !self.rules.is_empty() || self.policy != Verdict::Accept
    }

    /// Puts a rule at a place, counted from 0; `EINVAL` where the rules end before.
    pub(crate) fn insert(&mut self, place: usize, rule: Rule) -> Result {
        let rule = Arc::new(rule, GFP_KERNEL_ACCOUNT)?;
        self.rules.reserve(1, GFP_KERNEL_ACCOUNT)?;
        self.rules
            .insert_within_capacity(place, rule)
            .map_err(|_| EINVAL)
    }

    /// Takes out the rule at a place, counted from 0; `ENOENT` where the rules end before.
    pub(crate) fn remove(&mut self, place: usize) -> Result {
        self.rules.remove(place).map(drop).map_err(|_| ENOENT)
    }

    /// The place of the first rule that says that.
    pub(crate) fn position(&self, spec: &RuleSpec) -> Option<usize> {
        self.rules.iter().position(|rule| rule.spec() == spec)
    }

    /// Takes out all rules.
    pub(crate) fn flush(&mut self) {
        self.rules = KVVec::new();
    }
}

/// The rules of a network namespace.
///
/// Chains are shared with the ruleset that this one was made from until they are changed.
pub(crate) struct Ruleset {
    pub(super) chains: [Arc<Chain>; chains::COUNT],
    /// Tells it from the rulesets before it.
    pub(super) generation: u32,
}

impl Ruleset {
    /// No rules.
    pub(crate) fn new() -> Result<Self> {
        let chain = || -> Result<_> { Ok(Arc::new(Chain::new()?, GFP_KERNEL_ACCOUNT)?) };
        Ok(Self {
            chains: [chain()?, chain()?],
            generation: 1,
        })
    }

    /// Tells it from the rulesets before it.
    pub(crate) fn generation(&self) -> u32 {
        self.generation
    }

    /// A chain.
    #[inline]
    pub(crate) fn chain(&self, id: ChainId) -> Option<&Arc<Chain>> {
        self.chains.get(id.place())
    }

    /// The begin of a ruleset that comes after this one. Does not sleep.
    pub(crate) fn draft(&self) -> Draft {
        Draft {
            chains: self.chains.clone().map(DraftChain::Shared),
            zeroed: KVVec::new(),
            generation: self.generation.wrapping_add(1),
        }
    }

    /// Which chains packets have to be shown to.
    pub(crate) fn chains_in_use(&self) -> [bool; chains::COUNT] {
        self.chains.each_ref().map(|chain| chain.is_in_use())
    }

    /// How many rules refer to a list.
    pub(crate) fn users(&self, list: &List) -> usize {
        let rules = self.chains.iter().flat_map(|chain| chain.rules.iter());
        rules.filter(|rule| rule.uses(list)).count()
    }
}
