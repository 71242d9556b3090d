// SPDX-License-Identifier: GPL-2.0

//! The recent lists of a network namespace.

use super::list::{
    List,
    ListSettings,
    PreparedTable,
    DEFAULT_HITS, //
};
use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        Mutex, //
    }, //
};

/// What lists may take up.
#[derive(Clone, Copy)]
pub(crate) struct ListLimits {
    /// Most lists in a network namespace.
    pub(crate) lists: u32,
    /// Most entries in a list, and what a list gets that says nothing of its size.
    pub(crate) entries: u32,
    /// The timeout of a list that says nothing of it, in jiffies.
    pub(crate) timeout: u32,
}

impl ListLimits {
    /// The settings of a list of which nothing is said.
    pub(crate) fn default_settings(&self) -> ListSettings {
        ListSettings {
            size: self.entries,
            hits: DEFAULT_HITS,
            timeout: self.timeout,
        }
    }
}

/// What lists are to become when the rules that need it come into force.
pub(crate) struct Growth(KVec<PreparedTable>);

impl Growth {
    /// Nothing so far.
    pub(crate) fn new() -> Self {
        Self(KVec::new())
    }

    fn provide(&mut self, list: &Arc<List>, hits: u32) -> Result {
        let settings = list.settings();
        if settings.hits >= hits || self.0.iter().any(|table| table.suffices(list, hits)) {
            return Ok(());
        }
        let table = list.prepare(ListSettings { hits, ..settings })?;
        // One that is there for the list already has fewer hits.
        self.0.retain(|other| !other.is_for(list));
        Ok(self.0.push(table, GFP_KERNEL_ACCOUNT)?)
    }

    /// Puts it into force.
    pub(crate) fn apply(mut self) {
        for table in self.0.drain_all() {
            table.install();
        }
    }
}

/// The recent lists of a network namespace.
#[pin_data]
pub(crate) struct Lists {
    limits: ListLimits,
    #[pin]
    lists: Mutex<KVec<Arc<List>>>,
}

impl Lists {
    /// No lists yet.
    pub(crate) fn new(limits: ListLimits) -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                limits,
                lists <- new_mutex!(KVec::new(), "palisade_lists"),
            }),
            GFP_KERNEL_ACCOUNT,
        )
    }

    /// What lists may take up.
    pub(crate) fn limits(&self) -> &ListLimits {
        &self.limits
    }

    /// The list of that name.
    pub(crate) fn find(&self, name: &[u8]) -> Option<Arc<List>> {
        let lists = self.lists.lock();
        lists.iter().find(|list| list.name() == name).cloned()
    }

    /// The list at that place, counted from 0; the places of lists change when one is removed.
    pub(crate) fn nth(&self, place: usize) -> Option<Arc<List>> {
        self.lists.lock().get(place).cloned()
    }

    /// Adds a list, behind all others.
    ///
    /// # Errors
    ///
    /// `EEXIST` when there is one of that name, `ENOSPC` when there are too many, `ENOMEM`.
    pub(crate) fn create(&self, name: &[u8], settings: ListSettings) -> Result<Arc<List>> {
        let list = List::new(name, settings)?;
        let mut lists = self.lists.lock();
        if lists.iter().any(|other| other.name() == name) {
            return Err(EEXIST);
        }
        if lists.len() >= self.limits.lists as usize {
            return Err(ENOSPC);
        }
        lists.push(list.clone(), GFP_KERNEL_ACCOUNT)?;
        Ok(list)
    }

    /// The list of that name, which is created if there is none, and whose entries remember at least so
    /// many packets, once `growth` is applied.
    ///
    /// # Errors
    ///
    /// Those of [`Lists::create`].
    pub(crate) fn find_or_create(
        &self,
        name: &[u8],
        hits: u32,
        growth: &mut Growth,
    ) -> Result<Arc<List>> {
        if let Some(list) = self.find(name) {
            growth.provide(&list, hits)?;
            return Ok(list);
        }
        let mut settings = self.limits.default_settings();
        settings.hits = settings.hits.max(hits);
        self.create(name, settings)
    }

    /// Takes a list out; it lives on as long as somebody uses it.
    pub(crate) fn remove(&self, list: &Arc<List>) {
        let mut lists = self.lists.lock();
        let place = lists.iter().position(|other| Arc::ptr_eq(other, list));
        let removed = place.map(|place| lists.remove(place));
        // Freeing a table takes time, which others should not wait for.
        drop(lists);
        drop(removed);
    }

    /// How many lists there are.
    pub(crate) fn count(&self) -> usize {
        self.lists.lock().len()
    }

    /// Takes out all lists but the first `count`.
    pub(crate) fn truncate(&self, count: usize) {
        while let Some(list) = self.nth(count) {
            self.remove(&list);
        }
    }
}
