// SPDX-License-Identifier: GPL-2.0

//! A recent list: a name, and a table that can be replaced.

use super::{
    entry::{
        Ages,
        SavedState,
        Snapshot, //
    },
    stamps::jiffies,
    table::{
        ListStatistics,
        Query,
        Survivors, //
    },
};
use crate::{
    kernel_api::{
        sync::rcu::{
            RcuBox,
            Retirable, //
        },
        time::jiffies32,
        work::cond_resched, //
    },
    monitor::ListMonitor,
    recent::prelude::*, //
};
use kernel::{
    new_mutex,
    sync::{
        rcu,
        Mutex, //
    },
};

/// How many stamps an entry holds by default, as in xt_recent.
pub(super) const DEFAULT_HITS: u32 = 20;

/// The settings of a list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct ListSettings {
    /// Maximum number of entries.
    pub(crate) size: u32,
    /// Stamps that an entry holds.
    pub(crate) hits: u32,
    /// Age in jiffies above which an entry counts as expired; at most [`AGE_MAX`].
    pub(crate) timeout: u32,
}

impl ListSettings {
    /// A timeout in milliseconds to jiffies. 0 means [`AGE_MAX`]; `None` if it is longer than that.
    pub(crate) fn timeout(milliseconds: u64) -> Option<u32> {
        match milliseconds {
            0 => Some(AGE_MAX),
            _ => jiffies(milliseconds),
        }
    }
}

/// A list's table, and what else there may be to ask.
struct Tables {
    table: Arc<EntryTable>,
    /// Nothing for most lists, which the fast path sees at one look.
    detour: Option<KBox<Detour>>,
}

/// What there is to ask beside the table.
#[derive(Default)]
struct Detour {
    /// The previous table while entries migrate.
    previous: Option<Arc<EntryTable>>,
    /// A list whose addresses rules do not find in this one, nor stamp.
    except: Option<Arc<List>>,
    /// Whether there may be networks.
    networks: bool,
}

impl Detour {
    /// Whether networks are all that there is to ask.
    #[inline]
    fn has_only_networks(&self) -> bool {
        self.previous.is_none() && self.except.is_none()
    }

    /// Itself, if there is anything to ask.
    fn needed(self) -> Option<Self> {
        let is_needed = self.previous.is_some() || self.except.is_some() || self.networks;
        is_needed.then_some(self)
    }
}

impl Tables {
    fn new(table: Arc<EntryTable>, detour: Option<Detour>) -> Result<KBox<Retirable<Self>>> {
        let tables = Self {
            table,
            detour: detour
                .map(|detour| KBox::new(detour, GFP_KERNEL_ACCOUNT))
                .transpose()?,
        };
        Retirable::new(tables, GFP_KERNEL_ACCOUNT)
    }

    /// The tables of a list with that exception, which may have networks, while no entries migrate.
    fn settled(
        table: Arc<EntryTable>,
        except: Option<Arc<List>>,
        networks: bool,
    ) -> Result<KBox<Retirable<Self>>> {
        let detour = Detour {
            previous: None,
            except,
            networks,
        };
        Self::new(table, detour.needed())
    }

    fn previous(&self) -> Option<&EntryTable> {
        self.detour.as_ref()?.previous.as_deref()
    }

    fn except(&self) -> Option<&Arc<List>> {
        self.detour.as_ref()?.except.as_ref()
    }

    fn has_networks(&self) -> bool {
        self.detour.as_ref().is_some_and(|detour| detour.networks)
    }

    fn check(&self, query: &Query<'_>) -> Result<bool, Superseded> {
        let networks = self.has_networks();
        (self.table).check(self.previous(), query, networks, jiffies32())
    }

    /// Whether the list makes an exception of the address.
    fn excepts(&self, address: impl Fn() -> EntryKey) -> bool {
        self.except()
            .is_some_and(|except| except.contains(&address()))
    }
}

/// A recent list.
#[pin_data]
pub(crate) struct List {
    monitor: ListMonitor,
    tables: RcuBox<Tables>,
    /// How often the table was replaced.
    generation: Atomic<u32>,
    /// Held from replacing the table until all entries have migrated.
    #[pin]
    migration_lock: Mutex<()>,
}

impl List {
    /// An empty list. May sleep.
    pub(super) fn new(
        monitor: ListMonitor,
        settings: ListSettings,
        except: Option<Arc<List>>,
    ) -> Result<Arc<Self>> {
        let table = new_table(settings, &monitor)?;
        let tables = RcuBox::new(Tables::settled(table, except, false)?);
        Arc::pin_init(
            pin_init!(Self {
                monitor,
                tables,
                generation: Atomic::new(0),
                migration_lock <- new_mutex!((), "palisade_migration"),
            }),
            GFP_KERNEL_ACCOUNT,
        )
    }

