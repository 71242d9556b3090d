// SPDX-License-Identifier: GPL-2.0

//! The rule that drops what comes from the addresses of a list. It also makes the list.

use super::CHAIN;
use crate::{
    error::Error,
    rules::{self, Chain, Change, Names, Rule, save_rule},
};

/// The rule of a list.
pub(super) fn rules(list: &str, names: &dyn Names) -> Result<Vec<Rule>, Error> {
    let words = [
        "-t", "raw", "-A", CHAIN, "-m", "recent", "--rcheck", "--name", list, "-j", "DROP",
    ];
    rules::appended(words.map(str::to_owned).into(), names)
}

/// The rules of the chain that are equal to those that are wanted, with their positions.
pub(super) fn present(chains: &[Chain], wanted: &[Rule]) -> Vec<(u32, Rule)> {
    let saved = |rule: &Rule| save_rule(CHAIN, rule, false);
    let wanted: Vec<String> = wanted.iter().map(saved).collect();
    let rules = chains.iter().flat_map(|chain| &chain.rules);
    rules
        .filter(|(_, rule)| wanted.contains(&saved(rule)))
        .cloned()
        .collect()
}

/// The changes that delete the rules, as often as they are present.
pub(super) fn removals<'a>(present: &[(u32, Rule)], wanted: &'a [Rule]) -> Vec<Change<'a>> {
    let deletions = present
        .iter()
        .flat_map(|_| Change::deletions(CHAIN, wanted));
    deletions.collect()
}
