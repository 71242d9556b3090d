// SPDX-License-Identifier: GPL-2.0

//! Showing events, as text and as JSON.

use std::net::SocketAddr;

use serde_json::{Map, Value, json};

use super::event::{Event, ListPart, What};
use crate::{
    lists::{EntryKey, Expiry, List, duration, show_time},
    protect::Server,
    text::printable,
};

/// The lines of an event: one, or one for each of its entries.
pub(super) fn text(event: &Event) -> String {
    let mut lines = String::new();
    for line in sentences(event) {
        lines += &format!("{} {}\n", show_time(event.time), printable(&line));
    }
    lines
}

/// What the lines of an event say behind its time.
pub(crate) fn sentences(event: &Event) -> Vec<String> {
    let by = event
        .process
        .as_ref()
        .map_or(String::new(), |(pid, name)| format!(" by {name}[{pid}]"));
    let list = event.list.as_ref();
    let name = list.map_or("?", |list| list.name.as_str());
    let settings = || list.and_then(|list| list.settings.as_ref()).map(settings);
    let limits = || settings().map_or(String::new(), |text| format!(": {text}"));
    let server = event.server.as_ref();
    let endpoint = || server.map_or("?".to_owned(), endpoint);
    match event.what {
        What::RulesChanged => vec![rules_changed(event, &by)],
        What::ListCreated => vec![format!("list {name} created{by}{}", limits())],
        What::ListSet => [format!("list {name} changed{by}{}", limits())]
            .into_iter()
            .chain(evicted(name, event.evicted))
            .collect(),
        What::ListDestroyed => vec![format!("list {name} destroyed{by}")],
        What::ListFlushed => vec![format!("list {name} flushed{by}")],
        What::EntriesAdded => entries(event, "added", &by),
        What::EntriesDeleted => entries(event, "deleted", &by),
        What::EntriesEvicted => entries(event, "evicted", &by),
        What::ServerLearned => {
            let options = server.and_then(server_options);
            let options = options.map_or(String::new(), |options| format!(": {options}"));
            vec![format!("server {} learned{options}", endpoint())]
        }
        What::FloodStarted => vec![format!("flood at {} begins", endpoint())],
        What::FloodEnded => vec![format!("flood at {} ends", endpoint())],
        What::Lost => vec![match event.lost {
            Some(1) => "1 event was lost".to_owned(),
            Some(lost) => format!("{lost} events were lost"),
            None => "events were lost: they came faster than they were read".to_owned(),
        }],
    }
}

fn rules_changed(event: &Event, by: &str) -> String {
    let chains: Vec<_> = event
        .chains
        .iter()
        .map(|(table, name)| match name {
            Some(name) => format!("{table} {name}"),
            None => table.to_string(),
        })
        .collect();
    let count = match event.count.unwrap_or(0) {
        1 => "1 change".to_owned(),
        count => format!("{count} changes"),
    };
    let generation = event.generation.unwrap_or(0);
    format!(
        "rules changed{by}: {count} in {}, generation {generation}",
        chains.join(", ")
    )
}

fn settings(list: &List) -> String {
    let timeout = match list.timeout {
        0 => "longest".to_owned(),
        milliseconds => duration::Exact(milliseconds).to_string(),
    };
    let mut text = format!("size={} hits={} timeout={timeout}", list.size, list.hits);
    if !list.except.is_empty() {
        text += &format!(" except={}", list.except);
    }
    if list.networks {
        text += " networks";
    }
    text
}

/// The line that entries had to make room, if any had to.
fn evicted(name: &str, evicted: Option<u32>) -> Option<String> {
    match evicted.unwrap_or(0) {
        0 => None,
        count => Some(format!("list {name}: {count} evicted")),
    }
}

