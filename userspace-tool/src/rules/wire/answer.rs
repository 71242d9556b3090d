// SPDX-License-Identifier: GPL-2.0

//! Chains and rules, as the kernel answers with them.

use super::rule::decode_rule;
use crate::{
    error::Error,
    netlink::{
        Attribute, attributes,
        spec::{
            Family, Table, Verdict,
            attribute::{chain, family_policy, ruleset},
        },
    },
    rules::model::{
        chain::Chain,
        policy::{Policies, Policy},
        rule::{Counters, Rule},
    },
};

/// Read an answer to chain-get.
pub(crate) fn decode_chain(answer: &[u8]) -> Result<Chain, Error> {
    let (mut table, mut name, mut policy) = (None, None, None);
    let mut apart = Vec::new();
    let (mut references, mut length) = (0, 0);
    let mut counters = Counters::default();
    for nest in attributes(answer) {
        let nest = nest?;
        if nest.kind != ruleset::CHAIN {
            continue;
        }
        for attribute in nest.nested() {
            let attribute = attribute?;
            match attribute.kind {
                chain::TABLE => table = Some(attribute.one_of(Table::from_number)?),
                chain::NAME => name = Some(attribute.string()?),
                chain::POLICY => policy = Some(attribute.one_of(Verdict::from_number)?),
                chain::PACKETS => counters.packets = attribute.u64()?,
                chain::BYTES => counters.bytes = attribute.u64()?,
                chain::FAMILY_POLICY => apart.push(decode_policy(&attribute)?),
                chain::RULES => length = attribute.u32()?,
                chain::REFERENCES => references = attribute.u32()?,
                _ => {}
            }
        }
    }
    let missing = || Error::Answer("a chain lacks its table or name".to_owned());
    Ok(Chain {
        table: table.ok_or_else(missing)?,
        name: name.ok_or_else(missing)?,
        policies: policy.map(|policy| {
            let mut policies = Policies::both(policy, counters);
            for (family, policy) in apart {
                *policies.of_mut(family) = policy;
            }
            policies
        }),
        references,
        length,
        rules: Vec::new(),
    })
}

fn decode_policy(nest: &Attribute<'_>) -> Result<(Family, Policy), Error> {
    let (mut family, mut verdict) = (None, None);
    let mut counters = Counters::default();
    for attribute in nest.nested() {
        let attribute = attribute?;
        match attribute.kind {
            family_policy::FAMILY => family = Some(attribute.one_of(Family::from_number)?),
            family_policy::POLICY => verdict = Some(attribute.one_of(Verdict::from_number)?),
            family_policy::PACKETS => counters.packets = attribute.u64()?,
            family_policy::BYTES => counters.bytes = attribute.u64()?,
            _ => {}
        }
    }
    let missing = || Error::Answer("a policy lacks its family or what it does".to_owned());
    let policy = Policy {
        verdict: verdict.ok_or_else(missing)?,
        counters,
    };
    Ok((family.ok_or_else(missing)?, policy))
}

/// A rule with its place.
pub(crate) struct Placed {
    pub(crate) table: Table,
    pub(crate) chain: String,
    pub(crate) position: u32,
    pub(crate) rule: Rule,
}

/// Read an answer to rule-get.
pub(crate) fn decode_placed(answer: &[u8]) -> Result<Placed, Error> {
    let (mut table, mut chain, mut position, mut rule) = (None, None, None, None);
    for attribute in attributes(answer) {
        let attribute = attribute?;
        match attribute.kind {
            ruleset::TABLE => table = Some(attribute.one_of(Table::from_number)?),
            ruleset::CHAIN_NAME => chain = Some(attribute.string()?),
            ruleset::POSITION => position = Some(attribute.u32()?),
            ruleset::RULE => rule = Some(decode_rule(&attribute)?),
            _ => {}
        }
    }
    let missing =
        || Error::Answer("a rule lacks its table, chain, position or contents".to_owned());
    Ok(Placed {
        table: table.ok_or_else(missing)?,
        chain: chain.ok_or_else(missing)?,
        position: position.ok_or_else(missing)?,
        rule: rule.ok_or_else(missing)?,
    })
}
