// SPDX-License-Identifier: GPL-2.0

//! The names that Prometheus knows the counters by. Documentation/metrics.md has all of them.

use std::borrow::Borrow;

use super::text::{Family, Kind, Labels};
use crate::{
    lists::List,
    protect::{Ports, Server},
    rules::{
        Chain, Counters, Extension, Family as IpVersion, Rule, Statistics, Synproxy, comment,
        shown_address,
    },
};

/// What the module has counted in a network namespace.
pub(super) struct Values {
    /// The release of the module, where it is known.
    pub(super) release: Option<String>,
    pub(super) chains: Vec<Chain>,
    pub(super) lists: Vec<List>,
    pub(super) servers: Vec<Server>,
}

/// A family, and its sample of a row.
type Column<T> = (Family, fn(&T) -> u64);

/// Rows with their labels.
type Rows<T> = Vec<(Labels, T)>;

const fn counter(name: &'static str, help: &'static str) -> Family {
    let kind = Kind::Counter;
    Family { name, kind, help }
}

const fn gauge(name: &'static str, help: &'static str) -> Family {
    let kind = Kind::Gauge;
    Family { name, kind, help }
}

const fn seconds(name: &'static str, help: &'static str) -> Family {
    let kind = Kind::Seconds;
    Family { name, kind, help }
}

static INFO: &[Column<()>] = &[(
    gauge("palisade_module_info", "The release of the loaded module."),
    |()| 1,
)];

static POLICIES: &[Column<Counters>] = &[
    (
        counter(
            "palisade_chain_policy_packets_total",
            "Packets that the policy of a built-in chain decided.",
        ),
        |counters| counters.packets,
    ),
    (
        counter(
            "palisade_chain_policy_bytes_total",
            "Bytes of the packets that the policy of a built-in chain decided.",
        ),
        |counters| counters.bytes,
    ),
];

static RULES: &[Column<Counters>] = &[
    (
        counter(
            "palisade_rule_packets_total",
            "Packets that a rule matched.",
        ),
        |counters| counters.packets,
    ),
    (
        counter(
            "palisade_rule_bytes_total",
            "Bytes of the packets that a rule matched.",
        ),
        |counters| counters.bytes,
    ),
];

static SYNPROXY: &[Column<Statistics>] = &[
    (
        counter(
            "palisade_synproxy_syns_total",
            "SYNs that a rule with SYNPROXY matched.",
        ),
        |statistics| statistics.syns,
    ),
    (
        counter(
            "palisade_synproxy_cookies_sent_total",
            "SYNs that were answered with a cookie.",
        ),
        |statistics| statistics.cookies_sent,
    ),
    (
        counter(
            "palisade_synproxy_cookies_valid_total",
            "Acknowledgements with a valid cookie.",
        ),
        |statistics| statistics.cookies_valid,
    ),
    (
        counter(
            "palisade_synproxy_cookies_invalid_total",
            "Acknowledgements of no connection, without a valid cookie.",
        ),
        |statistics| statistics.cookies_invalid,
    ),
    (
        counter(
            "palisade_synproxy_out_of_flow_segments_total",
            "Other segments of no connection, which were dropped.",
        ),
        |statistics| statistics.out_of_flow,
    ),
];

static CONNECTIONS: &[Column<u64>] = &[(
    counter(
        "palisade_synproxy_connections_total",
        "Connections to a server: handed_over to a socket of this host, translated, \
         refused by the server, or unanswered.",
    ),
    |count| *count,
)];

static SERVERS: &[Column<Server>] = &[
    (
        counter(
            "palisade_synproxy_held_drops_total",
            "How often what a client sent before its server had answered was dropped, so that the client had to send \
             it again.",
        ),
        |server| server.dropped,
    ),
    (
        gauge(
            "palisade_synproxy_waiting_clients",
            "Clients whose first bytes are waited for.",
        ),
        Server::waiting,
    ),
];

static WAITS: &[Column<u64>] = &[(
    counter(
        "palisade_synproxy_waits_total",
        "Clients whose first bytes were waited for: connected by_data, by_timeout, or given_up.",
    ),
    |count| *count,
)];

static LISTS: &[Column<List>] = &[
    (
        gauge("palisade_list_entries", "Addresses that a recent list has."),
        |list| list.entries.into(),
    ),
    (
        gauge(
            "palisade_list_entries_limit",
            "Most addresses that a recent list can have.",
        ),
        |list| list.size.into(),
    ),
    (
        gauge(
            "palisade_list_hits_limit",
            "Most packets that a recent list remembers of an address.",
        ),
        |list| list.hits.into(),
    ),
    (
        seconds(
            "palisade_list_timeout_seconds",
            "How long a recent list keeps an address that is not seen; 0 if as long as can be.",
        ),
        |list| list.timeout,
    ),
    (
        gauge("palisade_list_rules", "Rules that use a recent list."),
        |list| list.rules.into(),
    ),
    (
        counter(
            "palisade_list_entries_evicted_total",
            "Addresses that had to make room for others.",
        ),
        |list| list.evicted,
    ),
    (
        counter(
            "palisade_list_entries_expired_total",
            "Addresses that were removed because of their age.",
        ),
        |list| list.expired,
    ),
    (
        counter(
            "palisade_list_packets_refused_total",
            "Packets whose address could not be remembered for want of memory.",
        ),
        |list| list.refused,
    ),
];

