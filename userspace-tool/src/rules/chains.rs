// SPDX-License-Identifier: GPL-2.0

//! Names of tables and chains.

use super::targets;
use crate::{
    error::suggestion,
    netlink::spec::{CHAIN_NAME_LENGTH_MAX, Table},
};

/// The names of the built-in chains of all tables.
const BUILT_IN: &[&str] = &["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"];

pub(crate) fn is_built_in(name: &str) -> bool {
    BUILT_IN.contains(&name)
}

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

/// Whether a new chain may get this name.
pub(crate) fn check_new(name: &str) -> Result<(), String> {
    check(name)?;
    let no_word = |character: char| character.is_whitespace() || character.is_control();
    if name.contains(no_word) {
        Err("the name of a chain has no spaces".to_owned())
    } else if is_built_in(name) {
        Err("this is the name of a built-in chain".to_owned())
    } else if targets::ALL.iter().any(|target| target.name == name) {
        Err("this is the name of a target".to_owned())
    } else {
        Ok(())
    }
}
