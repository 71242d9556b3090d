// SPDX-License-Identifier: GPL-2.0

//! A recent list: a name, and a table that can be replaced.

use super::{
    entry::{
        Ages,
        Find,
        Key,
        Past,
        Snapshot, //
    },
    stamps::{
        jiffies,
        Window,
        AGE_MAX, //
    },
    table::{
        EntryTable,
        Origin,
        Query,
        Stamped,
        Statistics,
        Superseded,
        Survivors, //
    },
};
use crate::kernel_api::{
    memory_cgroup::LARGE,
    sync::rcu::{
        RcuBox,
        Retirable, //
    },
    time::jiffies32,
    work::cond_resched, //
};
use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        rcu,
        Arc,
        Mutex, //
    }, //
};

/// How many packets an entry remembers where nobody says otherwise, as in xt_recent.
pub(super) const DEFAULT_HITS: u32 = 20;

/// What can be chosen of a list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct ListSettings {
    /// Most entries.
    pub(crate) size: u32,
    /// Packets that an entry remembers.
    pub(crate) hits: u32,
    /// Age in jiffies from which on an entry counts as gone; at most [`AGE_MAX`].
    pub(crate) timeout: u32,
}

impl ListSettings {
    /// A timeout from milliseconds, of which 0 is the longest there is; none if it is longer than that.
    pub(crate) fn timeout(milliseconds: u64) -> Option<u32> {
        match milliseconds {
            0 => Some(AGE_MAX),
            _ => jiffies(milliseconds),
        }
    }
}

/// The table that a list has, and the one that it had before, while entries move.
struct Tables {
    table: Arc<EntryTable>,
    previous: Option<Arc<EntryTable>>,
}

impl Tables {
    fn of(table: Arc<EntryTable>) -> Result<KBox<Retirable<Self>>> {
        let tables = Self {
            table,
            previous: None,
        };
        Retirable::new(tables, GFP_KERNEL_ACCOUNT)
    }

    fn previous(&self) -> Option<&EntryTable> {
        self.previous.as_deref()
    }
}

/// A recent list.
#[pin_data]
pub(crate) struct List {
    name: KVec<u8>,
    tables: RcuBox<Tables>,
    /// How often the list got another table.
    generation: Atomic<u32>,
    /// Whoever gives the list another table holds this, until all entries have moved.
    #[pin]
    moving: Mutex<()>,
}

impl List {
    /// An empty list. May sleep.
    pub(super) fn new(name: &[u8], settings: ListSettings) -> Result<Arc<Self>> {
        let mut owned = KVec::new();
        owned.extend_from_slice(name, GFP_KERNEL_ACCOUNT)?;
        let tables = RcuBox::new(Tables::of(new_table(settings)?)?);
        Arc::pin_init(
            pin_init!(Self {
                name: owned,
                tables,
                generation: Atomic::new(0),
                moving <- new_mutex!((), "palisade_moving"),
            }),
            GFP_KERNEL_ACCOUNT,
        )
    }

    /// The list's name.
    pub(crate) fn name(&self) -> &[u8] {
        &self.name
    }

    /// What was chosen of it.
    pub(crate) fn settings(&self) -> ListSettings {
        self.with_tables(|Tables { table, .. }| ListSettings {
            size: table.size(),
            hits: table.hits(),
            timeout: table.timeout(),
        })
    }

