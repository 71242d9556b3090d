// SPDX-License-Identifier: GPL-2.0

//! Tests of the text; they need no module.

use std::{collections::BTreeSet, net::IpAddr};

use serde_json::Value;

use super::{
    families::{Values, names, text},
    text::Labels,
};
use crate::{
    lists::List,
    netlink::spec::{Table, Verdict},
    protect::Server,
    rules::{Chain, Counters, Policies, tests},
};

/// A user-defined chain with the rules that these lines describe; the Nth has counted N packets of 10 bytes.
fn chain(table: Table, name: &str, lines: &[&str]) -> Chain {
    let mut chain = tests::chain(table, name, lines);
    chain.policies = None;
    for (position, rule) in &mut chain.rules {
        let packets = u64::from(*position);
        let bytes = packets * 10;
        rule.counters = Counters { packets, bytes };
    }
    chain
}

fn nothing() -> Values {
    Values {
        release: None,
        chains: Vec::new(),
        lists: Vec::new(),
        servers: Vec::new(),
    }
}

/// The lines of a family, without those that describe it.
fn samples(text: &str, name: &str) -> Vec<String> {
    let start = format!("{name}{{");
    let lines = text.lines().filter(|line| line.starts_with(&start));
    lines.map(|line| line.replacen(name, "", 1)).collect()
}

/// All that there can be.
fn everything() -> Values {
    let mut input = chain(Table::Filter, "INPUT", &["-j DROP"]);
    let counters = Counters {
        packets: 7,
        bytes: 420,
    };
    input.policies = Some(Policies::both(Verdict::Accept, counters));
    let raw = chain(Table::Raw, "PREROUTING", &["-p tcp --dport 80 -j SYNPROXY"]);
    Values {
        release: Some("0.1.0".to_owned()),
        chains: vec![raw, input],
        lists: vec![List {
            name: "SSH".to_owned(),
            size: 100,
            hits: 20,
            timeout: 90_500,
            entries: 3,
            rules: 2,
            evicted: 5,
            expired: 6,
            refused: u64::MAX,
            except: String::new(),
            networks: false,
        }],
        servers: vec![Server {
            address: IpAddr::from([192, 0, 2, 1]),
            port: 80,
            opened: 10,
            handed_over: 4,
            refused: 2,
            unanswered: 1,
            dropped: 9,
            waited: 20,
            opened_by_data: 8,
            opened_by_timeout: 5,
            given_up: 4,
            ..Server::default()
        }],
    }
}

#[test]
fn each_family_is_described_once_before_its_samples() {
    let text = text(&everything());
    let mut described = Vec::new();
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').unwrap();
            assert!(help.ends_with('.') && !help.contains('\\'), "{line}");
            described.push(name);
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert_eq!(described.last(), Some(&name), "{line}");
            // Prometheus' convention: a counter ends like that, and nothing else does.
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
        } else {
            let (name, value) = line.split_once('{').unwrap();
            assert_eq!(described.last(), Some(&name), "{line}");
            assert!(value.contains("=\""), "{line}");
        }
    }
    assert_eq!(described, names());
    assert!(text.ends_with('\n'));
}

#[test]
fn values_are_shown() {
    let text = text(&everything());
    for line in [
        r#"palisade_module_info{version="0.1.0"} 1"#,
        r#"palisade_chain_policy_packets_total{table="filter",chain="INPUT",family="ipv4",policy="ACCEPT"} 7"#,
        r#"palisade_chain_policy_bytes_total{table="filter",chain="INPUT",family="ipv4",policy="ACCEPT"} 420"#,
        r#"palisade_chain_policy_bytes_total{table="filter",chain="INPUT",family="ipv6",policy="ACCEPT"} 0"#,
        r#"palisade_rule_packets_total{table="filter",chain="INPUT",rule="1",target="DROP"} 1"#,
        r#"palisade_rule_bytes_total{table="raw",chain="PREROUTING",rule="1",target="SYNPROXY"} 10"#,
        r#"palisade_synproxy_syns_total{table="raw",chain="PREROUTING",rule="1",address="any",port="80"} 0"#,
        r#"palisade_synproxy_connections_total{address="192.0.2.1",port="80",outcome="handed_over"} 4"#,
        r#"palisade_synproxy_connections_total{address="192.0.2.1",port="80",outcome="translated"} 6"#,
        r#"palisade_synproxy_connections_total{address="192.0.2.1",port="80",outcome="refused"} 2"#,
        r#"palisade_synproxy_connections_total{address="192.0.2.1",port="80",outcome="unanswered"} 1"#,
        r#"palisade_synproxy_held_drops_total{address="192.0.2.1",port="80"} 9"#,
        r#"palisade_synproxy_waiting_clients{address="192.0.2.1",port="80"} 3"#,
        r#"palisade_synproxy_waits_total{address="192.0.2.1",port="80",outcome="by_data"} 8"#,
        r#"palisade_synproxy_waits_total{address="192.0.2.1",port="80",outcome="by_timeout"} 5"#,
        r#"palisade_synproxy_waits_total{address="192.0.2.1",port="80",outcome="given_up"} 4"#,
        r#"palisade_list_entries{list="SSH"} 3"#,
        r#"palisade_list_entries_limit{list="SSH"} 100"#,
        r#"palisade_list_hits_limit{list="SSH"} 20"#,
        r#"palisade_list_timeout_seconds{list="SSH"} 90.500"#,
        r#"palisade_list_rules{list="SSH"} 2"#,
        r#"palisade_list_entries_evicted_total{list="SSH"} 5"#,
        r#"palisade_list_entries_expired_total{list="SSH"} 6"#,
        r#"palisade_list_packets_refused_total{list="SSH"} 18446744073709551615"#,
    ] {
        assert!(text.lines().any(|other| other == line), "{line}:\n{text}");
    }
}

