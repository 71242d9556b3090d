// SPDX-License-Identifier: GPL-2.0

//! Chains and rules as JSON.

use serde_json::{Value, json};

use super::save_rule;
use crate::{
    fields::Field,
    rules::model::{
        chain::Chain,
        extension::Extension,
        policy::Policy,
        protocol,
        rule::{Counters, Rule},
    },
};

/// The JSON of chains and their rules.
pub(crate) fn json(chains: &[Chain]) -> Value {
    chains.iter().map(chain_json).collect()
}

fn chain_json(chain: &Chain) -> Value {
    let rules = chain.rules.iter();
    let counters = chain
        .policies
        .map_or(Counters::default(), |policies| policies.counters());
    json!({
        "table": chain.table.to_string(),
        "chain": chain.name,
        "policy": chain.policies.and_then(|policies| policies.common()).map(|verdict| verdict.name().to_owned()),
        "policies": chain.policies.map(|policies| json!({
            "ipv4": policy(&policies.ipv4),
            "ipv6": policy(&policies.ipv6),
        })),
        "packets": counters.packets,
        "bytes": counters.bytes,
        "references": chain.references,
        "rules": rules
            .map(|(position, rule)| rule_json(chain, *position, rule))
            .collect::<Vec<Value>>(),
    })
}

fn policy(policy: &Policy) -> Value {
    json!({
        "policy": policy.verdict.name(),
        "packets": policy.counters.packets,
        "bytes": policy.counters.bytes,
    })
}

fn rule_json(chain: &Chain, position: u32, rule: &Rule) -> Value {
    let named = |extension: &dyn Extension| json!({ "name": extension.name(), "options": extension.json() });
    json!({
        "position": position,
        "packets": rule.counters.packets,
        "bytes": rule.counters.bytes,
        "family": rule.family.map(|family| family.to_string()),
        "protocol": rule.protocol.map(|protocol| json!({
            "value": protocol::name(protocol.value),
            "inverted": protocol.inverted,
        })),
        "source": rule.source.value(),
        "destination": rule.destination.value(),
        "in_interface": rule.in_interface.value(),
        "out_interface": rule.out_interface.value(),
        "fragment": rule.fragment,
        "matches": rule.matches.iter().map(|one| named(one.as_ref())).collect::<Vec<Value>>(),
        "target": rule.target.as_ref().map(|target| named(target.as_ref())),
        "rule": save_rule(&chain.name, rule, false),
    })
}
