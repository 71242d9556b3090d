// SPDX-License-Identifier: GPL-2.0

//! Showing what is protected, as a table and as JSON.

use serde_json::{Value, json};

use super::{CHAIN, status::Row, wire::Server};
use crate::{
    fields::Field,
    rules::{Rule, Statistics, save_rule, shown_address, shown_interface},
    text,
};

/// What a column shows of a row.
type Cell = fn(&Row<'_>) -> String;

/// The title and the cell of each column before the server's.
const COLUMNS: &[(&str, Cell)] = &[
    ("ADDRESS", |row| address(row.protection.rule)),
    ("IN", |row| interface(row.protection.rule)),
    ("PORT", |row| row.protection.ports.to_string()),
    ("SYNS", |row| statistics(row).syns.to_string()),
    ("COOKIES", |row| statistics(row).cookies_sent.to_string()),
    ("VALID", |row| statistics(row).cookies_valid.to_string()),
    ("INVALID", |row| statistics(row).cookies_invalid.to_string()),
    ("OPENED", |row| row.opened().to_string()),
    ("HANDED", |row| row.handed_over().to_string()),
    ("REFUSED", |row| row.refused().to_string()),
    ("UNANSWERED", |row| row.unanswered().to_string()),
    ("DROPPED", |row| row.dropped().to_string()),
    ("WAITING", |row| row.waiting().to_string()),
    ("BY-DATA", |row| row.opened_by_data().to_string()),
    ("BY-TIMEOUT", |row| row.opened_by_timeout().to_string()),
    ("GIVEN-UP", |row| row.given_up().to_string()),
];

/// The columns for rules with `--until-data`.
const WAITING: [&str; 4] = ["WAITING", "BY-DATA", "BY-TIMEOUT", "GIVEN-UP"];

fn statistics(row: &Row<'_>) -> Statistics {
    row.protection.synproxy.statistics()
}

/// The address that a rule is for.
pub(crate) fn address(rule: &Rule) -> String {
    let (mark, address) = shown_address(rule.destination.as_ref(), rule.family);
    format!("{mark}{address}")
}

/// The interface that a rule is for.
pub(crate) fn interface(rule: &Rule) -> String {
    shown_interface(rule.in_interface.as_ref())
}

/// The table that `--status` prints.
pub(super) fn table(rows: &[Row<'_>]) -> String {
    let has_interface = rows
        .iter()
        .any(|row| row.protection.rule.in_interface.is_some());
    let columns: Vec<_> = COLUMNS
        .iter()
        .filter(|(title, _)| *title != "IN" || has_interface)
        .filter(|(title, _)| !WAITING.contains(title) || rows.iter().any(Row::waits))
        .collect();
    let mut header: Vec<&str> = columns.iter().map(|(title, _)| *title).collect();
    header.push("SERVER");
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let cells = columns.iter().map(|(_, cell)| cell(row));
            cells.chain([server(row)]).collect()
        })
        .collect();
    let mut left = vec![0, header.len() - 1];
    left.extend(has_interface.then_some(1));
    let table = text::table(&header, &cells, &left);
    let mut lines = table.lines();
    let mut text = lines
        .next()
        .map_or(String::new(), |line| format!("{line}\n"));
    for (line, row) in lines.zip(rows) {
        text += &format!("{line}\n");
        if differ(row) {
            for (server, options) in learned(row) {
                text += &format!("    {} {options}\n", server.address);
            }
        }
    }
    text
}

/// The servers whose options were learned, with these options.
fn learned<'a>(row: &Row<'a>) -> Vec<(&'a Server, String)> {
    let servers = row.servers.iter();
    servers
        .filter_map(|server| Some((*server, server.options()?)))
        .collect()
}

fn differ(row: &Row<'_>) -> bool {
    let learned = learned(row);
    learned.windows(2).any(|pair| match pair {
        [(_, one), (_, other)] => one != other,
        _ => false,
    })
}

fn server(row: &Row<'_>) -> String {
    let learned = learned(row);
    match learned.first() {
        None if row.handed_over() > 0 => "on this host".to_owned(),
        None => "not learned yet".to_owned(),
        Some(_) if differ(row) => format!("{} servers:", learned.len()),
        Some((_, options)) => options.clone(),
    }
}

/// What `--status --json` prints.
pub(super) fn json(rows: &[Row<'_>]) -> Value {
    rows.iter().map(row_json).collect()
}

fn row_json(row: &Row<'_>) -> Value {
    let (rule, synproxy) = (row.protection.rule, row.protection.synproxy);
    json!({
        "address": rule.destination.as_ref().map(|_| address(rule)),
        "port": row.protection.ports.only(),
        "ports": row.protection.ports.to_string(),
        "family": rule.family.map(|family| family.to_string()),
        "in_interface": rule.in_interface.as_ref().map(|_| interface(rule)),
        "when_flooded": synproxy.when_flooded.value(),
        "position": row.protection.position,
        "rule": save_rule(CHAIN, rule, false),
        "statistics": synproxy.statistics().value(),
        "opened": row.opened(),
        "handed_over": row.handed_over(),
        "refused": row.refused(),
        "unanswered": row.unanswered(),
        "dropped": row.dropped(),
        "until_data": synproxy.until_data,
        "waiting": row.waiting(),
        "opened_by_data": row.opened_by_data(),
        "opened_by_timeout": row.opened_by_timeout(),
        "given_up": row.given_up(),
        "servers": row.servers.iter().map(|server| server_json(server)).collect::<Vec<Value>>(),
    })
}

fn server_json(server: &Server) -> Value {
    json!({
        "address": server.address.to_string(),
        "port": server.port,
        "opened": server.opened,
        "handed_over": server.handed_over,
        "refused": server.refused,
        "unanswered": server.unanswered,
        "dropped": server.dropped,
        "waiting": server.waiting(),
        "opened_by_data": server.opened_by_data,
        "opened_by_timeout": server.opened_by_timeout,
        "given_up": server.given_up,
        "learned": server.mss.is_some(),
        "mss": server.mss,
        "wscale": server.wscale,
        "sack_perm": server.sack_perm,
        "timestamp": server.timestamp,
        "ecn": server.ecn,
        "age_ms": server.age,
    })
}
