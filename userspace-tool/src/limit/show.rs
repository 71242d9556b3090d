// SPDX-License-Identifier: GPL-2.0

//! Showing limits, as a table and as JSON.

use serde_json::{Value, json};

use super::{CHAIN, rule::Present};
use crate::{
    lists::List,
    rules::{Rule, save_rule, shown_address},
    text::{printable, table as text_table},
};

/// The list of a limit.
fn list_of<'a>(limit: &Present<'_>, lists: &'a [List]) -> Option<&'a List> {
    lists.iter().find(|list| list.name == limit.list)
}

fn address(rule: &Rule) -> String {
    let (mark, address) = shown_address(rule.destination.as_ref(), rule.family);
    format!("{mark}{address}")
}

/// The table that `--status` prints.
pub(super) fn table(limits: &[Present<'_>], lists: &[List]) -> String {
    let rows: Vec<Vec<String>> = limits
        .iter()
        .map(|limit| {
            let list = list_of(limit, lists);
            vec![
                address(limit.rule),
                limit.ports.to_string(),
                limit.rate.to_string(),
                limit.rule.counters.packets.to_string(),
                list.map_or(0, |list| list.entries).to_string(),
                printable(limit.list),
                match list.map(|list| list.except.as_str()) {
                    None | Some("") => "-".to_owned(),
                    Some(except) => printable(except),
                },
            ]
        })
        .collect();
    let header = [
        "ADDRESS", "PORT", "LIMIT", "DROPPED", "SEEN", "LIST", "ALLOWED",
    ];
    text_table(&header, &rows, &[0, 5, 6])
}

/// What `--status --json` prints.
pub(super) fn json(limits: &[Present<'_>], lists: &[List]) -> Value {
    let one = |limit: &Present<'_>| {
        let list = list_of(limit, lists);
        let except = list.map(|list| list.except.as_str());
        json!({
            "ports": limit.ports.to_string(),
            "connections": limit.rate.hits,
            "seconds": limit.rate.seconds,
            "dropped": limit.rule.counters.packets,
            "addresses": list.map_or(0, |list| list.entries),
            "list": limit.list,
            "allow": except.filter(|except| !except.is_empty()),
            "rule": save_rule(CHAIN, limit.rule, false),
        })
    };
    limits.iter().map(one).collect()
}
