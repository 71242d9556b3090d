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

    /// The same change with a rule.
    pub(crate) fn with(&self, rule: &'a Rule) -> Self {
        Self {
            rule: Some(rule),
            ..self.clone()
        }
    }
}
