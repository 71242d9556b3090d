// SPDX-License-Identifier: GPL-2.0

//! A recent list: a name, and a table that can be replaced.

use super::{
    entry::{
        Entry,
        Key,
        Snapshot, //
    },
    stamps::{
        jiffies,
        Window,
        AGE_MAX, //
    },
    table::{
        Origin,
        Stamped,
        Statistics,
        Table, //
    },
};
use crate::kernel_api::{
    rcu::{
        RcuBox,
        Retirable, //
    },
    time::jiffies32,
    work::give_way, //
};
use kernel::{
    prelude::*,
    sync::{
        rcu,
        Arc, //
    },
};

/// How many packets an entry remembers where nobody says otherwise, as in xt_recent.
pub(super) const DEFAULT_HITS: u32 = 20;

/// What can be chosen of a list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Most entries.
    pub(crate) size: u32,
    /// Packets that an entry remembers.
    pub(crate) hits: u32,
    /// Age in jiffies from which on an entry counts as gone; at most [`AGE_MAX`].
    pub(crate) timeout: u32,
}

impl Settings {
    /// A timeout from milliseconds, of which 0 is the longest there is; none if it is longer than that.
    pub(crate) fn timeout(milliseconds: u64) -> Option<u32> {
        match milliseconds {
            0 => Some(AGE_MAX),
            _ => jiffies(milliseconds),
        }
    }
}

/// A recent list.
pub(crate) struct List {
    name: KVec<u8>,
    table: RcuBox<Table>,
}

impl List {
    /// An empty list. May sleep.
    pub(super) fn new(name: &[u8], settings: Settings) -> Result<Self> {
        let mut owned = KVec::new();
        owned.extend_from_slice(name, GFP_KERNEL_ACCOUNT)?;
        Ok(Self {
            name: owned,
            table: RcuBox::new(new_table(settings)?),
        })
    }

    /// The list's name.
    pub(crate) fn name(&self) -> &[u8] {
        &self.name
    }

    /// What was chosen of it.
    pub(crate) fn settings(&self) -> Settings {
        self.with_table(|table| Settings {
            size: table.size(),
            hits: table.hits(),
            timeout: table.timeout(),
        })
    }

    /// What happened to it so far.
    pub(crate) fn statistics(&self) -> Statistics {
        self.with_table(Table::statistics)
    }

    #[inline]
    fn with_table<R>(&self, with: impl FnOnce(&Table) -> R) -> R {
        with(self.table.read(&rcu::read_lock()))
    }

    /// Whether the address was seen as the window asks.
    #[inline]
    pub(crate) fn check(&self, key: &Key, window: &Window) -> bool {
        self.with_table(|table| table.check(key, window, jiffies32()))
    }

    /// As [`List::check`], and if so remembers one packet more.
    #[inline]
    pub(crate) fn update(&self, key: &Key, window: &Window, time_to_live: u8) -> bool {
        self.with_table(|table| table.update(key, window, jiffies32(), time_to_live))
    }

    /// Remembers a packet of the address.
    #[inline]
    pub(crate) fn stamp(&self, key: &Key, time_to_live: u8) -> Stamped {
        self.with_table(|table| table.stamp(key, jiffies32(), time_to_live, Origin::Packet))
    }

    /// Adds the address as if it had been seen now; unlike [`List::stamp`] this takes no other's entry
    /// where there is no memory.
    pub(crate) fn add(&self, key: &Key, time_to_live: u8) -> Stamped {
        self.with_table(|table| table.stamp(key, jiffies32(), time_to_live, Origin::Hand))
    }

    /// Removes the address; tells whether it was there.
    pub(crate) fn remove(&self, key: &Key) -> bool {
        self.with_table(|table| table.remove(key, jiffies32()))
    }

    /// Whether the address is in the list.
    pub(crate) fn contains(&self, key: &Key) -> bool {
        let window = Window { age: None, hits: 1 };
        self.check(key, &window)
    }

    /// The entry of that number, counted from 0; the error `ENOENT` is that the numbers end before.
    pub(crate) fn snapshot(&self, number: u32) -> Result<Option<Snapshot>> {
        let ages = Entry::room_for_ages()?;
        self.with_table(|table| table.snapshot(number, jiffies32(), ages))
    }

    /// Removes what is too old. May sleep.
    pub(super) fn age(&self) {
        let mut next = Some(0);
        while let Some(first) = next {
            next = self.with_table(|table| table.age(first, jiffies32()));
            give_way();
        }
    }

    /// Removes all entries, at one moment. May sleep. Only one at a time may change the list so.
    pub(crate) fn flush(&self) -> Result {
        self.replace_table(new_table(self.settings())?);
        Ok(())
    }

    /// Prepares that entries remember so many packets, if they remember fewer now. May sleep.
    ///
    /// # Errors
    ///
    /// `EBUSY` when there are entries, which would be lost, `ENOMEM`.
    pub(super) fn prepare_hits(self: &Arc<Self>, hits: u32) -> Result<Option<PreparedTable>> {
        let settings = self.settings();
        if settings.hits >= hits {
            return Ok(None);
        }
        if self.statistics().entries > 0 {
            return Err(EBUSY);
        }
        Ok(Some(PreparedTable {
            list: self.clone(),
            table: new_table(Settings { hits, ..settings })?,
        }))
    }

    fn replace_table(&self, table: KBox<Retirable<Table>>) {
        table.value().continue_from(self.statistics());
        self.table.replace(table);
    }
}

/// An empty table for a list, which has another until it is put in place.
pub(super) struct PreparedTable {
    list: Arc<List>,
    table: KBox<Retirable<Table>>,
}

impl PreparedTable {
    /// Whether it is for that list and its entries remember so many packets.
    pub(super) fn suffices(&self, list: &Arc<List>, hits: u32) -> bool {
        Arc::ptr_eq(&self.list, list) && self.table.value().hits() >= hits
    }

    /// Puts it in place.
    pub(super) fn install(self) {
        self.list.replace_table(self.table);
    }
}

fn new_table(settings: Settings) -> Result<KBox<Retirable<Table>>> {
    let table = Table::new(settings.size, settings.hits, settings.timeout)?;
    Retirable::new(table, GFP_KERNEL_ACCOUNT)
}
