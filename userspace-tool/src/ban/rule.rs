// SPDX-License-Identifier: GPL-2.0

//! The rule that drops what comes from the addresses of a list. It also makes the list.

use super::CHAIN;
use crate::{
    error::Error,
    netlink::spec::Table,
    rules::{self, Chain, Change, Names, Rule, Session, System, save_rule},
};

/// The rule of a list, and where it is.
pub(super) struct BanRule {
    session: Session,
    wanted: Vec<Rule>,
    /// The rules that are equal to it, with their positions.
    pub(super) present: Vec<(u32, Rule)>,
}

impl BanRule {
    pub(super) fn find(list: &str) -> Result<Self, Error> {
        let wanted = rules(list, &System::default())?;
        let mut session = Session::open(Some(Table::Raw))?;
        let present = present(&session.chains(Some(CHAIN), None, None)?, &wanted);
        Ok(Self {
            session,
            wanted,
            present,
        })
    }

    /// Insert it where it is not present.
    pub(super) fn insert(&mut self) -> Result<(), Error> {
        if !self.present.is_empty() {
            return Ok(());
        }
        // Also before those with SYNPROXY: who is banned gets no cookie.
        let insertions = Change::insertions(CHAIN, &self.wanted);
        self.session.change(&insertions)
    }

    /// Delete it as often as it is present.
    pub(super) fn delete(&mut self) -> Result<(), Error> {
        if self.present.is_empty() {
            return Ok(());
        }
        let removals = removals(&self.present, &self.wanted);
        self.session.change(&removals)
    }
}

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
