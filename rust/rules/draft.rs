// SPDX-License-Identifier: GPL-2.0

//! A ruleset draft.

use super::{
    chains::{
        self,
        ChainName, //
    },
    context::{
        FindChain,
        RuleLimits,
        Site, //
    },
    index::Index,
    jumps,
    policy::Policies,
    references::References,
    rule::Rule,
    ruleset::{
        Needs,
        Ruleset, //
    },
    targets::Target,
    trace::Tracing, //
};
use crate::{
    kernel_api::sync::counters::{
        Counters,
        Totals, //
    },
    rules::prelude::*, //
};

/// A slot for a chain of a draft; empty if it has neither.
#[derive(Default)]
struct DraftChain {
    /// The chain in force.
    current: Option<Arc<Chain>>,
    /// The changed chain, if it was changed.
    changed: Option<Chain>,
    /// Whether to zero the counters in force.
    is_zeroed: bool,
}

impl DraftChain {
    fn chain(&self) -> Option<&Chain> {
        self.changed.as_ref().or(self.current.as_deref())
    }
}

/// Maps a number to its chain.
fn chain_of<'a>(slots: &'a [DraftChain]) -> impl Fn(ChainId) -> Option<&'a Chain> {
    move |id| slots.get(id.number())?.chain()
}

/// A ruleset draft, which nobody sees yet.
pub(crate) struct Draft {
    slots: KVVec<DraftChain>,
    /// No number below this one is free.
    first_free: usize,
    index: Index,
    /// Rules in force, whose counters are to be zeroed.
    zeroed_rules: KVVec<Arc<Rule>>,
    /// Counters of policies in force, to be zeroed.
    zeroed_policies: KVVec<Arc<Counters>>,
    generation: u32,
    tracing: Tracing,
    /// The number of rules, and of chains.
    rules: usize,
    chains: usize,
}

impl FindChain for Draft {
    fn find(&self, table: Table, name: &[u8]) -> Option<ChainId> {
        self.index.find(table, name, chain_of(&self.slots))
    }
}

impl Draft {
    pub(super) fn after(ruleset: &Ruleset) -> Result<Self> {
        let room = ruleset.chains.len().saturating_add(1);
        let mut draft = Self {
            slots: KVVec::with_capacity(room, GFP_KERNEL_ACCOUNT)?,
            first_free: 0,
            index: ruleset.index.try_clone()?,
            zeroed_rules: KVVec::new(),
            zeroed_policies: KVVec::new(),
            generation: ruleset.generation.wrapping_add(1),
            tracing: ruleset.tracing.next(),
            rules: 0,
            chains: 0,
        };
        for chain in &ruleset.chains {
            if let Some(chain) = chain {
                draft.rules = draft.rules.saturating_add(chain.rules.len());
                draft.chains = draft.chains.saturating_add(1);
            }
            let slot = DraftChain {
                current: chain.clone(),
                ..DraftChain::default()
            };
            draft.slots.push(slot, GFP_KERNEL_ACCOUNT)?;
        }
        Ok(draft)
    }

    /// The number of rules.
    pub(crate) fn rules(&self) -> usize {
        self.rules
    }

    /// The number that the ruleset will have.
    pub(crate) fn generation(&self) -> u32 {
        self.generation
    }

    /// The number of user-defined chains.
    pub(crate) fn user_defined_chains(&self) -> usize {
        self.chains.saturating_sub(chains::COUNT)
    }

    /// All chains.
    pub(crate) fn chains(&self) -> impl Iterator<Item = (ChainId, &Chain)> {
        let slots = self.slots.iter().enumerate();
        slots.filter_map(|(number, slot)| Some((ChainId::new(number), slot.chain()?)))
    }

    /// Where a rule of the chain goes that comes with names of hosts.
    pub(crate) fn site<'a>(&'a self, chain: ChainId, hosts: Attributes<'a>) -> Result<Site<'a>> {
        Ok(Site {
            table: self.get(chain)?.table,
            hooknum: chain.base().map(|base| base.hooknum),
            generation: self.generation,
            chains: self,
            hosts,
        })
    }

