// SPDX-License-Identifier: GPL-2.0

//! The operation ruleset-change: applies all of the changes to the rules, or none.

use super::lists::tell_list;
use crate::{
    control::prelude::*,
    kernel_api::sync::counters::Counters,
    rules::{
        chains::ChainName,
        Draft,
        FindChain,
        References,
        Resources,
        Rule,
        RuleSpec, //
    },
    spec::{
        attribute::{
            chain as chain_attributes,
            change as attributes,
            event,
            ruleset, //
        },
        command,
        ChangeKind, //
    },
};

/// Applies changes.
pub(super) struct Change;

impl Doit for Change {
    fn run<'a>(request: &Request<'a>) -> NetlinkResult<'a> {
        let attributes = request.attributes();
        let is_test = attributes.has(ruleset::TEST);
        let (namespace, mut generation) = (namespace(request)?, 0);
        let created = |list: &List| tell_list(&namespace, request, command::LIST_CREATE_NTF, list);
        let change = |draft: &mut Draft, resources: &mut Resources| {
            generation = draft.generation();
            let mut rest = attributes;
            loop {
                let before = rest;
                let Some(change) = rest.find(|one| one.kind() == ruleset::CHANGE) else {
                    return Ok(());
                };
                let family = change.nested().get(attributes::FAMILY);
                Editor {
                    change: change.nested(),
                    hosts: before,
                    family: family.and_then(|family| Family::from_version(family.u32()?)),
                    draft,
                    resources,
                }
                .apply()
                .map_err(|refusal| refusal.at(change))?;
                cond_resched();
            }
        };
        namespace.change_rules(is_test, change, created)?;
        if !is_test {
            (namespace.monitor()).tell(request, command::RULESET_CHANGE_NTF, |message| {
                message.put_u32(event::GENERATION, generation)?;
                encode_changes(attributes, message)
            });
        }
        Ok(())
    }
}

/// Writes how many changes a request has, and the chains that they are for.
fn encode_changes(request: Attributes<'_>, message: &mut Message<'_>) -> Result {
    let mut chains = [(0, &[][..]); CHAINS_TOLD];
    let (mut told, mut count) = (0usize, 0u32);
    for change in request.filter(|one| one.kind() == ruleset::CHANGE) {
        count = count.saturating_add(1);
        let change = change.nested();
        let table = (change.get(attributes::TABLE)).and_then(|table| table.u32());
        let name = (change.get(attributes::CHAIN_NAME)).map(|name| name.string());
        let chain = (table.unwrap_or(0), name.unwrap_or_default());
        let is_told = chains.iter().take(told).any(|other| *other == chain);
        let Some(room) = chains.get_mut(told).filter(|_| !is_told) else {
            continue;
        };
        *room = chain;
        told = told.saturating_add(1);
        message.nest(event::CHAIN, |message| {
            message.put_u32(chain_attributes::TABLE, chain.0)?;
            match chain.1 {
                [] => Ok(()),
                name => message.put_string(chain_attributes::NAME, name),
            }
        })?;
    }
    message.put_u32(event::COUNT, count)
}

/// The most chains that a message about changes names.
const CHAINS_TOLD: usize = 16;

/// One change, and what it applies to.
struct Editor<'a, 'b> {
    change: Attributes<'a>,
    /// What the request has behind the last change: names of hosts come before the change.
    hosts: Attributes<'a>,
    /// The family that it is for; `None` means both.
    family: Option<Family>,
    draft: &'b mut Draft,
    resources: &'b mut Resources,
}

