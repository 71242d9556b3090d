// SPDX-License-Identifier: GPL-2.0

//! Imports of nearly every file of the recent lists.

pub(super) use super::{
    entry::{
        Entry,
        EntryKey,
        Find, //
    },
    expiry::Expiry,
    stamps::{
        Window,
        AGE_MAX, //
    },
    table::{
        EntryTable,
        Origin,
        Stamped,
        Superseded, //
    },
};
pub(super) use crate::kernel_api::{
    memory_cgroup::LARGE,
    sync::buckets::BucketGuard, //
};
pub(super) use kernel::{
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    },
};