#[test]
fn where_there_is_nothing_there_is_no_text() {
    assert_eq!(text(&nothing()), "");
}

#[test]
fn rules_are_known_by_their_comments_or_numbers() {
    let lines = [
        "-s 192.0.2.1 -j DROP",
        "-s 192.0.2.2 -m comment --comment guests -j DROP",
        "-s 192.0.2.3 -m comment --comment guests -j DROP",
        "-s 192.0.2.4 -m comment --comment guests -j ACCEPT",
        "-s 192.0.2.5",
    ];
    let chains = vec![chain(Table::Filter, "own", &lines)];
    let text = text(&Values {
        chains,
        ..nothing()
    });
    assert_eq!(
        samples(&text, "palisade_rule_packets_total"),
        [
            r#"{table="filter",chain="own",comment="guests",target="ACCEPT"} 4"#,
            r#"{table="filter",chain="own",comment="guests",target="DROP"} 5"#,
            r#"{table="filter",chain="own",rule="1",target="DROP"} 1"#,
            r#"{table="filter",chain="own",rule="5",target=""} 5"#,
        ]
    );
    assert_eq!(
        samples(&text, "palisade_chain_policy_packets_total"),
        [""; 0]
    );
}

#[test]
fn rules_with_synproxy_have_their_addresses_and_ports() {
    let lines = [
        "-p tcp -d 2001:db8::1 --dport 443 -j SYNPROXY",
        "-p tcp ! -d 192.0.2.0/24 -j SYNPROXY",
        "-p tcp --dport 22 -j ACCEPT",
    ];
    let chains = vec![chain(Table::Raw, "PREROUTING", &lines)];
    let text = text(&Values {
        chains,
        ..nothing()
    });
    assert_eq!(
        samples(&text, "palisade_synproxy_cookies_valid_total"),
        [
            r#"{table="raw",chain="PREROUTING",rule="1",address="2001:db8::1",port="443"} 0"#,
            r#"{table="raw",chain="PREROUTING",rule="2",address="!192.0.2.0/24",port="any"} 0"#,
        ]
    );
}

#[test]
fn labels_are_escaped() {
    let list = |name: &str| List {
        name: name.to_owned(),
        ..List::default()
    };
    let lists = vec![list("a\\n\"b\nc\x1b[d é"), list("a,b} 1")];
    let text = text(&Values { lists, ..nothing() });
    assert_eq!(
        samples(&text, "palisade_list_entries"),
        ["{list=\"a,b} 1\"} 0", "{list=\"a\\\\n\\\"b\\nc?[d é\"} 0",]
    );
}

/// The names of families in a text.
fn named(text: &str) -> BTreeSet<&str> {
    let is_end = |one: char| !one.is_ascii_alphanumeric() && one != '_';
    text.split(is_end)
        .filter(|word| word.starts_with("palisade_"))
        .collect()
}

#[test]
fn the_documentation_has_each_name_and_no_other() {
    let page = include_str!("../../../Documentation/metrics.md");
    assert_eq!(named(page), names().into_iter().collect());
}

/// The queries of a dashboard, wherever they are in it.
fn queries<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(object) => {
            let keys = ["expr", "query"].iter().filter_map(|key| object.get(*key));
            found.extend(keys.filter_map(Value::as_str));
            object.values().for_each(|value| queries(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| queries(value, found)),
        _ => {}
    }
}

#[test]
fn the_dashboard_asks_for_what_there_is() {
    let dashboard = include_str!("../../../Documentation/grafana-dashboard.json");
    let dashboard: Value = serde_json::from_str(dashboard).unwrap();
    let mut found = Vec::new();
    queries(&dashboard, &mut found);
    let used: BTreeSet<&str> = found.iter().flat_map(|query| named(query)).collect();
    let known = BTreeSet::from_iter(names());
    assert!(used.is_subset(&known), "{:?}", used.difference(&known));
    // A family that nobody looks at is none that a person needs, but for these, which a person looks up.
    let unused: Vec<_> = known.difference(&used).copied().collect();
    assert_eq!(
        unused,
        [
            "palisade_list_hits_limit",
            "palisade_list_rules",
            "palisade_list_timeout_seconds",
        ]
    );
}

proptest::proptest! {
    #[test]
    fn any_value_of_a_label_is_one_line(value in "\\PC*|(\\\\|\"|\n|\r|x){0,20}") {
        let mut line = String::new();
        let family = super::text::Family {
            name: "name",
            kind: super::text::Kind::Gauge,
            help: "",
        };
        family.write([(Labels::default().with("label", &value), 1)].into_iter(), &mut line);
        proptest::prop_assert_eq!(line.lines().count(), 3);
        let sample = line.lines().last().unwrap();
        let inner = sample.strip_prefix("name{label=\"").unwrap().strip_suffix("\"} 1").unwrap();
        // What Prometheus reads is what it was, but for control characters.
        let mut read = String::new();
        let mut characters = inner.chars();
        while let Some(character) = characters.next() {
            read.push(match character {
                '\\' => match characters.next() {
                    Some('n') => '\n',
                    Some(other @ ('\\' | '"')) => other,
                    other => panic!("{sample}: {other:?}"),
                },
                '"' => panic!("{sample}: a quote that is not escaped"),
                other => other,
            });
        }
        let shown = |one: char| if one.is_control() && one != '\n' { '?' } else { one };
        proptest::prop_assert_eq!(read, value.chars().map(shown).collect::<String>());
    }
}
