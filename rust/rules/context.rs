// SPDX-License-Identifier: GPL-2.0

//! What the attributes of a rule are decoded with: where the rule is to be, and what it may refer to.

use super::chains::ChainId;
use crate::{
    kernel_api::{
        net::netns::{
            NetworkNamespace,
            Scope, //
        },
        netfilter::HookNumber,
        netlink::extended_ack::{
            ExtAckError,
            NetlinkResult, //
        },
    },
    packet::Family,
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

/// Finds chains by their names.
pub(crate) trait FindChain {
    /// The chain of that name in a table.
    fn find(&self, table: Table, name: &[u8]) -> Option<ChainId>;
}

/// Where a rule is to be.
#[derive(Clone, Copy)]
pub(crate) struct Site<'a> {
    /// The table.
    pub(super) table: Table,
    /// The hook of all its packets, if the chain is built in.
    pub(super) hooknum: Option<HookNumber>,
    /// The generation of the ruleset.
    pub(super) generation: u32,
    /// The chains of the ruleset.
    pub(super) chains: &'a dyn FindChain,
}

/// What a match or a target may go by when it is made.
pub(super) struct DecodeContext<'a, 'b> {
    /// Where the rule is to be.
    pub(super) site: Site<'a>,
    /// The protocol of all packets that match the rule, if there is one.
    pub(super) protocol: Option<u8>,
    /// Likewise the IP version.
    pub(super) family: Option<Family>,
    /// What the rule may refer to.
    pub(super) resources: &'a mut Resources<'b>,
}

impl DecodeContext<'_, '_> {
    /// Refuses rules that are not for that protocol alone.
    pub(super) fn require_protocol<'a>(
        &self,
        protocol: u8,
        message: &'static CStr,
    ) -> NetlinkResult<'a> {
        match self.protocol {
            Some(own) if own == protocol => Ok(()),
            _ => Err(ExtAckError::new(EINVAL, message)),
        }
    }
}
