// SPDX-License-Identifier: GPL-2.0

//! The built-in chains and their hooks, and the numbers and names of chains.

use crate::{
    kernel_api::netfilter::{
        HookType,
        Priority, //
    },
    rules::prelude::*,
    spec::CHAIN_NAME_LENGTH_MAX, //
};

/// A built-in chain.
pub(crate) struct BaseChain {
    /// Its table.
    pub(crate) table: Table,
    /// Its name.
    pub(crate) name: &'static [u8],
    /// The hook that it is attached to.
    pub(crate) hooknum: HookNumber,
    /// Its priority in that hook.
    pub(crate) priority: Priority,
    /// The type of the hook.
    pub(crate) hook_type: HookType,
}

impl BaseChain {
    const fn new(
        table: Table,
        name: &'static [u8],
        hooknum: HookNumber,
        priority: Priority,
    ) -> Self {
        let hook_type = match (table, hooknum) {
            (Table::Nat, _) => HookType::Nat,
            (Table::Mangle, HookNumber::LocalOut) => HookType::Route,
            _ => HookType::Netfilter,
        };
        Self {
            table,
            name,
            hooknum,
            priority,
            hook_type,
        }
    }
}

/// The number of built-in chains.
pub(crate) const COUNT: usize = 14;

/// All built-in chains by table, as in iptables' tables of the same names.
pub(crate) static BASE_CHAINS: [BaseChain; COUNT] = {
    use HookNumber::{Forward, LocalIn, LocalOut, PostRouting, PreRouting};
    use Priority::{DestinationNat, Mangle, SourceNat};
    [
        BaseChain::new(Table::Raw, b"PREROUTING", PreRouting, Priority::Raw),
        BaseChain::new(Table::Raw, b"OUTPUT", LocalOut, Priority::Raw),
        BaseChain::new(Table::Filter, b"INPUT", LocalIn, Priority::Filter),
        BaseChain::new(Table::Filter, b"FORWARD", Forward, Priority::Filter),
        BaseChain::new(Table::Filter, b"OUTPUT", LocalOut, Priority::Filter),
        BaseChain::new(Table::Nat, b"PREROUTING", PreRouting, DestinationNat),
        BaseChain::new(Table::Nat, b"INPUT", LocalIn, SourceNat),
        BaseChain::new(Table::Nat, b"OUTPUT", LocalOut, DestinationNat),
        BaseChain::new(Table::Nat, b"POSTROUTING", PostRouting, SourceNat),
        BaseChain::new(Table::Mangle, b"PREROUTING", PreRouting, Mangle),
        BaseChain::new(Table::Mangle, b"INPUT", LocalIn, Mangle),
        BaseChain::new(Table::Mangle, b"FORWARD", Forward, Mangle),
        BaseChain::new(Table::Mangle, b"OUTPUT", LocalOut, Mangle),
        BaseChain::new(Table::Mangle, b"POSTROUTING", PostRouting, Mangle),
    ]
};

/// The number of a chain, which does not change while the chain exists. The first [`COUNT`] are the
/// built-in chains, in the order of [`BASE_CHAINS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChainId(u32);

impl ChainId {
    /// The chain with that number.
    pub(crate) const fn new(number: usize) -> Self {
        Self(number as u32)
    }

    /// The number.
    #[inline]
    pub(crate) const fn number(self) -> usize {
        self.0 as usize
    }

    /// All built-in chains.
    pub(crate) fn built_in() -> impl Iterator<Item = (Self, &'static BaseChain)> {
        BASE_CHAINS
            .iter()
            .enumerate()
            .map(|(number, chain)| (Self::new(number), chain))
    }

    /// The built-in chain; `None` if it is user-defined.
    pub(crate) fn base(self) -> Option<&'static BaseChain> {
        BASE_CHAINS.get(self.number())
    }
}

/// Maps chains to their names.
pub(crate) trait ChainNames {
    /// The name of a chain; `None` if there is no such chain.
    fn name_of(&self, id: ChainId) -> Option<ChainName>;
}

/// Stands for chains with the longest possible name, which any chain could be renamed to.
pub(super) struct LongestNames;

impl ChainNames for LongestNames {
    fn name_of(&self, _: ChainId) -> Option<ChainName> {
        Some(ChainName {
            bytes: [b'x'; CHAIN_NAME_LENGTH_MAX as usize],
            length: CHAIN_NAME_LENGTH_MAX as u8,
        })
    }
}

/// The name of a chain.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct ChainName {
    bytes: [u8; CHAIN_NAME_LENGTH_MAX as usize],
    length: u8,
}

impl ChainName {
    /// A name from its bytes; `None` if there are too many.
    pub(crate) fn new(name: &[u8]) -> Option<Self> {
        let mut bytes = [0; CHAIN_NAME_LENGTH_MAX as usize];
        bytes.get_mut(..name.len())?.copy_from_slice(name);
        Some(Self {
            bytes,
            length: name.len() as u8,
        })
    }

    /// Its bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes
            .get(..usize::from(self.length))
            .unwrap_or_default()
    }
}