    /// What happened to it so far.
    pub(crate) fn statistics(&self) -> Statistics {
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

    /// Does something with the tables that the list has now, again if it got another one meanwhile.
    fn retry<R>(&self, guard: &rcu::Guard, with: impl Fn(&Tables) -> Result<R, Superseded>) -> R {
        loop {
            // A table is superseded only after the next one was published, so that this goes round once for
            // each time that somebody changes the list meanwhile.
            if let Ok(result) = with(self.tables.read(guard)) {
                return result;
            }
        }
    }

    /// The table, while no entries move to it from another.
    #[inline(always)]
    fn quick_table<'a>(&'a self, guard: &'a rcu::Guard) -> Option<&'a EntryTable> {
        let Tables { table, previous } = self.tables.read(guard);
        previous.is_none().then_some(&**table)
    }

    /// As [`List::check`], of a window that does not reap; none where something is in the way of being quick.
    #[inline(always)]
    pub(crate) fn check_quickly(
        &self,
        query: &Query<'_, impl Find>,
        guard: &rcu::Guard,
    ) -> Option<bool> {
        self.quick_table(guard)?.check_quickly(query, jiffies32)
    }

    /// Whether there is such an entry; reaps where the window says so.
    #[inline(never)]
    pub(crate) fn check(&self, query: &Query<'_>, guard: &rcu::Guard) -> bool {
        self.retry(guard, |tables| {
            let previous = tables.previous();
            tables.table.check(previous, query, jiffies32())
        })
    }

    /// As [`List::update`], of a window that does not reap; none where something is in the way of being quick.
    #[inline(always)]
    pub(crate) fn update_quickly(
        &self,
        query: &Query<'_, impl Find>,
        invert: bool,
        time_to_live: u8,
        guard: &rcu::Guard,
    ) -> Option<bool> {
        let table = self.quick_table(guard)?;
        table
            .update_quickly(query, invert, jiffies32, time_to_live)
            .ok()
    }

    /// As [`List::check`], and if there is an entry, and what was found is not what `invert` says,
    /// remembers one packet more of that TTL.
    #[cold]
    #[inline(never)]
    pub(crate) fn update(
        &self,
        query: &Query<'_>,
        invert: bool,
        time_to_live: u8,
        guard: &rcu::Guard,
    ) -> bool {
        self.retry(guard, |tables| {
            let previous = tables.previous();
            let table = &tables.table;
            table.update(previous, query, invert, jiffies32(), time_to_live)
        })
    }

    /// As [`List::stamp`]; whether nothing was in the way of being quick.
    #[inline(always)]
    pub(crate) fn stamp_quickly(
        &self,
        key: &impl Find,
        time_to_live: u8,
        guard: &rcu::Guard,
    ) -> bool {
        self.quick_table(guard).is_some_and(|table| {
            let stamped = table.stamp_quickly(key, jiffies32, time_to_live);
            stamped.is_ok()
        })
    }

    /// Remembers a packet of the address.
    #[cold]
    #[inline(never)]
    pub(crate) fn stamp(&self, key: &Key, time_to_live: u8, guard: &rcu::Guard) {
        let ttl = Some(time_to_live);
        self.retry(guard, |tables| {
            let previous = tables.previous();
            let table = &tables.table;
            table.stamp(previous, key, jiffies32(), ttl, Origin::Packet)
        });
    }

    /// Adds the address as if it had been seen now; unlike [`List::stamp`] this takes no other's entry
    /// where there is no memory.
    pub(crate) fn add(&self, key: &Key, time_to_live: Option<u8>) -> Stamped {
        self.retry(&rcu::read_lock(), |tables| {
            let previous = tables.previous();
            tables
                .table
                .stamp(previous, key, jiffies32(), time_to_live, Origin::Hand)
        })
    }

    /// Adds the address with what was known of it at another time, instead of what is known of it now. If
    /// that is too old for the list, the list stays as it is.
    pub(crate) fn restore(
        &self,
        key: &Key,
        past: &Past<impl Iterator<Item = u32> + Clone>,
    ) -> Stamped {
        let timeout = self.settings().timeout;
        if past.ages.clone().next().is_none_or(|age| age > timeout) {
            return Stamped::Known;
        }
        self.retry(&rcu::read_lock(), |tables| {
            let previous = tables.previous();
            let now = jiffies32();
            tables
                .table
                .write(previous, key, now, Origin::Hand, |entry| {
                    entry.restore(now, past)
                })
        })
    }

    /// Removes the address, if its entry has that TTL or 0 is asked for; tells whether it was there.
    pub(crate) fn remove(&self, key: &Key, time_to_live: u8) -> bool {
        self.retry(&rcu::read_lock(), |tables| {
            let previous = tables.previous();
            tables
                .table
                .remove(previous, key, time_to_live, jiffies32())
        })
    }

    /// Whether the address is in the list.
    pub(crate) fn contains(&self, key: &Key) -> bool {
        let query = Query {
            key: *key,
            time_to_live: 0,
            window: &Window::any(),
        };
        self.check(&query, &rcu::read_lock())
    }

    /// Sees to it that there is memory for so many entries more, as far as the list may have them. May sleep.
    ///
    /// The memory is that of the table that the list has now: to keep it, call this in [`List::while_still`].
    /// Packets may use it up all the same.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is not.
    pub(crate) fn reserve(&self, more: u32) -> Result {
        let table = self.table();
        table.reserve(table.statistics().entries.saturating_add(more))
    }

    /// Waits until no entries move, and keeps it so while `run` runs.
    pub(crate) fn while_still<R>(&self, run: impl FnOnce() -> R) -> R {
        let _moving = self.moving.lock();
        run()
    }

    /// Which table the list has: the numbers of entries mean others in another table.
    pub(crate) fn generation(&self) -> u32 {
        self.generation.load(Relaxed)
    }

    /// The entry of that number, counted from 0; the error `ENOENT` is that the numbers end before.
    pub(crate) fn snapshot<'a>(
        &self,
        number: u32,
        ages: &'a mut Ages,
    ) -> Result<Option<Snapshot<'a>>> {
        self.with_tables(|tables| tables.table.snapshot(number, jiffies32(), ages))
    }

    /// Removes what is too old. May sleep.
    pub(super) fn age(&self) {
        let mut next = Some(0);
        while let Some(first) = next {
            next = self.with_tables(|tables| tables.table.age(first, jiffies32()));
            cond_resched();
        }
    }

    /// Removes all entries, at one moment. May sleep. Only one at a time may change the list so.
    pub(crate) fn flush(&self) -> Result {
        let table = new_table(self.settings())?;
        let tables = Tables::of(table.clone())?;
        let _moving = self.moving.lock();
        let old = self.table();
        self.replace(tables);
        // What is stamped from here on belongs to the new table.
        old.supersede();
        table.continue_from(old.statistics());
        Ok(())
    }

    /// Changes the timeout.
    pub(crate) fn set_timeout(&self, timeout: u32) {
        self.with_tables(|tables| tables.table.set_timeout(timeout));
    }

    /// Prepares that the list gets these settings and keeps its entries. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory.
    pub(crate) fn prepare(self: &Arc<Self>, settings: ListSettings) -> Result<PreparedTable> {
        let entries = self.statistics().entries;
        let table = new_table(settings)?;
        table.reserve(entries)?;
        let ages = if entries > settings.size {
            KVVec::with_capacity(entries as usize, LARGE)?
        } else {
            KVVec::new()
        };
        Ok(PreparedTable {
            list: self.clone(),
            moving: Tables::of(table.clone())?,
            moved: Tables::of(table.clone())?,
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

/// An empty table for a list, which has another until it is put in place.
pub(crate) struct PreparedTable {
    list: Arc<List>,
    table: Arc<EntryTable>,
    moving: KBox<Retirable<Tables>>,
    moved: KBox<Retirable<Tables>>,
    /// Room to find out which entries are the oldest, where not all have room.
    ages: KVVec<u32>,
}

impl PreparedTable {
    /// Whether it is for that list.
    pub(super) fn is_for(&self, list: &Arc<List>) -> bool {
        Arc::ptr_eq(&self.list, list)
    }

    /// Whether it is for that list and its entries remember so many packets.
    pub(super) fn suffices(&self, list: &Arc<List>, hits: u32) -> bool {
        self.is_for(list) && self.table.hits() >= hits
    }

    /// Puts it in place and moves the entries into it, those that were seen last if there is no room for
    /// all; returns how many found none. May sleep.
    pub(crate) fn install(mut self) -> u64 {
        let _moving = self.list.moving.lock();
        let old = self.list.table();
        self.moving.value_mut().previous = Some(old.clone());
        self.list.replace(self.moving);
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

fn new_table(settings: ListSettings) -> Result<Arc<EntryTable>> {
    let table = EntryTable::new(settings.size, settings.hits, settings.timeout)?;
    Ok(Arc::new(table, GFP_KERNEL_ACCOUNT)?)
}