impl<'a> Editor<'a, '_> {
    fn apply(&mut self) -> NetlinkResult<'a> {
        let kind = (self.change.get(attributes::KIND))
            .and_then(|attribute| ChangeKind::from_number(attribute.u32()?))
            .ok_or(ExtAckError::new(EINVAL, c"a change needs a kind"))?;
        let table = (self.change.get(attributes::TABLE))
            .and_then(|attribute| Table::from_number(attribute.u32()?))
            .ok_or(ExtAckError::new(EINVAL, c"a change needs a table"))?;
        let name = self.change.get(attributes::CHAIN_NAME);
        self.check_family(kind)?;
        if kind == ChangeKind::NewChain {
            return self.new_chain(table, name);
        }
        let Some(name) = name else {
            return self.apply_to_table(kind, table);
        };
        let chain = (self.draft.find(table, name.string()))
            .ok_or_else(|| ExtAckError::new(ENOENT, c"the table has no such chain").at(name))?;
        match kind {
            ChangeKind::Append | ChangeKind::Insert => self.add_rule(kind, chain),
            ChangeKind::Replace => self.replace(chain),
            ChangeKind::Delete => self.delete(chain),
            ChangeKind::Flush => self.flush(chain),
            ChangeKind::Zero => self.zero(chain),
            ChangeKind::Policy => self.set_policy(chain),
            ChangeKind::DeleteChain => self.delete_chain(chain, Some(name), &self.references()?),
            ChangeKind::RenameChain => self.rename_chain(table, chain),
            // Handled above, since there is no such chain yet.
            ChangeKind::NewChain => Err(EINVAL.into()),
        }
    }

    /// Applies a change to all chains of a table.
    fn apply_to_table(&mut self, kind: ChangeKind, table: Table) -> NetlinkResult<'a> {
        // Chains that can be deleted have no rules, so deleting them does not change the
        // references.
        let references = match kind {
            ChangeKind::DeleteChain => self.references()?,
            _ => <[References; 2]>::default(),
        };
        let mut chain = self.draft.next(table, None);
        while let Some(id) = chain {
            match kind {
                ChangeKind::Flush => self.flush(id)?,
                ChangeKind::Zero => self.zero_chain(id)?,
                ChangeKind::DeleteChain if id.base().is_some() => {}
                ChangeKind::DeleteChain => self.delete_chain(id, None, &references)?,
                _ => return Err(ExtAckError::new(EINVAL, c"this change needs a chain")),
            }
            chain = self.draft.next(table, chain);
            cond_resched();
        }
        Ok(())
    }

    /// Refuses a family where the rule itself gives it, or where it makes no difference.
    fn check_family(&self, kind: ChangeKind) -> NetlinkResult<'a> {
        let message = match kind {
            _ if !self.change.has(attributes::FAMILY) => return Ok(()),
            ChangeKind::Flush
            | ChangeKind::Zero
            | ChangeKind::Policy
            | ChangeKind::NewChain
            | ChangeKind::DeleteChain => return Ok(()),
            ChangeKind::Delete if self.position().is_some() => return Ok(()),
            ChangeKind::RenameChain => c"a chain has one name for both IP versions",
            _ => c"the rule says which IP version it is for",
        };
        Err(self.change.refuse(attributes::FAMILY, message))
    }

    /// The references to each chain from rules of the change's family, and from all rules.
    fn references(&self) -> Result<[References; 2]> {
        let all = self.draft.references()?;
        let meant = match self.family {
            Some(family) => self.draft.references_for(family)?,
            None => self.draft.references()?,
        };
        Ok([meant, all])
    }

    /// An attribute that the change cannot do without.
    fn required(&self, kind: u16, message: &'static CStr) -> NetlinkResult<'a, Attribute<'a>> {
        self.change
            .get(kind)
            .ok_or(ExtAckError::new(EINVAL, message))
    }

    fn rule(&self) -> NetlinkResult<'a, Attribute<'a>> {
        self.required(attributes::RULE, c"this change needs a rule")
    }

    /// Decodes the rule to put into a chain.
    fn new_rule(&mut self, chain: ChainId) -> NetlinkResult<'a, Rule> {
        let attribute = self.rule()?;
        if self.draft.rules() >= self.resources.limits.rules {
            let message = c"too many rules: see the module parameter max_rules";
            return Err(ExtAckError::new(ENOSPC, message).at(attribute));
        }
        let site = self.draft.site(chain, self.hosts)?;
        Rule::decode(attribute.nested(), site, self.resources)
            .map_err(|refusal| refusal.at(attribute))
    }

    /// The given position, counted from 0, and its attribute.
    fn position(&self) -> Option<(Attribute<'a>, usize)> {
        let attribute = self.change.get(attributes::POSITION)?;
        // The policy makes positions start at 1.
        let index = attribute.u32()?.saturating_sub(1);
        Some((attribute, index as usize))
    }

    /// Appends or inserts a rule.
    fn add_rule(&mut self, kind: ChangeKind, chain: ChainId) -> NetlinkResult<'a> {
        let rule = self.new_rule(chain)?;
        let end = self.draft.get(chain)?.rules.len();
        let index = match (kind, self.position()) {
            (ChangeKind::Append, _) => end,
            (_, Some((_, index))) if index > end => {
                let message = c"the position is beyond the end of the chain";
                return Err(self.change.refuse(attributes::POSITION, message));
            }
            (_, position) => position.map_or(0, |(_, index)| index),
        };
        let insert = |chain: &mut Chain| chain.rules.insert(index, rule);
        Ok(self.draft.change(chain, insert)?)
    }

    fn replace(&mut self, chain: ChainId) -> NetlinkResult<'a> {
        let (_, index) = self.existing(chain)?;
        let rule = self.new_rule(chain)?;
        let replace = |chain: &mut Chain| chain.rules.replace(index, rule);
        Ok(self.draft.change(chain, replace)?)
    }

    /// The given position, if there is a rule.
    fn existing(&self, chain: ChainId) -> NetlinkResult<'a, (Attribute<'a>, usize)> {
        let (attribute, index) = self
            .position()
            .ok_or(ExtAckError::new(EINVAL, c"this change needs a position"))?;
        if index >= self.draft.get(chain)?.rules.len() {
            let refusal = ExtAckError::new(ENOENT, c"the chain has no rule at that position");
            return Err(refusal.at(attribute));
        }
        Ok((attribute, index))
    }

    fn delete(&mut self, chain: ChainId) -> NetlinkResult<'a> {
        let index = match self.position() {
            Some(_) => self.existing(chain)?.1,
            None => self.find(chain)?,
        };
        let Some(family) = self.family else {
            let remove = |chain: &mut Chain| chain.rules.remove(index);
            return Ok(self.draft.change(chain, remove)?);
        };
        let change = |chain: &mut Chain| chain.rules.remove_from(index, family);
        match (self.draft.change(chain, change), self.position()) {
            (Err(ENOENT), Some((at, _))) => {
                let message = c"the rule at that position is for the other IP version";
                Err(ExtAckError::new(EINVAL, message).at(at))
            }
            (result, _) => Ok(result?),
        }
    }

    /// The index of the given rule.
    fn find(&mut self, chain: ChainId) -> NetlinkResult<'a, usize> {
        let attribute = self.rule()?;
        let site = self.draft.site(chain, self.hosts)?;
        let spec = RuleSpec::decode(attribute.nested(), site, self.resources)
            .map_err(|refusal| refusal.at(attribute))?;
        self.draft
            .get(chain)?
            .position(&spec)
            .ok_or_else(|| ExtAckError::new(ENOENT, c"the chain has no such rule").at(attribute))
    }

    fn flush(&mut self, chain: ChainId) -> NetlinkResult<'a> {
        if !self.draft.get(chain)?.rules.is_empty() {
            let family = self.family;
            self.draft.change(chain, |chain| match family {
                Some(family) => chain.rules.flush_family(family),
                None => {
                    chain.rules.flush();
                    Ok(())
                }
            })?;
        }
        Ok(())
    }

    fn set_policy(&mut self, chain: ChainId) -> NetlinkResult<'a> {
        let attribute = self.required(attributes::POLICY, c"this change needs a policy")?;
        let refuse = |message| Err(ExtAckError::new(EINVAL, message).at(attribute));
        let accepts = match attribute.u32().and_then(Verdict::from_number) {
            Some(Verdict::Accept) => true,
            Some(Verdict::Drop) => false,
            _ => return refuse(c"a policy is accept or drop"),
        };
        if self.draft.get(chain)?.policies.is_none() {
            return refuse(c"only built-in chains have a policy");
        }
        let number = |kind| self.change.get(kind).and_then(|attribute| attribute.u64());
        let (packets, bytes) = (number(attributes::PACKETS), number(attributes::BYTES));
        let mut totals = Totals {
            packets: packets.unwrap_or(0),
            bytes: bytes.unwrap_or(0),
        };
        let families = [Family::Ipv4, Family::Ipv6].into_iter();
        for family in families.filter(|family| family.is_in(self.family)) {
            let mut counters = None;
            if packets.or(bytes).is_some() {
                let new = Counters::new()?;
                // The request has one sum for both families: it goes to the first.
                new.set(core::mem::take(&mut totals));
                counters = Some(Arc::new(new, GFP_KERNEL_ACCOUNT)?);
            }
            self.draft.change(chain, |chain| {
                if let Some(policies) = &mut chain.policies {
                    let policy = policies.of_mut(family);
                    policy.accepts = accepts;
                    if let Some(counters) = counters {
                        policy.counters = counters;
                    }
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    fn zero(&mut self, chain: ChainId) -> NetlinkResult<'a> {
        if self.position().is_none() {
            return self.zero_chain(chain);
        }
        let (_, index) = self.existing(chain)?;
        Ok(self.draft.zero_rule(chain, index)?)
    }

    fn zero_chain(&mut self, chain: ChainId) -> NetlinkResult<'a> {
        match self.family {
            Some(family) => self.draft.zero_family(chain, family)?,
            None => self.draft.zero(chain)?,
        }
        Ok(())
    }

    /// The name for a chain, if it is valid and free.
    fn free_name(&self, table: Table, name: Attribute<'a>) -> NetlinkResult<'a, ChainName> {
        let refuse = |error, message| Err(ExtAckError::new(error, message).at(name));
        if self.draft.find(table, name.string()).is_some() {
            return refuse(EEXIST, c"the table has a chain of that name already");
        }
        // Even in a table without that built-in chain, it would be mistaken for one.
        if ChainId::built_in().any(|(_, base)| base.name == name.string()) {
            return refuse(EINVAL, c"this is the name of a built-in chain");
        }
        match ChainName::new(name.string()) {
            Some(parsed) if !name.string().is_empty() => Ok(parsed),
            _ => refuse(EINVAL, c"a chain has a name of 1 to 28 bytes"),
        }
    }

    fn new_chain(&mut self, table: Table, name: Option<Attribute<'a>>) -> NetlinkResult<'a> {
        let attribute = name.ok_or(ExtAckError::new(EINVAL, c"this change needs a chain"))?;
        if let (Some(family), Some(chain)) =
            (self.family, self.draft.find(table, attribute.string()))
        {
            // The chain exists for the other family: both share it.
            if chain.base().is_none() && !self.draft.get(chain)?.rules.are_for(family) {
                return Ok(());
            }
        }
        let name = self.free_name(table, attribute)?;
        if self.draft.user_defined_chains() >= self.resources.limits.chains {
            let message = c"too many chains: see the module parameter max_chains";
            return Err(ExtAckError::new(ENOSPC, message).at(attribute));
        }
        Ok(self.draft.add(table, name)?)
    }

    /// Refuses the change for a built-in chain.
    fn check_ones_own(chain: ChainId, at: Option<Attribute<'a>>) -> NetlinkResult<'a> {
        if chain.base().is_none() {
            return Ok(());
        }
        let message = c"a built-in chain cannot be deleted or renamed";
        let refusal = ExtAckError::new(EINVAL, message);
        Err(at.map_or(refusal, |at| refusal.at(at)))
    }

    fn delete_chain(
        &mut self,
        chain: ChainId,
        name: Option<Attribute<'a>>,
        [meant, all]: &[References; 2],
    ) -> NetlinkResult<'a> {
        Self::check_ones_own(chain, name)?;
        let refuse = |error, message| {
            let refusal = ExtAckError::new(error, message);
            Err(name.map_or(refusal, |name| refusal.at(name)))
        };
        let rules = &self.draft.get(chain)?.rules;
        let has_rules = match self.family {
            Some(family) => rules.are_for(family),
            None => !rules.is_empty(),
        };
        if has_rules {
            return refuse(EBUSY, c"the chain is not empty: flush it first");
        }
        if meant.to(chain) > 0 {
            return refuse(EBUSY, c"there are rules that jump to the chain");
        }
        // It stays for the other family.
        if rules.is_empty() && all.to(chain) == 0 {
            self.draft.remove(chain)?;
        }
        Ok(())
    }

    fn rename_chain(&mut self, table: Table, chain: ChainId) -> NetlinkResult<'a> {
        let attribute = self.required(attributes::NEW_NAME, c"this change needs a new name")?;
        Self::check_ones_own(chain, self.change.get(attributes::CHAIN_NAME))?;
        let name = self.free_name(table, attribute)?;
        Ok(self.draft.rename(chain, name)?)
    }
}
