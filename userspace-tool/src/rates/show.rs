// SPDX-License-Identifier: GPL-2.0

//! Showing rates, as tables and as JSON.

use serde_json::{Value, json};

use super::wire::{Rate, RateTable};
use crate::{
    lists::duration,
    text::{printable, table},
};

/// The table of `rates`.
pub(super) fn tables(tables: &[RateTable]) -> String {
    let row = |one: &RateTable| {
        let numbers = [one.size.into(), one.rules.into(), one.evicted, one.refused];
        let numbers = numbers.map(|number: u64| number.to_string());
        [vec![printable(&one.name)], numbers.to_vec()].concat()
    };
    let rows: Vec<_> = tables.iter().map(row).collect();
    table(
        &["name", "size", "rules", "evicted", "refused"],
        &rows,
        &[0],
    )
}

/// The JSON of `rates`.
pub(super) fn tables_json(tables: &[RateTable]) -> String {
    let object = |one: &RateTable| {
        json!({
            "name": one.name,
            "size": one.size,
            "rules": one.rules,
            "evicted": one.evicted,
            "refused": one.refused,
        })
    };
    text(tables.iter().map(object).collect())
}

fn text(values: Vec<Value>) -> String {
    format!("{:#}\n", Value::from(values))
}

/// The table of `rates NAME`.
pub(super) fn rates(rates: &[Rate]) -> String {
    let port = |port: u16| match port {
        0 => "-".to_owned(),
        _ => port.to_string(),
    };
    let row = |rate: &Rate| {
        let address = |address: std::net::IpAddr| match address.is_unspecified() {
            true => "-".to_owned(),
            false => address.to_string(),
        };
        vec![
            address(rate.source),
            port(rate.source_port),
            address(rate.destination),
            port(rate.destination_port),
            duration::show(rate.full_in),
            duration::show(rate.age),
        ]
    };
    let rows: Vec<_> = rates.iter().map(row).collect();
    let header = [
        "source",
        "port",
        "destination",
        "port",
        "full in",
        "last seen",
    ];
    table(&header, &rows, &[0, 2])
}

/// The JSON of `rates NAME`. What no rule looks at is null.
pub(super) fn rates_json(rates: &[Rate]) -> String {
    let object = |rate: &Rate| {
        let address = |address: std::net::IpAddr| (!address.is_unspecified()).then_some(address);
        let port = |port: u16| (port != 0).then_some(port);
        json!({
            "source": address(rate.source),
            "source_port": port(rate.source_port),
            "destination": address(rate.destination),
            "destination_port": port(rate.destination_port),
            "full_in_ms": rate.full_in,
            "age_ms": rate.age,
        })
    };
    text(rates.iter().map(object).collect())
}