    /// The list's name.
    pub(crate) fn name(&self) -> &[u8] {
        self.monitor.name().as_bytes()
    }

    /// Where its tables tell of entries.
    pub(super) fn monitor(&self) -> &ListMonitor {
        &self.monitor
    }

    /// The current settings.
    pub(crate) fn settings(&self) -> ListSettings {
        self.with_tables(|Tables { table, .. }| ListSettings {
            size: table.size(),
            hits: table.hits(),
            timeout: table.timeout(),
        })
    }

    /// The list whose addresses rules do not find in this one, nor stamp.
    pub(crate) fn except(&self) -> Option<Arc<List>> {
        self.with_tables(|tables| tables.except().cloned())
    }

    /// Whether it may have networks.
    pub(crate) fn has_networks(&self) -> bool {
        self.with_tables(Tables::has_networks)
    }

    /// The list's statistics.
    pub(crate) fn statistics(&self) -> ListStatistics {
        self.with_tables(|tables| {
            let now = tables.table.statistics();
            match tables.previous() {
                Some(previous) => now.plus(&previous.statistics()),
                None => now,
            }
        })
    }

    fn with_tables<R>(&self, with: impl FnOnce(&Tables) -> R) -> R {
        with(self.tables.read(&rcu::read_lock()))
    }

    /// Runs `with` on the current tables, again if they are replaced meanwhile.
    fn retry<R>(&self, guard: &rcu::Guard, with: impl Fn(&Tables) -> Result<R, Superseded>) -> R {
        loop {
            let tables = self.tables.read(guard);
            // A table is superseded only after its successor is published, so this retries at most
            // once for each concurrent replacement.
            if let Ok(result) = with(tables) {
                return result;
            }
        }
    }

    /// The table, unless there is something else to ask.
    #[inline(always)]
    fn settled_table<'a>(&'a self, guard: &'a rcu::Guard) -> Option<&'a EntryTable> {
        let Tables { table, detour } = self.tables.read(guard);
        detour.is_none().then_some(&**table)
    }

    /// [`List::check`] for a window that does not reap; `None` if the fast path does not apply.
    #[inline(always)]
    pub(crate) fn check_fast(
        &self,
        query: &Query<'_, impl Find>,
        guard: &rcu::Guard,
    ) -> Option<bool> {
        self.settled_table(guard)?.check_fast(query, jiffies32)
    }

    /// As [`List::check_fast`], of a list that may have networks, and nothing else to ask.
    #[inline]
    pub(crate) fn check_fast_in_networks(
        &self,
        query: &Query<'_, impl Find>,
        guard: &rcu::Guard,
    ) -> Option<bool> {
        let Tables { table, detour } = self.tables.read(guard);
        match detour {
            Some(detour) if detour.has_only_networks() => {
                table.check_fast_in_networks(query, jiffies32)
            }
            _ => None,
        }
    }

    /// Whether an entry matches the query of a packet; reaps if the window says so. `address` is that
    /// of the packet, which the list may make an exception of.
    #[inline(never)]
    pub(crate) fn check(
        &self,
        query: &Query<'_>,
        address: impl Fn() -> EntryKey,
        guard: &rcu::Guard,
    ) -> bool {
        self.retry(guard, |tables| {
            if tables.excepts(&address) {
                return Ok(false);
            }
            tables.check(query)
        })
    }

    /// [`List::update`] for a window that does not reap; `None` if the fast path does not apply.
    #[inline(always)]
    pub(crate) fn update_fast(
        &self,
        query: &Query<'_, impl Find>,
        invert: bool,
        time_to_live: u8,
        guard: &rcu::Guard,
    ) -> Option<bool> {
        let table = self.settled_table(guard)?;
        table.update_fast(query, invert, jiffies32, time_to_live)
    }

    /// As [`List::check`], and stamps the entry, if there is one, when the result differs from
    /// `invert`.
    #[cold]
    #[inline(never)]
    pub(crate) fn update(
        &self,
        query: &Query<'_>,
        address: impl Fn() -> EntryKey,
        invert: bool,
        time_to_live: u8,
        guard: &rcu::Guard,
    ) -> bool {
        self.retry(guard, |tables| {
            if tables.excepts(&address) {
                return Ok(false);
            }
            let (table, previous, now) = (&tables.table, tables.previous(), jiffies32());
            let query = match tables.has_networks() {
                true => &table.deciding(previous, query, now),
                false => query,
            };
            table.update(previous, query, invert, now, time_to_live)
        })
    }

    /// As [`List::stamp`]; returns `false` if the fast path does not apply.
    #[inline(always)]
    pub(crate) fn stamp_fast(&self, key: &impl Find, time_to_live: u8, guard: &rcu::Guard) -> bool {
        self.settled_table(guard).is_some_and(|table| {
            let stamped = table.stamp_fast(key, jiffies32, time_to_live);
            stamped.is_ok()
        })
    }

