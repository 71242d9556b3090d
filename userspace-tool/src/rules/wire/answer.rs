// SPDX-License-Identifier: GPL-2.0

//! Answers of the kernel with chains and rules.

use super::rule::{decode_rule, read_counters};
use crate::{
    error::Error,
    fields::{need, read},
    netlink::{
        Attribute, Nest,
        spec::{
            Family, Table,
            attribute::{chain, family_policy, ruleset},
        },
    },
    rules::model::{
        chain::Chain,
        policy::{Policies, Policy},
        rule::Rule,
    },
};

/// Read an answer to chain-get.
pub(crate) fn decode_chain(answer: &[u8]) -> Result<Chain, Error> {
    let missing = "a chain lacks its table or name";
    let answer = Nest::new(answer)?;
    let chain = answer.get(ruleset::CHAIN);
    let nest = chain.map_or_else(|| Nest::new(&[]), Attribute::nest)?;
    let counters = read_counters(&nest, chain::PACKETS, chain::BYTES)?;
    let mut policies = read(&nest, chain::POLICY)?.map(|verdict| Policies::both(verdict, counters));
    if let Some(policies) = &mut policies {
        for policy in nest.all(chain::FAMILY_POLICY) {
            let (family, policy) = decode_policy(&policy.nest()?)?;
            *policies.of_mut(family) = policy;
        }
    }
    Ok(Chain {
        table: need(&nest, chain::TABLE, missing)?,
        name: need(&nest, chain::NAME, missing)?,
        policies,
        references: read(&nest, chain::REFERENCES)?.unwrap_or(0),
        length: read(&nest, chain::RULES)?.unwrap_or(0),
        rules: Vec::new(),
    })
}

fn decode_policy(nest: &Nest<'_>) -> Result<(Family, Policy), Error> {
    let missing = "a policy lacks its family or what it does";
    let policy = Policy {
        verdict: need(nest, family_policy::POLICY, missing)?,
        counters: read_counters(nest, family_policy::PACKETS, family_policy::BYTES)?,
    };
    Ok((need(nest, family_policy::FAMILY, missing)?, policy))
}

/// A rule with its position in a chain.
pub(crate) struct PositionedRule {
    pub(crate) table: Table,
    pub(crate) chain: String,
    pub(crate) position: u32,
    pub(crate) rule: Rule,
}

/// Read an answer to rule-get.
pub(crate) fn decode_rule_answer(answer: &[u8]) -> Result<PositionedRule, Error> {
    let missing = "a rule lacks its table, chain, position or contents";
    let nest = Nest::new(answer)?;
    let rule = nest.get(ruleset::RULE);
    let rule = rule.ok_or_else(|| Error::Answer(missing.to_owned()))?;
    Ok(PositionedRule {
        table: need(&nest, ruleset::TABLE, missing)?,
        chain: need(&nest, ruleset::CHAIN_NAME, missing)?,
        position: need(&nest, ruleset::POSITION, missing)?,
        rule: decode_rule(rule)?,
    })
}
