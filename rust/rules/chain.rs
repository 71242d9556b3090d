// SPDX-License-Identifier: GPL-2.0

//! A chain: rules in order and, of a built-in one, what becomes of packets in the end.

use super::{
    chains::{
        BaseChain,
        ChainName, //
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
    spec::Table,
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// What becomes of packets that no rule of a built-in chain decides on.
#[derive(Clone)]
pub(crate) struct Policy {
    /// What becomes of them.
    pub(crate) verdict: Verdict,
    /// How many they were.
    pub(crate) counters: Arc<Counters>,
}

/// A chain.
pub(crate) struct Chain {
    /// The table that it belongs to.
    pub(crate) table: Table,
    /// Its name.
    pub(crate) name: ChainName,
    /// The policy, which only built-in chains have.
    pub(crate) policy: Option<Policy>,
    /// The rules, in order.
    pub(crate) rules: KVVec<Arc<Rule>>,
}

impl Chain {
    /// An empty chain that is built in.
    pub(super) fn built_in(base: &BaseChain) -> Result<Self> {
        let policy = Policy {
            verdict: Verdict::Accept,
            counters: Arc::new(Counters::new()?, GFP_KERNEL_ACCOUNT)?,
        };
        Ok(Self {
            policy: Some(policy),
            ..Self::new(base.table, ChainName::new(base.name).ok_or(EINVAL)?)
        })
    }

    /// An empty chain of one's own.
    pub(super) fn new(table: Table, name: ChainName) -> Self {
        Self {
            table,
            name,
            policy: None,
            rules: KVVec::new(),
        }
    }

    pub(super) fn try_clone(&self) -> Result<Self> {
        // One more, since most changes add a rule.
        let room = self.rules.len().saturating_add(1);
        let mut rules = KVVec::with_capacity(room, GFP_KERNEL_ACCOUNT)?;
        for rule in &self.rules {
            rules
                .push_within_capacity(rule.clone())
                .map_err(|_| ENOMEM)?;
        }
        Ok(Self {
            table: self.table,
            name: self.name,
            policy: self.policy.clone(),
            rules,
        })
    }

    /// Whether packets have to be shown to it, if it is a built-in chain.
    pub(super) fn is_in_use(&self) -> bool {
        let is_strict = |policy: &Policy| policy.verdict != Verdict::Accept;
        !self.rules.is_empty() || self.policy.as_ref().is_some_and(is_strict)
    }

    /// Puts a rule at a place, counted from 0; `EINVAL` where the rules end before.
    pub(crate) fn insert(&mut self, place: usize, rule: Rule) -> Result {
        let rule = Arc::new(rule, GFP_KERNEL_ACCOUNT)?;
        self.rules.reserve(1, GFP_KERNEL_ACCOUNT)?;
        self.rules
            .insert_within_capacity(place, rule)
            .map_err(|_| EINVAL)
    }

    /// Puts a rule in the place of another, counted from 0; `ENOENT` where the rules end before.
    pub(crate) fn replace(&mut self, place: usize, rule: Rule) -> Result {
        let rule = Arc::new(rule, GFP_KERNEL_ACCOUNT)?;
        *self.rules.get_mut(place).ok_or(ENOENT)? = rule;
        Ok(())
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
