// SPDX-License-Identifier: GPL-2.0

//! The context in which a rule is decoded: where it goes, and what it may refer to.

use crate::{
    kernel_api::net::netns::Scope,
    monitor::Monitor,
    rates::RateTables,
    recent::{
        Lists,
        PendingTables, //
    },
    rules::prelude::*,
    synproxy::Synproxy, //
};

/// The number of bits in an IPv4 address.
pub(super) const IPV4_BITS: u8 = 32;

/// Limits of the rules of a network namespace.
#[derive(Clone, Copy)]
pub(crate) struct RuleLimits {
    /// Maximum number of rules, and of those that one packet may traverse.
    pub(crate) rules: usize,
    /// Maximum number of user-defined chains.
    pub(crate) chains: usize,
    /// Maximum memory for what clients of SYNPROXY send before their server has answered, in bytes.
    pub(crate) held: u32,
}

/// What a new rule may refer to.
pub(crate) struct Resources {
    /// The network namespace.
    pub(crate) scope: Arc<Scope>,
    /// Where SYNPROXY tells what happens.
    pub(crate) monitor: Arc<Monitor>,
    /// Its recent lists.
    pub(crate) lists: Arc<Lists>,
    /// Its tables of rates.
    pub(crate) rates: Arc<RateTables>,
    /// The limits of its rules.
    pub(crate) limits: RuleLimits,
    /// The lists' tables to install with the rule.
    pub(crate) pending_tables: PendingTables,
    /// SYNPROXY's state in the namespace, once a rule needed it.
    pub(crate) synproxy: Option<Arc<Synproxy>>,
}

impl Resources {
    /// SYNPROXY's state in the namespace, created if needed.
    ///
    /// # Errors
    ///
    /// `ENOMEM` if there is not enough memory.
    pub(super) fn synproxy(&mut self) -> Result<Arc<Synproxy>> {
        if let Some(synproxy) = &self.synproxy {
            return Ok(synproxy.clone());
        }
        let synproxy = Synproxy::new(&self.scope, self.monitor.clone(), self.limits.held)?;
        self.synproxy = Some(synproxy.clone());
        Ok(synproxy)
    }
}

/// Finds chains by name.
pub(crate) trait FindChain {
    /// The chain with that name in a table.
    fn find(&self, table: Table, name: &[u8]) -> Option<ChainId>;
}

/// Where a rule goes.
#[derive(Clone, Copy)]
pub(crate) struct Site<'a> {
    /// The table.
    pub(super) table: Table,
    /// The hook of all its packets; `None` in a user-defined chain.
    pub(super) hooknum: Option<HookNumber>,
    /// The generation of the ruleset.
    pub(super) generation: u32,
    /// The chains of the ruleset.
    pub(super) chains: &'a dyn FindChain,
    /// The names of hosts that came with the rule, up to the change that has it.
    pub(super) hosts: Attributes<'a>,
}

/// What a new match or target may depend on.
pub(super) struct DecodeContext<'a, 'b> {
    /// Its attributes.
    pub(super) nest: Attributes<'a>,
    /// Where the rule goes.
    pub(super) site: Site<'b>,
    /// The protocol of all packets that match the rule, if it requires one.
    pub(super) protocol: Option<u8>,
    /// Whether all packets that match the rule have the flag SYN, as far as matches tell that come
    /// before.
    pub(super) is_syn: bool,
    /// The family of all packets that match the rule, if it requires one.
    pub(super) family: Option<Family>,
    /// What the rule may refer to.
    pub(super) resources: &'b mut Resources,
}

impl<'a> DecodeContext<'a, '_> {
    /// The error `EINVAL` about the attribute of a type, or the lack of it.
    pub(super) fn refuse(&self, kind: u16, message: &'static CStr) -> ExtAckError<'a> {
        self.nest.refuse(kind, message)
    }

    /// Refuses a prefix that is longer than an IPv4 address, where packets of IPv4 may match; `family`
    /// is that of all that the prefix is for, and `kind` its attribute.
    pub(super) fn check_prefix(
        &self,
        length: Option<u8>,
        family: Option<Family>,
        kind: u16,
    ) -> NetlinkResult<'a> {
        let is_long = length.is_some_and(|length| length > IPV4_BITS);
        if is_long && family != Some(Family::Ipv6) {
            let message = c"only a rule for IPv6 can have a prefix of more than 32 bits";
            return Err(self.refuse(kind, message));
        }
        Ok(())
    }

    /// Refuses rules that are not for that protocol alone.
    pub(super) fn require_protocol(&self, own: u8, message: &'static CStr) -> NetlinkResult<'a> {
        match self.protocol {
            Some(protocol) if protocol == own => Ok(()),
            _ => Err(ExtAckError::new(EINVAL, message)),
        }
    }
}