    /// The chain after `id` in a table, or the first one.
    pub(crate) fn next(&self, table: Table, id: Option<ChainId>) -> Option<ChainId> {
        let first = id.map_or(0, |id| id.number().saturating_add(1));
        let is_meant = |slot: &DraftChain| slot.chain().is_some_and(|chain| chain.table == table);
        let mut rest = self.slots.iter().enumerate().skip(first);
        rest.find(|(_, slot)| is_meant(slot))
            .map(|(number, _)| ChainId::new(number))
    }

    /// A chain, for reading.
    pub(crate) fn get(&self, id: ChainId) -> Result<&Chain> {
        let slot = self.slots.get(id.number());
        slot.and_then(DraftChain::chain).ok_or(EINVAL)
    }

    fn slot(&mut self, id: ChainId) -> Result<&mut DraftChain> {
        self.slots.get_mut(id.number()).ok_or(EINVAL)
    }

    /// Changes a chain; the first change copies it.
    pub(crate) fn change<R>(
        &mut self,
        id: ChainId,
        change: impl FnOnce(&mut Chain) -> Result<R>,
    ) -> Result<R> {
        let slot = self.slot(id)?;
        let chain = match (&mut slot.changed, &slot.current) {
            (Some(chain), _) => chain,
            (changed, Some(current)) => changed.insert(current.try_clone()?),
            (None, None) => return Err(EINVAL),
        };
        let rules_before = chain.rules.len();
        let result = change(chain);
        let rules_after = chain.rules.len();
        self.rules = self
            .rules
            .saturating_add(rules_after)
            .saturating_sub(rules_before);
        result
    }

    /// Adds a chain; `EEXIST` if the name is taken.
    pub(crate) fn add(&mut self, table: Table, name: ChainName) -> Result {
        let mut rest = self.slots.iter().enumerate().skip(self.first_free);
        let free = rest.find(|(_, slot)| DraftChain::chain(slot).is_none());
        let number = free.map_or(self.slots.len(), |(number, _)| number);
        let id = ChainId::new(number);
        self.index
            .insert(id, table, name.as_bytes(), chain_of(&self.slots))?;
        let slot = DraftChain {
            changed: Some(Chain::new(table, name)),
            ..DraftChain::default()
        };
        match self.slots.get_mut(number) {
            Some(free) => *free = slot,
            None => self.slots.push(slot, GFP_KERNEL_ACCOUNT)?,
        }
        self.first_free = number.saturating_add(1);
        self.chains = self.chains.saturating_add(1);
        Ok(())
    }

    /// Renames a chain; `EEXIST` if the name is taken.
    pub(crate) fn rename(&mut self, id: ChainId, name: ChainName) -> Result {
        let chain = self.get(id)?;
        let (table, old_name) = (chain.table, chain.name);
        self.index
            .remove(table, old_name.as_bytes(), chain_of(&self.slots))?;
        self.index
            .insert(id, table, name.as_bytes(), chain_of(&self.slots))?;
        self.change(id, |chain| {
            chain.name = name;
            Ok(())
        })
    }

    /// Removes a chain, which has no rules and which no rule jumps to.
    pub(crate) fn remove(&mut self, id: ChainId) -> Result {
        let chain = self.get(id)?;
        let (table, name) = (chain.table, chain.name);
        self.index
            .remove(table, name.as_bytes(), chain_of(&self.slots))?;
        *self.slot(id)? = DraftChain::default();
        self.first_free = self.first_free.min(id.number());
        self.chains = self.chains.saturating_sub(1);
        Ok(())
    }

    /// How many rules jump to each chain.
    pub(crate) fn references(&self) -> Result<References> {
        References::count(
            self.slots.len(),
            self.chains().map(|(_, chain)| chain),
            None,
        )
    }

    /// How many rules that are for the family jump to each chain.
    pub(crate) fn references_for(&self, family: Family) -> Result<References> {
        let chains = self.chains().map(|(_, chain)| chain);
        References::count(self.slots.len(), chains, Some(family))
    }

    /// Zeroes the counters of a chain and its rules once the draft is in force.
    pub(crate) fn zero(&mut self, id: ChainId) -> Result {
        let generation = self.generation;
        let slot = self.slot(id)?;
        slot.is_zeroed = true;
        // New rules are not in force, so nobody counts with them yet.
        let changed = slot.changed.iter().flat_map(|chain| chain.rules.iter());
        for rule in changed.filter(|rule| rule.generation == generation) {
            rule.counters.set(Totals::default());
        }
        Ok(())
    }

