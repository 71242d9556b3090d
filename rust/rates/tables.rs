// SPDX-License-Identifier: GPL-2.0

//! The tables of a network namespace, which rules share by name.

use super::RateTable;
use crate::recent::ListLimits;
use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        Mutex, //
    },
};

/// The tables that rules name.
#[pin_data]
pub(crate) struct RateTables {
    limits: ListLimits,
    #[pin]
    tables: Mutex<KVec<Arc<RateTable>>>,
}

impl RateTables {
    /// No tables yet. The limits are those of recent lists.
    pub(crate) fn new(limits: ListLimits) -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                limits,
                tables <- new_mutex!(KVec::new(), "palisade_rates"),
            }),
            GFP_KERNEL_ACCOUNT,
        )
    }

    /// Limits and defaults of these tables.
    pub(crate) fn limits(&self) -> &ListLimits {
        &self.limits
    }

    /// The table called `name`.
    pub(crate) fn find(&self, name: &[u8]) -> Option<Arc<RateTable>> {
        let tables = self.tables.lock();
        tables.iter().find(|table| table.name() == name).cloned()
    }

    /// The table at that index, from 0. Indices change when rules do.
    pub(crate) fn nth(&self, index: usize) -> Option<Arc<RateTable>> {
        self.tables.lock().get(index).cloned()
    }

    /// The table called `name`, created for so many buckets if there is none. The caller holds the
    /// lock of rules.
    ///
    /// # Errors
    ///
    /// `ENOSPC` if there are too many tables, `ENOMEM`.
    pub(crate) fn find_or_create(&self, name: &[u8], size: u32) -> Result<Arc<RateTable>> {
        if let Some(table) = self.find(name) {
            return Ok(table);
        }
        let table = Arc::new(RateTable::new(name, size)?, GFP_KERNEL_ACCOUNT)?;
        let mut tables = self.tables.lock();
        if tables.len() >= self.limits.lists as usize {
            return Err(ENOSPC);
        }
        tables.push(table.clone(), GFP_KERNEL_ACCOUNT)?;
        Ok(table)
    }

    /// Removes the tables that are not among these; each stays allocated as long as it is referenced.
    /// The caller holds the lock of rules.
    pub(crate) fn retain<'a>(&self, used: impl Iterator<Item = &'a RateTable>) {
        let tables = self.tables.lock();
        if tables.is_empty() {
            return;
        }
        tables.iter().for_each(|table| table.set_used(false));
        drop(tables);
        used.for_each(|table| table.set_used(true));
        while let Some(unused) = self.take_unused() {
            // Freeing a table takes time: not under the mutex.
            drop(unused);
        }
    }

    fn take_unused(&self) -> Option<Arc<RateTable>> {
        let mut tables = self.tables.lock();
        let index = tables.iter().position(|table| !table.is_used())?;
        tables.remove(index).ok()
    }
}
