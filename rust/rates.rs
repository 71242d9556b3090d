// SPDX-License-Identifier: GPL-2.0

//! Rates of packets by address and port, for `-m hashlimit`: tables of token buckets.
//!
//! A bucket that is full says no more than one that does not exist. So a table forgets full buckets
//! when it needs room, and nothing has to collect them.

mod bucket;
#[cfg(CONFIG_KUNIT = "y")]
mod bucket_tests;
mod key;
mod table;
#[cfg(CONFIG_KUNIT = "y")]
mod table_tests;
mod tables;

pub(crate) use bucket::{
    ByteRate,
    Limit,
    PacketRate, //
};
pub(crate) use key::{
    RateKey,
    NONE, //
};
pub(crate) use table::{
    RateSnapshot,
    RateTable, //
};
pub(crate) use tables::RateTables;
