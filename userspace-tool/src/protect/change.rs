// SPDX-License-Identifier: GPL-2.0

//! Which rules to append and which to delete.

use super::{
    CHAIN,
    arguments::Protector,
    endpoint::Endpoint,
    protection::{Protection, protections},
};
use crate::{
    error::Error,
    netlink::spec::ChangeKind,
    rules::{Chain, Change, Counters, Rule, save_rule},
};

/// Rules to append, and warnings about them.
#[derive(Debug, Default)]
pub(super) struct Additions<'a> {
    pub(super) changes: Vec<Change<'a>>,
    pub(super) warnings: Vec<String>,
}

/// The changes that append the rules that are missing.
pub(super) fn additions<'a>(chains: &[Chain], wanted: &'a [Protector]) -> Additions<'a> {
    let saved = |rule: &Rule| save_rule(CHAIN, rule, false);
    let rules = chains.iter().flat_map(|chain| &chain.rules);
    let present: Vec<String> = rules.map(|(_, rule)| saved(rule)).collect();
    let append = Change::new(ChangeKind::Append, Some(CHAIN));
    let mut additions = Additions::default();
    for Protector { endpoint, rule } in wanted {
        if present.contains(&saved(rule)) {
            continue;
        }
        let comes_first = |other: &Protection<'_>| {
            let interface = &other.rule.in_interface;
            other.is_for(*endpoint) && (interface.is_none() || *interface == rule.in_interface)
        };
        if protections(chains).any(|other| comes_first(&other)) {
            additions.warnings.push(format!(
                "an earlier rule protects {endpoint} already, in another way: palisade protect \
                 --status --json shows it"
            ));
        }
        additions.changes.push(append.with(rule));
    }
    additions
}

/// The rules that protect the endpoints. An endpoint without rules is an error.
pub(super) fn removed(
    chains: &[Chain],
    endpoints: &[Endpoint],
    interface: Option<&str>,
) -> Result<Vec<Rule>, Error> {
    let mut rules = Vec::new();
    for endpoint in endpoints {
        let before = rules.len();
        let is_meant = |one: &Protection<'_>| {
            one.is_for(*endpoint) && interface.is_none_or(|interface| one.comes_in_at(interface))
        };
        rules.extend(protections(chains).filter(is_meant).map(|one| Rule {
            counters: Counters::default(),
            ..one.rule.clone()
        }));
        if rules.len() == before {
            return Err(Error::Failure(format!(
                "protect: {endpoint} is not protected{}: palisade protect --status shows what is",
                interface.map_or(String::new(), |interface| format!(" on {interface}"))
            )));
        }
    }
    Ok(rules)
}
