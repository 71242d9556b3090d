// SPDX-License-Identifier: GPL-2.0

//! Chains by name.

use crate::rules::prelude::*;

/// The numbers of chains, sorted by table and name.
///
/// It only holds the numbers; the argument `chain` of its functions maps a number to its chain.
#[derive(Default)]
pub(super) struct Index(KVVec<ChainId>);

impl Index {
    pub(super) fn try_clone(&self) -> Result<Self> {
        // One more, for a change that adds a chain.
        let room = self.0.len().saturating_add(1);
        let mut ids = KVVec::with_capacity(room, GFP_KERNEL_ACCOUNT)?;
        ids.extend_from_slice(&self.0, GFP_KERNEL_ACCOUNT)?;
        Ok(Self(ids))
    }

    /// The index of the chain with that name, or where it would have to be inserted.
    fn position<'a>(
        &self,
        table: Table,
        name: &[u8],
        chain: impl Fn(ChainId) -> Option<&'a Chain>,
    ) -> Result<usize, usize> {
        let wanted = Some((table.number(), name));
        self.0.binary_search_by(|id| {
            let chain = chain(*id).map(|chain| (chain.table.number(), chain.name.as_bytes()));
            chain.cmp(&wanted)
        })
    }

    /// The chain with that name in a table.
    pub(super) fn find<'a>(
        &self,
        table: Table,
        name: &[u8],
        chain: impl Fn(ChainId) -> Option<&'a Chain>,
    ) -> Option<ChainId> {
        let position = self.position(table, name, chain).ok()?;
        self.0.get(position).copied()
    }

    /// Inserts a chain under that name; `EEXIST` if the name is taken.
    pub(super) fn insert<'a>(
        &mut self,
        id: ChainId,
        table: Table,
        name: &[u8],
        chain: impl Fn(ChainId) -> Option<&'a Chain>,
    ) -> Result {
        let Err(position) = self.position(table, name, chain) else {
            return Err(EEXIST);
        };
        self.0.reserve(1, GFP_KERNEL_ACCOUNT)?;
        self.0
            .insert_within_capacity(position, id)
            .map_err(|_| EINVAL)
    }

    /// Removes the chain with that name.
    pub(super) fn remove<'a>(
        &mut self,
        table: Table,
        name: &[u8],
        chain: impl Fn(ChainId) -> Option<&'a Chain>,
    ) -> Result {
        let position = self.position(table, name, chain).map_err(|_| ENOENT)?;
        self.0.remove(position).map(drop).map_err(|_| ENOENT)
    }
}
