// SPDX-License-Identifier: GPL-2.0

//! What rules refer to outside of themselves.

use super::{
    chains::ChainId,
    draft::Draft,
    header::HeaderMatch, //
};
use crate::{
    kernel_api::{
        netfilter::HookNumber,
        netns::{
            NetworkNamespace,
            Scope, //
        },
    },
    recent::{
        Growth,
        Lists, //
    },
    spec::Table,
    synproxy::Synproxy, //
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// What the rules of a network namespace may take up.
#[derive(Clone, Copy)]
pub(crate) struct RuleLimits {
    /// Most rules, and most that a packet may meet.
    pub(crate) rules: usize,
    /// Most chains that are not built in.
    pub(crate) chains: usize,
}

/// What a rule that is being made may refer to.
pub(crate) struct Resources<'a> {
    /// The network namespace.
    pub(crate) namespace: &'a NetworkNamespace,
    /// What may use it for longer than a request takes.
    pub(crate) scope: &'a Arc<Scope>,
    /// Its recent lists.
    pub(crate) lists: &'a Lists,
    /// What its rules may take up.
    pub(crate) limits: RuleLimits,
    /// What the lists are to become with the rule.
    pub(crate) growth: Growth,
    /// What SYNPROXY keeps for the namespace, once a rule wanted it.
    pub(crate) synproxy: Option<Arc<Synproxy>>,
}

impl Resources<'_> {
    /// What SYNPROXY keeps for the namespace.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory.
    pub(super) fn synproxy(&mut self) -> Result<Arc<Synproxy>> {
        if let Some(synproxy) = &self.synproxy {
            return Ok(synproxy.clone());
        }
        let synproxy = Synproxy::new(self.scope)?;
        self.synproxy = Some(synproxy.clone());
        Ok(synproxy)
    }
}

/// Where a rule that is being made is to be.
#[derive(Clone, Copy)]
pub(crate) struct Site<'a> {
    /// The ruleset in the making.
    pub(crate) draft: &'a Draft,
    /// The chain.
    pub(crate) chain: ChainId,
}

impl Site<'_> {
    /// The table.
    pub(super) fn table(&self) -> Option<Table> {
        Some(self.draft.get(self.chain).ok()?.table)
    }

    /// Where all packets come from, if it is a built-in chain.
    pub(super) fn hooknum(&self) -> Option<HookNumber> {
        Some(self.chain.base()?.hooknum)
    }
}

/// What a match or a target may go by when it is made.
#[derive(Clone, Copy)]
pub(super) struct Surroundings<'a> {
    /// Where the rule is to be.
    pub(super) site: Site<'a>,
    /// What the rule asks of every packet.
    pub(super) header: &'a HeaderMatch,
}
