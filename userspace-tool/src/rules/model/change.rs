// SPDX-License-Identifier: GPL-2.0

//! Changes of the rules.

use super::{
    family::Family,
    rule::{Counters, Rule},
};
use crate::netlink::spec::{ChangeKind, Verdict};

/// A change of the rules.
#[derive(Clone, Debug)]
pub(crate) struct Change<'a> {
    pub(crate) kind: ChangeKind,
    pub(crate) chain: Option<&'a str>,
    pub(crate) position: Option<u32>,
    pub(crate) rule: Option<&'a Rule>,
    pub(crate) policy: Option<Verdict>,
    /// New counters of the policy.
    pub(crate) counters: Option<Counters>,
    pub(crate) new_name: Option<&'a str>,
    /// The family, if it is for one only and has no rule that says so.
    pub(crate) family: Option<Family>,
}

impl<'a> Change<'a> {
    pub(crate) fn new(kind: ChangeKind, chain: Option<&'a str>) -> Self {
        Self {
            kind,
            chain,
            position: None,
            rule: None,
            policy: None,
            counters: None,
            new_name: None,
            family: None,
        }
    }

    /// The changes that insert rules before all others of a chain, in their order.
    pub(crate) fn insertions(chain: &'a str, rules: &'a [Rule]) -> Vec<Self> {
        let insert = Self {
            position: Some(1),
            ..Self::new(ChangeKind::Insert, Some(chain))
        };
        // The last one goes in first.
        rules.iter().rev().map(|rule| insert.with(rule)).collect()
    }

    /// The changes that delete rules from a chain.
    pub(crate) fn deletions(chain: &'a str, rules: &'a [Rule]) -> Vec<Self> {
        let delete = Self::new(ChangeKind::Delete, Some(chain));
        rules.iter().map(|rule| delete.with(rule)).collect()
    }

    /// The same change with a rule.
    pub(crate) fn with(&self, rule: &'a Rule) -> Self {
        Self {
            rule: Some(rule),
            ..self.clone()
        }
    }
}
