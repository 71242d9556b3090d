// SPDX-License-Identifier: GPL-2.0

//! Chains, and the names of tables and chains.

use super::{policy::Policies, rule::Rule};
use crate::{
    error::suggestion,
    netlink::spec::{CHAIN_NAME_LENGTH_MAX, Table},
};

/// The built-in chains of a table.
pub(crate) fn built_in(table: Table) -> &'static [&'static str] {
    match table {
        Table::Raw => &["PREROUTING", "OUTPUT"],
        Table::Filter => &["INPUT", "FORWARD", "OUTPUT"],
        Table::Nat => &["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"],
        Table::Mangle => &["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"],
    }
}

/// Whether a table has a built-in chain of this name.
pub(crate) fn is_built_in(name: &str) -> bool {
    let mut tables = Table::ALL.into_iter();
    tables.any(|table| built_in(table).contains(&name))
}

/// The table of this name.
pub(crate) fn parse_table(name: &str) -> Result<Table, String> {
    let found = Table::ALL
        .into_iter()
        .find(|table| table.to_string() == name);
    found.ok_or_else(|| {
        let known = Table::ALL.map(|table| table.to_string());
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        format!("there is no such table: {}", suggestion(name, &known))
    })
}

/// Whether a chain may have this name.
pub(crate) fn check(name: &str) -> Result<(), String> {
    if name.is_empty() {
        Err("the name of a chain is empty".to_owned())
    } else if name.starts_with(['-', '!']) {
        Err("this is not the name of a chain".to_owned())
    } else if name.len() > CHAIN_NAME_LENGTH_MAX as usize {
        Err(format!(
            "the name of a chain has at most {CHAIN_NAME_LENGTH_MAX} bytes"
        ))
    } else {
        Ok(())
    }
}

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
    /// The rules to show, with their positions.
    pub(crate) rules: Vec<(u32, Rule)>,
}
