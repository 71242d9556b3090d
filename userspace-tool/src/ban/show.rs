// SPDX-License-Identifier: GPL-2.0

//! Showing who is banned, as a table and as JSON.

use serde_json::{Value, json};

use super::CHAIN;
use crate::{
    lists::{self, Entry},
    rules::{Rule, save_rule},
    text,
};

/// The table that `--status` prints.
pub(super) fn table(banned: &[Entry]) -> String {
    let rows: Vec<Vec<String>> = banned
        .iter()
        .map(|entry| vec![entry.key.to_string(), lists::left(entry)])
        .collect();
    text::table(&["ADDRESS", "LEFT"], &rows, &[0])
}

/// What `--status --json` prints.
pub(super) fn json(list: &str, present: &[(u32, Rule)], banned: &[Entry]) -> Value {
    let first = present.first();
    json!({
        "list": list,
        "position": first.map(|(position, _)| position),
        "rule": first.map(|(_, rule)| save_rule(CHAIN, rule, false)),
        "packets": first.map(|(_, rule)| rule.counters.packets),
        "bytes": first.map(|(_, rule)| rule.counters.bytes),
        "addresses": banned.iter().map(lists::entry_json).collect::<Value>(),
    })
}
