// SPDX-License-Identifier: GPL-2.0

//! The recent lists of a network namespace.

use super::list::{
    List,
    ListSettings,
    PreparedTable,
    DEFAULT_HITS, //
};
use crate::{
    monitor::{
        ListMonitor, //
        Monitor,
    },
    recent::prelude::*, //
};
use kernel::{
    new_mutex,
    sync::Mutex, //
};

/// Limits and defaults of lists.
#[derive(Clone, Copy)]
pub(crate) struct ListLimits {
    /// Maximum number of lists in a network namespace.
    pub(crate) lists: u32,
    /// Maximum number of entries in a list, and the default size.
    pub(crate) entries: u32,
    /// The default timeout of a list, in jiffies.
    pub(crate) timeout: u32,
}

impl ListLimits {
    /// The settings of a list created without any.
    pub(crate) fn default_settings(&self) -> ListSettings {
        ListSettings {
            size: self.entries,
            hits: DEFAULT_HITS,
            timeout: self.timeout,
        }
    }
}

/// Tables to install when the rules that need them take effect.
pub(crate) struct PendingTables(KVec<PreparedTable>);

impl PendingTables {
    /// Nothing to install.
    pub(crate) fn new() -> Self {
        Self(KVec::new())
    }

    fn provide(&mut self, list: &Arc<List>, hits: u32) -> Result {
        let settings = list.settings();
        if settings.hits >= hits || self.0.iter().any(|table| table.suffices(list, hits)) {
            return Ok(());
        }
        let table = list.prepare(ListSettings { hits, ..settings })?;
        // A table already prepared for this list has fewer hits.
        self.0.retain(|other| !other.is_for(list));
        Ok(self.0.push(table, GFP_KERNEL_ACCOUNT)?)
    }

    /// Installs the tables.
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
    monitor: Arc<Monitor>,
    #[pin]
    lists: Mutex<KVec<Arc<List>>>,
}

impl Lists {
    /// No lists yet. What packets change in lists is told by `monitor`.
    pub(crate) fn new(limits: ListLimits, monitor: Arc<Monitor>) -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                limits,
                monitor,
                lists <- new_mutex!(KVec::new(), "palisade_lists"),
            }),
            GFP_KERNEL_ACCOUNT,
        )
    }

    /// Limits and defaults of these lists.
    pub(crate) fn limits(&self) -> &ListLimits {
        &self.limits
    }

    /// The list called `name`.
    pub(crate) fn find(&self, name: &[u8]) -> Option<Arc<List>> {
        let lists = self.lists.lock();
        lists.iter().find(|list| list.name() == name).cloned()
    }

    /// The list at that index, from 0. Indices change when a list is removed.
    pub(crate) fn nth(&self, index: usize) -> Option<Arc<List>> {
        self.lists.lock().get(index).cloned()
    }

    /// Appends a list.
    ///
    /// # Errors
    ///
    /// `EEXIST` if the name is taken, `ENOSPC` if there are too many lists, `ENOMEM`.
    pub(crate) fn create(
        &self,
        name: &[u8],
        settings: ListSettings,
        except: Option<Arc<List>>,
    ) -> Result<Arc<List>> {
        let monitor = self.monitor.add_list(name)?;
        let number = monitor.name().clone();
        let created = self.create_telling(monitor, settings, except);
        if created.is_err() {
            self.monitor.remove_list(&number);
        }
        created
    }

    fn create_telling(
        &self,
        monitor: ListMonitor,
        settings: ListSettings,
        except: Option<Arc<List>>,
    ) -> Result<Arc<List>> {
        let list = List::new(monitor, settings, except)?;
        let mut lists = self.lists.lock();
        if lists.iter().any(|other| other.name() == list.name()) {
            return Err(EEXIST);
        }
        if lists.len() >= self.limits.lists as usize {
            return Err(ENOSPC);
        }
        lists.push(list.clone(), GFP_KERNEL_ACCOUNT)?;
        Ok(list)
    }

    /// The list called `name`, created if there is none. Its entries hold at least `hits` stamps
    /// once `pending_tables` is applied.
    ///
    /// # Errors
    ///
    /// Those of [`Lists::create`].
    pub(crate) fn find_or_create(
        &self,
        name: &[u8],
        hits: u32,
        pending_tables: &mut PendingTables,
    ) -> Result<Arc<List>> {
        if let Some(list) = self.find(name) {
            pending_tables.provide(&list, hits)?;
            return Ok(list);
        }
        let mut settings = self.limits.default_settings();
        settings.hits = settings.hits.max(hits);
        self.create(name, settings, None)
    }

    /// Removes a list; it stays allocated as long as it is referenced.
    pub(crate) fn remove(&self, list: &Arc<List>) {
        let mut lists = self.lists.lock();
        let index = lists.iter().position(|other| Arc::ptr_eq(other, list));
        let removed = index.map(|index| lists.remove(index));
        // Freeing a table takes time: not under the mutex.
        drop(lists);
        self.monitor.remove_list(list.monitor().name());
        drop(removed);
    }

    /// Whether another list makes exceptions of the addresses of this one.
    pub(crate) fn is_exception(&self, list: &List) -> bool {
        let excepts =
            |other: &Arc<List>| other.except().is_some_and(|it| core::ptr::eq(&*it, list));
        self.lists.lock().iter().any(excepts)
    }

    /// The number of lists.
    pub(crate) fn count(&self) -> usize {
        self.lists.lock().len()
    }

    /// Removes all lists but the first `count`.
    pub(crate) fn truncate(&self, count: usize) {
        while let Some(list) = self.nth(count) {
            self.remove(&list);
        }
    }
}
