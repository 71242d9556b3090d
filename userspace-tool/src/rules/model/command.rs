// SPDX-License-Identifier: GPL-2.0

//! What a command line asks for.

use super::{
    change::Change,
    family::Family,
    rule::{Counters, Rule},
};
use crate::netlink::spec::{ChangeKind, Table, Verdict};

/// A command with what it applies to.
#[derive(Debug)]
pub(crate) struct Invocation {
    pub(crate) table: Table,
    pub(crate) command: Command,
    /// The family of `-4` or `-6`.
    pub(crate) family: Option<Family>,
    pub(crate) display: Display,
}

/// What to do.
#[derive(Debug)]
pub(crate) enum Command {
    Change(Edit),
    /// Look for such rules.
    Check {
        chain: String,
        rules: Vec<Rule>,
    },
    Show {
        form: Form,
        chain: Option<String>,
        position: Option<u32>,
        /// Reset the counters after they were read.
        zero: bool,
    },
    /// Text that needs no module.
    Print(String),
}

/// A change of one chain, or of all chains. Each rule becomes a change of its own.
#[derive(Debug)]
pub(crate) struct Edit {
    pub(crate) kind: ChangeKind,
    pub(crate) chain: Option<String>,
    pub(crate) position: Option<u32>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) policy: Option<Verdict>,
    /// New counters of the policy.
    pub(crate) counters: Option<Counters>,
    pub(crate) new_name: Option<String>,
}

impl Edit {
    pub(crate) fn new(kind: ChangeKind, chain: Option<String>) -> Self {
        Self {
            kind,
            chain,
            position: None,
            rules: Vec::new(),
            policy: None,
            counters: None,
            new_name: None,
        }
    }

    /// The changes to send. The family is for changes without rules.
    pub(crate) fn changes(&self, family: Option<Family>) -> Vec<Change<'_>> {
        // Both families share the name of a chain.
        let has_family = self.rules.is_empty() && self.kind != ChangeKind::RenameChain;
        let change = Change {
            position: self.position,
            policy: self.policy,
            counters: self.counters,
            new_name: self.new_name.as_deref(),
            family: family.filter(|_| has_family),
            ..Change::new(self.kind, self.chain.as_deref())
        };
        match self.rules.as_slice() {
            [] => vec![change],
            rules => rules.iter().map(|rule| change.with(rule)).collect(),
        }
    }
}

/// A form to show rules in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// -L: tables to look at.
    Table,
    /// -S: rules to feed back.
    Rules,
}

/// How to show rules.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Display {
    pub(crate) verbose: bool,
    pub(crate) exact: bool,
    pub(crate) line_numbers: bool,
    pub(crate) json: bool,
    /// Only rules for this family.
    pub(crate) family: Option<Family>,
}