    /// Stamps the address of a packet, adding it if needed, unless the list makes an exception of it.
    #[cold]
    #[inline(never)]
    pub(crate) fn stamp(
        &self,
        key: &EntryKey,
        address: impl Fn() -> EntryKey,
        time_to_live: u8,
        guard: &rcu::Guard,
    ) {
        let ttl = Some(time_to_live);
        self.retry(guard, |tables| {
            if tables.excepts(&address) {
                return Ok(());
            }
            let (table, previous) = (&tables.table, tables.previous());
            table.stamp(previous, key, jiffies32(), ttl, Origin::Packet)?;
            Ok(())
        });
    }

    /// Adds the address as if it had been seen now, and tells it when to expire, if that is given.
    /// With `exist`, an address that is in the list is not stamped. Unlike [`List::stamp`], this evicts
    /// no other entry when memory runs out.
    pub(crate) fn add(
        &self,
        key: &EntryKey,
        time_to_live: Option<u8>,
        expiry: Option<Expiry>,
        exist: bool,
    ) -> Stamped {
        self.retry(&rcu::read_lock(), |tables| {
            let now = jiffies32();
            let push = |entry: Entry<'_>| {
                if !(exist && entry.has_stamps()) {
                    entry.push(now, time_to_live);
                }
            };
            let (table, previous) = (&tables.table, tables.previous());
            table.write(previous, key, now, Origin::Hand, expiry, push)
        })
    }

    /// Adds the address with an earlier state, which replaces the current one, but with `exist`. If that
    /// state has expired already, the list is left unchanged.
    pub(crate) fn restore(
        &self,
        key: &EntryKey,
        past: &SavedState<impl Iterator<Item = u32> + Clone>,
        expiry: Option<Expiry>,
        exist: bool,
    ) -> Stamped {
        let timeout = self.settings().timeout;
        let is_too_old = |age| age > timeout && expiry.is_none();
        if past.ages.clone().next().is_none_or(is_too_old) {
            return Stamped::Updated;
        }
        self.retry(&rcu::read_lock(), |tables| {
            let now = jiffies32();
            let restore = |entry: Entry<'_>| {
                if !(exist && entry.has_stamps()) {
                    entry.restore(now, past);
                }
            };
            let (table, previous) = (&tables.table, tables.previous());
            table.write(previous, key, now, Origin::Hand, expiry, restore)
        })
    }

    /// Removes the address if its entry matches the TTL; 0 matches any. Returns whether it was
    /// there.
    pub(crate) fn remove(&self, key: &EntryKey, time_to_live: u8) -> bool {
        self.retry(&rcu::read_lock(), |tables| {
            let (table, previous) = (&tables.table, tables.previous());
            table.remove(previous, key, time_to_live, jiffies32())
        })
    }

    /// Whether the address is in the list, or a network that it is in.
    fn contains(&self, key: &EntryKey) -> bool {
        let query = Query::any(key);
        self.retry(&rcu::read_lock(), |tables| tables.check(&query))
    }

    /// Whether the list has an entry with that key.
    pub(crate) fn has(&self, key: &EntryKey) -> bool {
        let query = Query::any(key);
        self.retry(&rcu::read_lock(), |tables| {
            (tables.table).check(tables.previous(), &query, false, jiffies32())
        })
    }

    /// Allocates memory for `more` further entries, up to the list's size, and, if `expire` says so, to
    /// note when entries expire. May sleep.
    ///
    /// The memory belongs to the current table: to keep that table, call this in
    /// [`List::with_migration_locked`]. Packets may use the memory up all the same.
    ///
    /// # Errors
    ///
    /// `ENOMEM` if there is not enough memory.
    pub(crate) fn reserve(&self, more: u32, expire: bool) -> Result {
        let table = self.table();
        table.reserve(table.statistics().entries.saturating_add(more), expire)
    }

    /// Waits for any migration to finish and runs `run` with migrations locked out.
    pub(crate) fn with_migration_locked<R>(&self, run: impl FnOnce() -> R) -> R {
        let _lock = self.migration_lock.lock();
        run()
    }

    /// Counts the list's tables: entry numbers mean other entries in another table.
    pub(crate) fn generation(&self) -> u32 {
        self.generation.load(Relaxed)
    }

    /// The entry of that number, from 0. `Err(ENOENT)` if the numbers end before it.
    pub(crate) fn snapshot<'a>(
        &self,
        number: u32,
        ages: &'a mut Ages,
    ) -> Result<Option<Snapshot<'a>>> {
        self.with_tables(|tables| tables.table.snapshot(number, jiffies32(), ages))
    }

    /// Removes expired entries and stale stamps. May sleep.
    pub(super) fn age(&self) {
        let mut next = Some(0);
        while let Some(first) = next {
            next = self.with_tables(|tables| tables.table.age(first, jiffies32()));
            cond_resched();
        }
    }

    /// Removes all entries at once. May sleep. The caller serializes flushes and resizes.
    pub(crate) fn flush(&self) -> Result {
        let table = new_table(self.settings(), &self.monitor)?;
        let _lock = self.migration_lock.lock();
        let tables = Tables::settled(table.clone(), self.except(), self.has_networks())?;
        let old = self.table();
        self.replace(tables);
        // Stamps from here on go to the new table.
        old.supersede();
        table.continue_from(old.statistics());
        Ok(())
    }

    /// Sets the list of exceptions. May sleep. The caller serializes this with flushes and resizes.
    ///
    /// # Errors
    ///
    /// `ENOMEM` if there is not enough memory.
    pub(crate) fn set_except(&self, except: Option<Arc<List>>) -> Result {
        let _lock = self.migration_lock.lock();
        let tables = Tables::settled(self.table(), except, self.has_networks())?;
        self.replace(tables);
        Ok(())
    }

    /// From here on, the list may have networks. May sleep. The caller has locked migrations out.
    ///
    /// # Errors
    ///
    /// `ENOMEM` if there is not enough memory.
    pub(crate) fn allow_networks(&self) -> Result {
        if !self.has_networks() {
            self.replace(Tables::settled(self.table(), self.except(), true)?);
        }
        Ok(())
    }

    /// Sets the timeout, in jiffies.
    pub(crate) fn set_timeout(&self, timeout: u32) {
        self.with_tables(|tables| tables.table.set_timeout(timeout));
    }

    /// Prepares a table with these settings for the list's entries. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM` if there is not enough memory.
    pub(crate) fn prepare(self: &Arc<Self>, settings: ListSettings) -> Result<PreparedTable> {
        let entries = self.statistics().entries;
        let table = new_table(settings, &self.monitor)?;
        table.reserve(entries, self.table().has_expiries())?;
        let ages = if entries > settings.size {
            KVVec::with_capacity(entries as usize, LARGE)?
        } else {
            KVVec::new()
        };
        Ok(PreparedTable {
            list: self.clone(),
            tables: Tables::new(table.clone(), Some(Detour::default()))?,
            moved: Tables::new(table.clone(), Some(Detour::default()))?,
            table,
            ages,
        })
    }

    fn table(&self) -> Arc<EntryTable> {
        self.with_tables(|tables| tables.table.clone())
    }

    fn replace(&self, tables: KBox<Retirable<Tables>>) {
        self.tables.replace(tables);
        self.generation.fetch_add(1, Relaxed);
    }
}

