// SPDX-License-Identifier: GPL-2.0

//! Showing rules.

mod json;
mod save;
mod table;

pub(crate) use json::json;
pub(crate) use save::{quote, save_policy, save_rule};
pub(crate) use table::table;

use super::rule::{Counters, Rule};
use crate::netlink::spec::{Table, Verdict};

/// A built-in chain.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    pub(crate) table: Table,
    pub(crate) name: String,
    pub(crate) policy: Verdict,
    pub(crate) counters: Counters,
    /// The rules that are to be shown, with their positions.
    pub(crate) rules: Vec<(u32, Rule)>,
}
