// SPDX-License-Identifier: GPL-2.0

//! Showing rules.

mod json;
mod save;
mod table;

pub(crate) use json::json;
pub(crate) use save::{quote, save_chain, save_file, save_rule};
pub(crate) use table::{address as shown_address, interface as shown_interface, table};

use super::{policy::Policies, rule::Rule};
use crate::netlink::spec::Table;

/// A chain.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    pub(crate) table: Table,
    pub(crate) name: String,
    /// The policies, which only built-in chains have.
    pub(crate) policies: Option<Policies>,
    /// How many rules jump to it.
    pub(crate) references: u32,
    /// How many rules it has.
    pub(crate) length: u32,
    /// The rules that are to be shown, with their positions.
    pub(crate) rules: Vec<(u32, Rule)>,
}