    /// Zeroes the counters of a chain's policy and rules for the family once the draft is in force.
    pub(crate) fn zero_family(&mut self, id: ChainId, family: Family) -> Result {
        let chain = self.get(id)?;
        let length = chain.rules.len();
        if let Some(policies) = &chain.policies {
            let counters = policies.of(family).counters.clone();
            self.zeroed_policies.push(counters, GFP_KERNEL_ACCOUNT)?;
        }
        for slot in 0..length {
            if family.is_in(self.get(id)?.rules.family(slot)) {
                self.zero_rule(id, slot)?;
            }
        }
        Ok(())
    }

    /// Zeroes the counters of a rule once the draft is in force; `ENOENT` if there is none at that
    /// index.
    pub(crate) fn zero_rule(&mut self, id: ChainId, slot: usize) -> Result {
        let rule = self.get(id)?.rules.get(slot).ok_or(ENOENT)?.clone();
        if rule.generation == self.generation {
            rule.counters.set(Totals::default());
            return Ok(());
        }
        Ok(self.zeroed_rules.push(rule, GFP_KERNEL_ACCOUNT)?)
    }

    /// The needs of the ruleset.
    fn needs(&self) -> Needs {
        let mut needs = Needs::default();
        for (id, chain) in self.chains() {
            if let Some(packets) = needs.packets.get_mut(id.number()) {
                *packets = chain.is_in_use();
            }
            needs.conntrack |= chain.rules.iter().any(|rule| rule.needs_conntrack());
            let mut targets = chain.rules.iter().filter_map(|rule| rule.target());
            match chain.table {
                Table::Nat => needs.translation |= targets.any(Target::translates),
                _ => needs.synproxy |= targets.any(Target::needs_synproxy),
            }
            // The nat chains see connections.
            needs.conntrack |=
                chain.table == Table::Nat && id.base().is_some() && chain.is_in_use();
        }
        needs
    }

    /// Turns the draft into a ruleset; the [`Zeroing`] is to be run once that is in force.
    ///
    /// # Errors
    ///
    /// Those of [`jumps::check`], and `ENOMEM`.
    pub(crate) fn finish<'a>(self, limits: &RuleLimits) -> NetlinkResult<'a, (Ruleset, Zeroing)> {
        jumps::check(&self, limits)?;
        let needs = self.needs();
        let references = self.references()?;
        let mut ruleset = Ruleset {
            chains: KVVec::with_capacity(self.slots.len(), GFP_KERNEL_ACCOUNT)?,
            index: self.index,
            generation: self.generation,
            references,
            needs,
            tracing: self.tracing,
        };
        let mut chains = KVVec::new();
        for slot in self.slots {
            if let Some(current) = slot.current.as_ref().filter(|_| slot.is_zeroed) {
                chains.push(current.clone(), GFP_KERNEL_ACCOUNT)?;
            }
            let chain = match slot.changed {
                Some(changed) => Some(Arc::new(changed, GFP_KERNEL_ACCOUNT)?),
                None => slot.current,
            };
            ruleset.chains.push(chain, GFP_KERNEL_ACCOUNT)?;
        }
        while let Some(None) = ruleset.chains.last() {
            ruleset.chains.pop();
        }
        let zeroing = Zeroing {
            chains,
            rules: self.zeroed_rules,
            policies: self.zeroed_policies,
        };
        Ok((ruleset, zeroing))
    }
}

/// Chains and rules whose counters are to be zeroed.
#[must_use = "they are set to zero by `run`"]
pub(crate) struct Zeroing {
    chains: KVVec<Arc<Chain>>,
    rules: KVVec<Arc<Rule>>,
    policies: KVVec<Arc<Counters>>,
}

impl Zeroing {
    /// Zeroes them.
    pub(crate) fn run(self) {
        for chain in &self.chains {
            for (_, policy) in chain.policies.iter().flat_map(Policies::iter) {
                policy.counters.set(Totals::default());
            }
        }
        for counters in &self.policies {
            counters.set(Totals::default());
        }
        let rules = self.chains.iter().flat_map(|chain| chain.rules.iter());
        for rule in Iterator::chain(rules, self.rules.iter()) {
            rule.counters.set(Totals::default());
        }
    }
}
