// SPDX-License-Identifier: GPL-2.0

//! Showing lists, as tables and as JSON.

use serde_json::{Value, json};

use super::{
    duration,
    expiry::Expiry,
    wire::{Entry, List},
};
use crate::text::{printable, table};

fn timeout(list: &List) -> String {
    match list.timeout {
        0 => "longest".to_owned(),
        milliseconds => duration::show(milliseconds),
    }
}

/// The table of `list ls`.
pub(super) fn lists(lists: &[List]) -> String {
    let rows: Vec<Vec<String>> = lists
        .iter()
        .map(|list| {
            vec![
                printable(&list.name),
                list.entries.to_string(),
                list.size.to_string(),
                list.hits.to_string(),
                timeout(list),
                list.rules.to_string(),
                list.evicted.to_string(),
                list.expired.to_string(),
                list.refused.to_string(),
                if list.except.is_empty() {
                    "-".to_owned()
                } else {
                    printable(&list.except)
                },
            ]
        })
        .collect();
    let header = [
        "name", "entries", "size", "hits", "timeout", "rules", "evicted", "expired", "refused",
        "except",
    ];
    table(&header, &rows, &[0])
}

/// The table of `list show`.
pub(super) fn entries(entries: &[Entry]) -> String {
    let rows: Vec<Vec<String>> = entries
        .iter()
        .map(|entry| {
            vec![
                entry.key.to_string(),
                entry
                    .ages
                    .first()
                    .map_or("never".to_owned(), |age| duration::show(*age)),
                entry.time_to_live.to_string(),
                entry.packets.to_string(),
                left(entry),
            ]
        })
        .collect();
    let header = ["address", "last seen", "ttl", "packets", "left"];
    table(&header, &rows, &[0])
}

/// For how long an address stays that was told so.
pub(crate) fn left(entry: &Entry) -> String {
    entry
        .expiry
        .map_or("-".to_owned(), |expiry| expiry.to_string())
}

/// What `list add` answers.
pub(super) fn added(name: &str, added: u32, all: usize) -> String {
    let known = all.saturating_sub(added as usize);
    format!("{}: {added} new, {known} known\n", printable(name))
}

/// The JSON of a list.
pub(crate) fn list_json(list: &List) -> Value {
    json!({
        "name": list.name,
        "entries": list.entries,
        "size": list.size,
        "hits": list.hits,
        "timeout_ms": list.timeout,
        "rules": list.rules,
        "evicted": list.evicted,
        "expired": list.expired,
        "refused": list.refused,
        "except": (!list.except.is_empty()).then_some(&list.except),
        "networks": list.networks,
    })
}

/// The JSON of an entry.
pub(crate) fn entry_json(entry: &Entry) -> Value {
    json!({
        "address": entry.key.network.addr().to_string(),
        "prefix": entry.key.prefix(),
        "port": (entry.key.port != 0).then_some(entry.key.port),
        "age_ms": entry.ages.first(),
        "ages_ms": entry.ages,
        "time_to_live": entry.time_to_live,
        "packets": entry.packets,
        "left_ms": match entry.expiry {
            Some(Expiry::After(milliseconds)) => Some(milliseconds),
            _ => None,
        },
        "permanent": entry.expiry == Some(Expiry::Never),
    })
}