/// An empty table, ready to replace a list's current one.
pub(crate) struct PreparedTable {
    list: Arc<List>,
    table: Arc<EntryTable>,
    tables: KBox<Retirable<Tables>>,
    moved: KBox<Retirable<Tables>>,
    /// Room for the ranks, to find the last entries if not all fit.
    ages: KVVec<u32>,
}

impl PreparedTable {
    /// Whether it is for that list.
    pub(super) fn is_for(&self, list: &Arc<List>) -> bool {
        Arc::ptr_eq(&self.list, list)
    }

    /// Whether it is for that list and its entries hold at least `hits` stamps.
    pub(super) fn suffices(&self, list: &Arc<List>, hits: u32) -> bool {
        self.is_for(list) && self.table.hits() >= hits
    }

    /// Installs the table and migrates the entries, the most recently seen ones if not all fit.
    /// Returns how many were lost. May sleep.
    pub(crate) fn install(mut self) -> u64 {
        let _lock = self.list.migration_lock.lock();
        let old = self.list.table();
        let (except, networks) = (self.list.except(), self.list.has_networks());
        if let Some(detour) = &mut self.tables.value_mut().detour {
            detour.previous = Some(old.clone());
            detour.except = except.clone();
            detour.networks = networks;
        }
        let moved = self.moved.value_mut();
        match &mut moved.detour {
            Some(detour) if except.is_some() || networks => {
                detour.except = except;
                detour.networks = networks;
            }
            _ => moved.detour = None,
        }
        self.list.replace(self.tables);
        let now = jiffies32();
        let mut survivors = if self.ages.capacity() > 0 {
            Survivors::of(&old, self.table.size(), now, &mut self.ages)
        } else {
            Survivors::all()
        };
        let lost = self
            .table
            .migrate_all(&old, &mut survivors, now, cond_resched);
        self.list.replace(self.moved);
        self.table.continue_from(old.statistics());
        lost
    }
}

fn new_table(settings: ListSettings, monitor: &ListMonitor) -> Result<Arc<EntryTable>> {
    let table = EntryTable::new(settings.size, settings.hits, settings.timeout)?;
    Ok(Arc::new(table.telling(monitor), GFP_KERNEL_ACCOUNT)?)
}
