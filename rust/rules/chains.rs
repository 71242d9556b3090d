// SPDX-License-Identifier: GPL-2.0

//! The built-in chains: where packets come from.

use crate::{
    kernel_api::netfilter::{
        Point,
        Priority, //
    },
    spec::Table, //
};

/// A built-in chain.
pub(crate) struct BaseChain {
    /// The table that it belongs to.
    pub(crate) table: Table,
    /// Its name.
    pub(crate) name: &'static [u8],
    /// Where its packets come from.
    pub(crate) point: Point,
    /// Before or after whom it sees them.
    pub(crate) priority: Priority,
}

/// How many built-in chains there are.
pub(crate) const COUNT: usize = 2;

/// All built-in chains, in the order in which a packet meets them.
pub(crate) static BASE_CHAINS: [BaseChain; COUNT] = [
    BaseChain {
        table: Table::Raw,
        name: b"PREROUTING",
        point: Point::PreRouting,
        priority: Priority::Raw,
    },
    BaseChain {
        table: Table::Filter,
        name: b"INPUT",
        point: Point::LocalIn,
        priority: Priority::Filter,
    },
];

/// The place of a chain in [`BASE_CHAINS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChainId(usize);

impl ChainId {
    /// All built-in chains.
    pub(crate) fn all() -> impl Iterator<Item = (Self, &'static BaseChain)> {
        BASE_CHAINS
            .iter()
            .enumerate()
            .map(|(place, chain)| (Self(place), chain))
    }

    /// The chain of that name in a table.
    pub(crate) fn find(table: Table, name: &[u8]) -> Option<Self> {
        Self::all()
            .find(|(_, chain)| chain.table == table && chain.name == name)
            .map(|(id, _)| id)
    }

    /// The place.
    pub(crate) fn place(self) -> usize {
        self.0
    }
}
