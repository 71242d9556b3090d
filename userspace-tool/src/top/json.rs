// SPDX-License-Identifier: GPL-2.0

//! A frame as JSON.

use serde_json::{Map, Value, json};

use super::{
    busiest::{Busy, Reading},
    rates::{PortRates, RuleRates},
    sample::Counts,
    state::State,
};
use crate::{
    lists::{Expiry, list_json, now},
    monitor::event_json,
    netlink,
};

/// A frame, and the events since the last one, which are forgotten. Rates are per second, and null where there are none.
pub(super) fn frame(state: &mut State) -> Value {
    let lately = &mut state.lately;
    let lost = std::mem::take(&mut lately.lost);
    let lost_more = std::mem::take(&mut lately.lost_more);
    let events: Vec<Value> = lately.drain().iter().map(event_json).collect();
    let reading = match &state.reading {
        Some(Ok(reading)) => Some(reading),
        Some(Err(_)) | None => None,
    };
    let elapsed = state.frame.elapsed;
    json!({
        "time": state.sample.as_ref().map_or_else(now, |sample| sample.time),
        "interval_ms": elapsed.map(|elapsed| elapsed.as_millis() as u64),
        "module": netlink::loaded_release(),
        "error": state.notice,
        "ports": state.frame.ports.iter().map(port).collect::<Vec<_>>(),
        "rules": state.frame.rules.iter().map(rule).collect::<Vec<_>>(),
        "lists": state.lists().iter().map(list_json).collect::<Vec<_>>(),
        "busiest": reading.map(busiest),
        "events": events,
        "events_lost": (!lost_more).then_some(lost),
    })
}

/// To three places, which is what the clock is good for.
fn rounded(rate: f64) -> f64 {
    (rate * 1000.0).round() / 1000.0
}

fn named<T>(counts: Counts<T>) -> Value
where
    Value: From<T>,
{
    let names = Counts::<T>::NAMES.map(str::to_owned).into_iter();
    let values = counts.values().map(Value::from);
    Value::Object(names.zip(values).collect::<Map<_, _>>())
}

fn port(row: &PortRates) -> Value {
    let port = &row.port;
    json!({
        "address": port.address,
        "port": port.only,
        "ports": port.ports,
        "in_interface": port.interface,
        "table": port.identity.table,
        "chain": port.identity.chain,
        "position": port.position,
        "rule": port.identity.text,
        "flooded": row.is_flooded(),
        "rates": row.rates.map(|rates| named(Counts::of(rates.values().map(rounded)))),
        "totals": named(port.counts),
    })
}

fn rule(row: &RuleRates) -> Value {
    let rule = &row.rule;
    json!({
        "table": rule.identity.table,
        "chain": rule.identity.chain,
        "position": rule.position,
        "rule": rule.identity.text,
        "packets_per_second": row.rates.map(|(packets, _)| rounded(packets)),
        "bytes_per_second": row.rates.map(|(_, bytes)| rounded(bytes)),
        "packets": rule.counters.packets,
        "bytes": rule.counters.bytes,
    })
}

fn busiest(reading: &Reading) -> Value {
    json!({
        "list": reading.list,
        "entries": reading.entries,
        "age_ms": reading.at.elapsed().as_millis() as u64,
        "addresses": reading.busiest.iter().map(address).collect::<Vec<_>>(),
    })
}

fn address(busy: &Busy) -> Value {
    let key = &busy.key;
    json!({
        "address": key.network.addr().to_string(),
        "prefix": key.prefix(),
        "port": (key.port != 0).then_some(key.port),
        "packets": busy.packets,
        "packets_per_second": busy.rate.map(rounded),
        "age_ms": busy.age,
        "left_ms": match busy.expiry {
            Some(Expiry::After(milliseconds)) => Some(milliseconds),
            _ => None,
        },
        "permanent": busy.expiry == Some(Expiry::Never),
    })
}