fn entries(event: &Event, what: &str, by: &str) -> Vec<String> {
    let Some(ListPart { name, entries, .. }) = &event.list else {
        return Vec::new();
    };
    let mut lines: Vec<_> = entries
        .iter()
        .map(|(key, expiry)| {
            let time = expiry.map_or(String::new(), |expiry| format!(" for {expiry}"));
            format!("list {name}: {key} {what}{time}{by}")
        })
        .collect();
    let more = (event.count.unwrap_or(0) as usize).saturating_sub(entries.len());
    if more > 0 {
        lines.push(format!("list {name}: {more} more {what}{by}"));
    }
    lines.extend(evicted(name, event.evicted));
    lines
}

fn endpoint(server: &Server) -> String {
    SocketAddr::new(server.address, server.port).to_string()
}

/// The options of a server, if they are told.
fn server_options(server: &Server) -> Option<String> {
    let mut words = vec![format!("mss {}", server.mss?)];
    words.extend(server.wscale.map(|scale| format!("wscale {scale}")));
    for (is_used, word) in [
        (server.sack_perm, "sack-perm"),
        (server.timestamp, "timestamp"),
        (server.ecn, "ecn"),
    ] {
        words.extend(is_used.then(|| word.to_owned()));
    }
    Some(words.join(", "))
}

/// The JSON of an event, whose names are those of the netlink specification.
pub(crate) fn json(event: &Event) -> Value {
    let mut object = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            object.insert(name.to_owned(), value);
        }
    };
    put("event", Some(json!(event.what.name())));
    put("time", Some(json!(event.time)));
    put("pid", event.process.as_ref().map(|(pid, _)| json!(pid)));
    put(
        "process",
        event.process.as_ref().map(|(_, name)| json!(name)),
    );
    put("list", event.list.as_ref().map(list_json));
    put("count", event.count.map(Value::from));
    put("evicted", event.evicted.map(Value::from));
    put("generation", event.generation.map(Value::from));
    let chains = || {
        event
            .chains
            .iter()
            .map(|(table, name)| json!({ "table": table.to_string(), "name": name }))
    };
    let is_about_rules = event.what == What::RulesChanged;
    put("chain", is_about_rules.then(|| chains().collect()));
    put("server", event.server.as_ref().map(server_json));
    put("lost", event.tells_of_loss().then(|| json!(event.lost)));
    Value::Object(object)
}

fn list_json(list: &ListPart) -> Value {
    let entries = || {
        list.entries
            .iter()
            .map(|(key, expiry)| entry_json(key, *expiry))
    };
    let mut object = Map::new();
    object.insert("name".to_owned(), json!(list.name));
    if let Some(settings) = &list.settings {
        object.extend([
            ("size".to_owned(), json!(settings.size)),
            ("hits".to_owned(), json!(settings.hits)),
            ("timeout".to_owned(), json!(settings.timeout)),
            ("except".to_owned(), json!(settings.except)),
            ("networks".to_owned(), json!(settings.networks)),
        ]);
    }
    if !list.entries.is_empty() {
        object.insert("entry".to_owned(), entries().collect());
    }
    Value::Object(object)
}

fn entry_json(key: &EntryKey, expiry: Option<Expiry>) -> Value {
    let mut object = Map::new();
    let address = key.network.addr().to_string();
    object.insert("address".to_owned(), json!(address));
    if key.port != 0 {
        object.insert("port".to_owned(), json!(key.port));
    }
    if let Some(length) = key.prefix() {
        object.insert("prefix".to_owned(), json!(length));
    }
    match expiry {
        Some(Expiry::After(left)) => object.insert("expires".to_owned(), json!(left)),
        Some(Expiry::Never) => object.insert("permanent".to_owned(), json!(true)),
        None => None,
    };
    Value::Object(object)
}

fn server_json(server: &Server) -> Value {
    let mut value = json!({
        "address": server.address.to_string(),
        "port": server.port,
    });
    if let (Some(mss), Some(object)) = (server.mss, value.as_object_mut()) {
        object.extend([
            ("mss".to_owned(), json!(mss)),
            ("wscale".to_owned(), json!(server.wscale)),
            ("sack-perm".to_owned(), json!(server.sack_perm)),
            ("timestamp".to_owned(), json!(server.timestamp)),
            ("ecn".to_owned(), json!(server.ecn)),
        ]);
    }
    value
}
