// SPDX-License-Identifier: GPL-2.0

//! A chain: rules in order, and policies if it is built in.

use super::{
    chains::{
        BaseChain,
        ChainName, //
    },
    policy::Policies,
    rule::{
        Rule,
        RuleSpec, //
    },
};
use crate::rules::prelude::*;

pub(crate) struct Chain {
    /// Its table.
    pub(crate) table: Table,
    /// Its name.
    pub(crate) name: ChainName,
    /// The policies; only built-in chains have any.
    pub(crate) policies: Option<Policies>,
    /// The rules, in order.
    pub(crate) rules: Rules,
}

impl Chain {
    /// An empty built-in chain.
    pub(super) fn built_in(base: &BaseChain) -> Result<Self> {
        Ok(Self {
            policies: Some(Policies::accept()?),
            ..Self::new(base.table, ChainName::new(base.name).ok_or(EINVAL)?)
        })
    }

    /// An empty user-defined chain.
    pub(super) fn new(table: Table, name: ChainName) -> Self {
        Self {
            table,
            name,
            policies: None,
            rules: Rules::default(),
        }
    }

    pub(super) fn try_clone(&self) -> Result<Self> {
        Ok(Self {
            table: self.table,
            name: self.name,
            policies: self.policies.clone(),
            rules: self.rules.try_clone()?,
        })
    }

    /// Whether a built-in chain has to see packets.
    pub(super) fn is_in_use(&self) -> bool {
        let is_strict = |policies: &Policies| {
            let mut policies = policies.iter();
            policies.any(|(_, policy)| !policy.accepts)
        };
        !self.rules.is_empty() || self.policies.as_ref().is_some_and(is_strict)
    }

    /// The index of the first rule with that specification.
    pub(crate) fn position(&self, spec: &RuleSpec) -> Option<usize> {
        let mut rules = self.rules.entries().iter();
        rules.position(|entry| spec.equals(&entry.rule.spec, entry.family()))
    }
}

/// A rule in a chain, next to its pattern: the patterns of a chain are adjacent in memory, so that
/// a packet quickly skips rules that do not match.
#[derive(Clone)]
pub(super) struct RuleEntry {
    /// Features that every packet matching the rule has.
    pub(super) pattern: Pattern,
    /// The rule.
    pub(super) rule: Arc<Rule>,
}

impl RuleEntry {
    fn new(rule: Rule) -> Result<Self> {
        Ok(Self {
            pattern: rule.pattern(),
            rule: Arc::new(rule, GFP_KERNEL_ACCOUNT)?,
        })
    }

    /// The family that it is for; `None` means both.
    pub(super) fn family(&self) -> Option<Family> {
        self.pattern.version()
    }

    /// The same rule, with its counters and the state of its matches, for one family only.
    fn narrowed(&self, family: Family) -> Self {
        Self {
            pattern: self.pattern.and(&Pattern::family(family)),
            rule: self.rule.clone(),
        }
    }
}

/// The rules of a chain, in order. Indices start at 0.
#[derive(Default)]
pub(crate) struct Rules(KVVec<RuleEntry>);

impl Rules {
    fn try_clone(&self) -> Result<Self> {
        // One more, since most changes add a rule.
        let room = self.len().saturating_add(1);
        let mut rules = KVVec::with_capacity(room, GFP_KERNEL_ACCOUNT)?;
        for entry in &self.0 {
            rules
                .push_within_capacity(entry.clone())
                .map_err(|_| ENOMEM)?;
        }
        Ok(Self(rules))
    }

    /// The number of rules.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The rule at that index.
    pub(crate) fn get(&self, index: usize) -> Option<&Arc<Rule>> {
        self.0.get(index).map(|entry| &entry.rule)
    }

    /// All rules.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Rule>> {
        self.0.iter().map(|entry| &entry.rule)
    }

    /// The family of the rule at that index; `None` means both.
    pub(crate) fn family(&self, index: usize) -> Option<Family> {
        self.0.get(index)?.family()
    }

    /// Whether any rule is for that family.
    pub(crate) fn are_for(&self, family: Family) -> bool {
        let mut rules = self.0.iter();
        rules.any(|entry| family.is_in(entry.family()))
    }

    /// All rules, with their patterns.
    #[inline]
    pub(super) fn entries(&self) -> &[RuleEntry] {
        &self.0
    }

    /// Inserts a rule at that index; `EINVAL` if it is beyond the end.
    pub(crate) fn insert(&mut self, index: usize, rule: Rule) -> Result {
        let entry = RuleEntry::new(rule)?;
        self.0.reserve(1, GFP_KERNEL_ACCOUNT)?;
        self.0
            .insert_within_capacity(index, entry)
            .map_err(|_| EINVAL)
    }

    /// Replaces the rule at that index; `ENOENT` if there is none.
    pub(crate) fn replace(&mut self, index: usize, rule: Rule) -> Result {
        let entry = RuleEntry::new(rule)?;
        *self.0.get_mut(index).ok_or(ENOENT)? = entry;
        Ok(())
    }

    /// Removes the rule at that index; `ENOENT` if there is none.
    pub(crate) fn remove(&mut self, index: usize) -> Result {
        self.0.remove(index).map(drop).map_err(|_| ENOENT)
    }

    /// Removes the rule at that index for one family; a rule for both stays for the other. `ENOENT`
    /// if there is none, or if it is not for that family.
    pub(crate) fn remove_from(&mut self, index: usize, family: Family) -> Result {
        let entry = self.0.get_mut(index).ok_or(ENOENT)?;
        match entry.family() {
            None => {
                *entry = entry.narrowed(family.other());
                Ok(())
            }
            Some(own) if own == family => self.remove(index),
            Some(_) => Err(ENOENT),
        }
    }

    /// Removes all rules.
    pub(crate) fn flush(&mut self) {
        *self = Self::default();
    }

    /// Removes all rules for one family; those for both stay for the other.
    pub(crate) fn flush_family(&mut self, family: Family) -> Result {
        let mut rules = KVVec::with_capacity(self.len(), GFP_KERNEL_ACCOUNT)?;
        for entry in &self.0 {
            let kept = match entry.family() {
                None => entry.narrowed(family.other()),
                Some(own) if own == family => continue,
                Some(_) => entry.clone(),
            };
            rules.push_within_capacity(kept).map_err(|_| ENOMEM)?;
        }
        self.0 = rules;
        Ok(())
    }
}
