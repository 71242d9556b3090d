// SPDX-License-Identifier: GPL-2.0

//! The operation ruleset-change: apply changes to the rules, all of them or none.

use super::namespace;
use crate::{
    kernel_api::{
        extended_ack::{
            Handled,
            Refusal, //
        },
        genetlink::{
            Action,
            Request, //
        },
        netfilter,
        netlink::{
            Attribute,
            Attributes, //
        },
        work::give_way, //
    },
    rules::{
        chains::ChainId,
        Draft,
        Resources,
        Rule,
        RuleSpec, //
    },
    spec::{
        attribute::{
            change as attributes,
            ruleset, //
        },
        ChangeKind,
        Table,
        Verdict, //
    },
};
use kernel::prelude::*;

/// Applies changes.
pub(super) struct Change;

impl Action for Change {
    fn run<'a>(request: &Request<'a>) -> Handled<'a> {
        let changes = request.attributes();
        namespace(request)?.change_rules(request.namespace(), |draft, resources| {
            for change in changes.filter(|attribute| attribute.kind() == ruleset::CHANGE) {
                apply(change.nested(), draft, resources).map_err(|refusal| refusal.at(change))?;
                give_way();
            }
            Ok(())
        })
    }
}

fn apply<'a>(
    change: Attributes<'a>,
    draft: &mut Draft,
    resources: &mut Resources<'_>,
) -> Handled<'a> {
    let kind = change
        .get(attributes::KIND)
        .and_then(|attribute| ChangeKind::from_number(attribute.u32()?))
        .ok_or(Refusal::new(EINVAL, c"a change needs a kind"))?;
    let table = change
        .get(attributes::TABLE)
        .and_then(|attribute| Table::from_number(attribute.u32()?))
        .ok_or(Refusal::new(EINVAL, c"a change needs a table"))?;
    let name = change.get(attributes::CHAIN_NAME);
    let chain = name.map(|name| find_chain(table, name)).transpose()?;
    match (kind, chain) {
        (ChangeKind::Flush, None) => {
            for (chain, _) in ChainId::all().filter(|(_, base)| base.table == table) {
                draft.chain_mut(chain)?.flush();
            }
            Ok(())
        }
        (ChangeKind::Zero, None) => {
            for (chain, _) in ChainId::all().filter(|(_, base)| base.table == table) {
                draft.zero(chain)?;
            }
            Ok(())
        }
        (_, None) => Err(Refusal::new(EINVAL, c"this change needs a chain")),
        (ChangeKind::Append, Some(chain)) => append(change, draft, chain, resources),
        (ChangeKind::Insert, Some(chain)) => insert(change, draft, chain, resources),
        (ChangeKind::Delete, Some(chain)) => delete(change, draft, chain, resources),
        (ChangeKind::Flush, Some(chain)) => {
            draft.chain_mut(chain)?.flush();
            Ok(())
        }
        (ChangeKind::Policy, Some(chain)) => set_policy(change, draft, chain),
        (ChangeKind::Zero, Some(chain)) => Ok(draft.zero(chain)?),
    }
}

fn find_chain(table: Table, name: Attribute<'_>) -> Handled<'_, ChainId> {
    ChainId::find(table, name.string())
        .ok_or_else(|| Refusal::new(ENOENT, c"the table has no such chain").at(name))
}

fn rule_of(change: Attributes<'_>) -> Handled<'_, Attribute<'_>> {
    change
        .get(attributes::RULE)
        .ok_or(Refusal::new(EINVAL, c"this change needs a rule"))
}

fn new_rule<'a>(
    change: Attributes<'a>,
    draft: &Draft,
    resources: &mut Resources<'_>,
) -> Handled<'a, Rule> {
    let attribute = rule_of(change)?;
    if draft.rules() >= resources.max_rules {
        let message = c"too many rules: see the module parameter max_rules";
        return Err(Refusal::new(ENOSPC, message).at(attribute));
    }
    Rule::decode(attribute.nested(), resources).map_err(|refusal| refusal.at(attribute))
}

fn position_of(change: Attributes<'_>) -> Option<(Attribute<'_>, usize)> {
    let attribute = change.get(attributes::POSITION)?;
    // The policy has seen to it that positions begin at 1.
    let place = attribute.u32()?.saturating_sub(1);
    Some((attribute, place as usize))
}

fn append<'a>(
    change: Attributes<'a>,
    draft: &mut Draft,
    chain: ChainId,
    resources: &mut Resources<'_>,
) -> Handled<'a> {
    let rule = new_rule(change, draft, resources)?;
    let chain = draft.chain_mut(chain)?;
    let end = chain.rules.len();
    Ok(chain.insert(end, rule)?)
}

fn insert<'a>(
    change: Attributes<'a>,
    draft: &mut Draft,
    chain: ChainId,
    resources: &mut Resources<'_>,
) -> Handled<'a> {
    let rule = new_rule(change, draft, resources)?;
    let position = position_of(change);
    let place = position.map_or(0, |(_, place)| place);
    let chain = draft.chain_mut(chain)?;
    if place > chain.rules.len() {
        let refusal = Refusal::new(EINVAL, c"the position is beyond the end of the chain");
        return Err(position.map_or(refusal, |(at, _)| refusal.at(at)));
    }
    Ok(chain.insert(place, rule)?)
}

fn delete<'a>(
    change: Attributes<'a>,
    draft: &mut Draft,
    chain: ChainId,
    resources: &mut Resources<'_>,
) -> Handled<'a> {
    if let Some((attribute, place)) = position_of(change) {
        return draft.chain_mut(chain)?.remove(place).map_err(|error| {
            Refusal::new(error, c"the chain has no rule at that position").at(attribute)
        });
    }
    let attribute = rule_of(change)?;
    let spec =
        RuleSpec::decode(attribute.nested(), resources).map_err(|refusal| refusal.at(attribute))?;
    let place = draft
        .chain_ref(chain)?
        .position(&spec)
        .ok_or_else(|| Refusal::new(ENOENT, c"the chain has no such rule").at(attribute))?;
    Ok(draft.chain_mut(chain)?.remove(place)?)
}

fn set_policy<'a>(change: Attributes<'a>, draft: &mut Draft, chain: ChainId) -> Handled<'a> {
    let attribute = change
        .get(attributes::POLICY)
        .ok_or(Refusal::new(EINVAL, c"this change needs a policy"))?;
    let policy = match attribute.u32().and_then(Verdict::from_number) {
        Some(Verdict::Accept) => netfilter::Verdict::Accept,
        Some(Verdict::Drop) => netfilter::Verdict::Drop,
        _ => {
            let refusal = Refusal::new(EINVAL, c"a policy is accept or drop");
            return Err(refusal.at(attribute));
        }
    };
    draft.chain_mut(chain)?.policy = policy;
    Ok(())
}
