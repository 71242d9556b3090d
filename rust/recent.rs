// SPDX-License-Identifier: GPL-2.0

//! Recent lists: which addresses were seen, when and how often.
//!
//! A list has a name and its own limits, and exists until it is destroyed. A lookup takes no lock;
//! a stamp locks one bucket of the list's hash table.

mod ageing;
mod entry;
mod expiry;
mod list;
mod lists;
#[cfg(CONFIG_KUNIT = "y")]
mod network_tests;
mod prefixes;
mod prelude;
mod slots;
mod stamps;
#[cfg(CONFIG_KUNIT = "y")]
mod stamps_tests;
mod table;
#[cfg(CONFIG_KUNIT = "y")]
mod table_tests;

pub(crate) use crate::kernel_api::time::milliseconds;
pub(crate) use ageing::Ageing;
pub(crate) use entry::{
    Ages,
    EntryKey,
    Find,
    Ipv4Key,
    Ipv6Key,
    KeyDetail,
    SavedState,
    Snapshot,
    SNAPSHOT_AGES, //
};
pub(crate) use expiry::Expiry;
pub(crate) use list::{
    List,
    ListSettings, //
};
pub(crate) use lists::{
    ListLimits,
    Lists,
    PendingTables, //
};
pub(crate) use stamps::{
    jiffies,
    jiffies_of_age,
    Window,
    AGE_MAX, //
};
pub(crate) use table::{
    Query,
    Stamped, //
};
