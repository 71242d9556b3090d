// SPDX-License-Identifier: GPL-2.0

//! A chain: rules in order and, of a built-in one, what becomes of packets in the end.

use super::{
    chains::{
        BaseChain,
        ChainName, //
    },
    family,
    policy::Policies,
    rule::{
        Rule,
        RuleSpec, //
    }, //
};
use crate::{
    packet::{
        Family,
        Pattern, //
    },
    spec::Table, //
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// A chain.
pub(crate) struct Chain {
    /// The table that it belongs to.
    pub(crate) table: Table,
    /// Its name.
    pub(crate) name: ChainName,
    /// The policies, which only built-in chains have.
    pub(crate) policies: Option<Policies>,
    /// The rules, in order.
    pub(crate) rules: Rules,
}

impl Chain {
    /// An empty chain that is built in.
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

    /// Whether packets have to be shown to it, if it is a built-in chain.
    pub(super) fn is_in_use(&self) -> bool {
        let is_strict = |policies: &Policies| {
            let mut policies = policies.iter();
            policies.any(|(_, policy)| !policy.accepts)
        };
        !self.rules.is_empty() || self.policies.as_ref().is_some_and(is_strict)
    }

    /// The place of the first rule that says that.
    pub(crate) fn position(&self, spec: &RuleSpec) -> Option<usize> {
        let mut rules = self.rules.placed().iter();
        rules.position(|placed| spec.is_said_by(placed.rule.spec(), placed.family()))
    }
}

/// A rule in its place, beside the features that it asks for: those of all rules of a chain lie together,
/// so that a packet passes quickly over rules that are not for it.
#[derive(Clone)]
pub(super) struct PlacedRule {
    /// The features that all packets have that it matches.
    pub(super) pattern: Pattern,
    /// The rule.
    pub(super) rule: Arc<Rule>,
}

impl PlacedRule {
    fn new(rule: Rule) -> Result<Self> {
        Ok(Self {
            pattern: rule.pattern(),
            rule: Arc::new(rule, GFP_KERNEL_ACCOUNT)?,
        })
    }

    /// The IP version that it is for, if it is not for both.
    pub(super) fn family(&self) -> Option<Family> {
        self.pattern.version()
    }

    /// The same rule, with its counters and what its matches remember, for one IP version only.
    fn narrowed(&self, family: Family) -> Self {
        Self {
            pattern: self.pattern.and(&Pattern::family(family)),
            rule: self.rule.clone(),
        }
    }
}

/// The rules of a chain, in order; their places are counted from 0.
#[derive(Default)]
pub(crate) struct Rules(KVVec<PlacedRule>);

impl Rules {
    fn try_clone(&self) -> Result<Self> {
        // One more, since most changes add a rule.
        let room = self.len().saturating_add(1);
        let mut rules = KVVec::with_capacity(room, GFP_KERNEL_ACCOUNT)?;
        for placed in &self.0 {
            rules
                .push_within_capacity(placed.clone())
                .map_err(|_| ENOMEM)?;
        }
        Ok(Self(rules))
    }

    /// How many they are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The rule at a place.
    pub(crate) fn get(&self, place: usize) -> Option<&Arc<Rule>> {
        self.0.get(place).map(|placed| &placed.rule)
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Rule>> {
        self.0.iter().map(|placed| &placed.rule)
    }

    /// The IP version that the rule at a place is for, if it is not for both.
    pub(crate) fn family(&self, place: usize) -> Option<Family> {
        self.0.get(place)?.family()
    }

    /// Whether one of them is for packets of that IP version.
    pub(crate) fn are_for(&self, family: Family) -> bool {
        let mut rules = self.0.iter();
        rules.any(|placed| family::includes(placed.family(), family))
    }

    /// All of them, with the features that they ask for.
    #[inline(always)]
    pub(super) fn placed(&self) -> &[PlacedRule] {
        &self.0
    }

    /// Puts a rule at a place; `EINVAL` where the rules end before.
    pub(crate) fn insert(&mut self, place: usize, rule: Rule) -> Result {
        let placed = PlacedRule::new(rule)?;
        self.0.reserve(1, GFP_KERNEL_ACCOUNT)?;
        self.0
            .insert_within_capacity(place, placed)
            .map_err(|_| EINVAL)
    }

    /// Puts a rule in the place of another; `ENOENT` where the rules end before.
    pub(crate) fn replace(&mut self, place: usize, rule: Rule) -> Result {
        let placed = PlacedRule::new(rule)?;
        *self.0.get_mut(place).ok_or(ENOENT)? = placed;
        Ok(())
    }

    /// Takes out the rule at a place; `ENOENT` where the rules end before.
    pub(crate) fn remove(&mut self, place: usize) -> Result {
        self.0.remove(place).map(drop).map_err(|_| ENOENT)
    }

    /// Takes the rule at a place from an IP version: what is for both stays for the other. `ENOENT` where the rules
    /// end before, or where it is not for that one.
    pub(crate) fn remove_from(&mut self, place: usize, family: Family) -> Result {
        let placed = self.0.get_mut(place).ok_or(ENOENT)?;
        match placed.family() {
            None => {
                *placed = placed.narrowed(family::other(family));
                Ok(())
            }
            Some(own) if own == family => self.remove(place),
            Some(_) => Err(ENOENT),
        }
    }

    /// Takes out all rules.
    pub(crate) fn flush(&mut self) {
        *self = Self::default();
    }

    /// Takes out all rules of an IP version: those for both stay for the other.
    pub(crate) fn flush_family(&mut self, family: Family) -> Result {
        let mut rules = KVVec::with_capacity(self.len(), GFP_KERNEL_ACCOUNT)?;
        for placed in &self.0 {
            let kept = match placed.family() {
                None => placed.narrowed(family::other(family)),
                Some(own) if own == family => continue,
                Some(_) => placed.clone(),
            };
            rules.push_within_capacity(kept).map_err(|_| ENOMEM)?;
        }
        self.0 = rules;
        Ok(())
    }
}