/// All of it, as Prometheus reads it. The same values make the same text.
pub(super) fn text(values: &Values) -> String {
    let mut text = String::new();
    let release = values.release.iter();
    let release = release.map(|release| (Labels::default().with("version", release), ()));
    write(INFO, &release.collect(), &mut text);
    write(POLICIES, &policies(&values.chains), &mut text);
    write(RULES, &rules(&values.chains), &mut text);
    write(SYNPROXY, &synproxies(&values.chains), &mut text);
    write(CONNECTIONS, &connections(&values.servers), &mut text);
    let servers = values.servers.iter();
    let servers = servers.map(|server| (server_labels(server), server));
    write(SERVERS, &servers.collect(), &mut text);
    write(WAITS, &waits(&values.servers), &mut text);
    let lists = values.lists.iter();
    let lists = lists.map(|list| (Labels::default().with("list", &list.name), list));
    write(LISTS, &lists.collect(), &mut text);
    text
}

fn write<T, R: Borrow<T>>(columns: &[Column<T>], rows: &Rows<R>, text: &mut String) {
    for (family, value) in columns {
        let samples = rows.iter();
        let samples = samples.map(|(labels, row)| (labels.clone(), value(row.borrow())));
        family.write(samples, text);
    }
}

fn chain_labels(chain: &Chain) -> Labels {
    Labels::default()
        .with("table", &chain.table.to_string())
        .with("chain", &chain.name)
}

fn policies(chains: &[Chain]) -> Rows<Counters> {
    let mut rows = Rows::new();
    for chain in chains {
        for family in IpVersion::ALL {
            let Some(policy) = chain.policies.map(|policies| policies.of(family)) else {
                continue;
            };
            let labels = chain_labels(chain)
                .with("family", &family.to_string())
                .with("policy", policy.verdict.name());
            rows.push((labels, policy.counters));
        }
    }
    rows
}

/// A rule is known by its comment, which stays when rules come and go before it, else by its number.
fn rule_labels(chain: &Chain, position: u32, rule: &Rule) -> Labels {
    let labels = chain_labels(chain);
    match comment(rule) {
        Some(comment) => labels.with("comment", comment),
        None => labels.with("rule", &position.to_string()),
    }
}

fn rules(chains: &[Chain]) -> Rows<Counters> {
    let all = chains.iter().flat_map(|chain| {
        let rules = chain.rules.iter();
        rules.map(move |(position, rule)| {
            let target = rule.target.as_ref().map_or("", |target| target.name());
            let labels = rule_labels(chain, *position, rule).with("target", target);
            (labels, rule.counters)
        })
    });
    all.collect()
}

fn synproxies(chains: &[Chain]) -> Rows<Statistics> {
    let mut rows = Rows::new();
    for chain in chains {
        for (position, rule) in &chain.rules {
            let target = rule.target.as_ref();
            let Some(synproxy) =
                target.and_then(|target| target.as_any().downcast_ref::<Synproxy>())
            else {
                continue;
            };
            let (mark, address) = shown_address(rule.destination.as_ref(), rule.family);
            let labels = rule_labels(chain, *position, rule)
                .with("address", &format!("{mark}{address}"))
                .with("port", &Ports::of(rule).to_string());
            rows.push((labels, synproxy.statistics()));
        }
    }
    rows
}

fn server_labels(server: &Server) -> Labels {
    Labels::default()
        .with("address", &server.address.to_string())
        .with("port", &server.port.to_string())
}

/// What became of connections. A connection is in one of these.
fn connections(servers: &[Server]) -> Rows<u64> {
    by_outcome(servers, |server| {
        let translated = server.opened.saturating_sub(server.handed_over);
        [
            ("handed_over", server.handed_over),
            ("translated", translated),
            ("refused", server.refused),
            ("unanswered", server.unanswered),
        ]
    })
}

/// What became of clients whose first bytes were waited for.
fn waits(servers: &[Server]) -> Rows<u64> {
    by_outcome(servers, |server| {
        [
            ("by_data", server.opened_by_data),
            ("by_timeout", server.opened_by_timeout),
            ("given_up", server.given_up),
        ]
    })
}

/// A row for each outcome that a server's connections have.
fn by_outcome<const N: usize>(
    servers: &[Server],
    outcomes: fn(&Server) -> [(&'static str, u64); N],
) -> Rows<u64> {
    let rows = servers.iter().flat_map(|server| {
        outcomes(server)
            .map(|(outcome, count)| (server_labels(server).with("outcome", outcome), count))
    });
    rows.collect()
}

/// The names of all families.
#[cfg(test)]
pub(super) fn names() -> Vec<&'static str> {
    fn of<T>(columns: &'static [Column<T>]) -> impl Iterator<Item = &'static str> {
        columns.iter().map(|(family, _)| family.name)
    }
    of(INFO)
        .chain(of(POLICIES))
        .chain(of(RULES))
        .chain(of(SYNPROXY))
        .chain(of(CONNECTIONS))
        .chain(of(SERVERS))
        .chain(of(WAITS))
        .chain(of(LISTS))
        .collect()
}
