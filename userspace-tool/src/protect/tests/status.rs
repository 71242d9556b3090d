// SPDX-License-Identifier: GPL-2.0

//! What is shown of the kernel's answers.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::{Chain, chain, chain_of};
use crate::{
    netlink::{
        Writer,
        spec::attribute::{
            r#match, ports, rule, ruleset, server, synproxy, synproxy_statistics, target,
        },
    },
    protect::{
        show,
        status::rows,
        wire::{Server, decode},
    },
    rules::{PositionedRule, decode_rule_answer},
};

/// An answer to rule-get: a rule for a port, perhaps of an address, with statistics.
fn protecting(address: Option<IpAddr>, port: u16, syns: u64) -> PositionedRule {
    protecting_since(address, port, syns, [0; 5])
}

/// The same, where so many connections were opened, refused, not answered and handed over before, and so much of
/// them dropped.
fn protecting_since(
    address: Option<IpAddr>,
    port: u16,
    syns: u64,
    before: [u64; 5],
) -> PositionedRule {
    let mut answer = Writer::default();
    answer.u32(ruleset::TABLE, crate::netlink::spec::Table::Raw.number());
    answer.string(ruleset::CHAIN_NAME, "PREROUTING");
    answer.u32(ruleset::POSITION, 1);
    answer.nested(ruleset::RULE, |nest| {
        nest.u8(rule::PROTOCOL, 6);
        if let Some(address) = address {
            nest.address(rule::DESTINATION, address);
        }
        nest.nested(rule::MATCH, |nest| {
            nest.nested(r#match::TCP, |nest| {
                nest.u16(ports::DESTINATION_FIRST, port);
                nest.u16(ports::DESTINATION_LAST, port);
            });
        });
        nest.nested(rule::TARGET, |nest| {
            nest.nested(target::SYNPROXY, |nest| {
                nest.u32(synproxy::FLOODED_RATE, 100);
                nest.nested(synproxy::STATISTICS, |nest| {
                    nest.u64(synproxy_statistics::SYNS, syns);
                    nest.u64(synproxy_statistics::COOKIES_SENT, 40);
                    nest.u64(synproxy_statistics::COOKIES_VALID, 30);
                    nest.u64(synproxy_statistics::COOKIES_INVALID, 20);
                    nest.u64(synproxy_statistics::OUT_OF_FLOW, 10);
                    let kinds = [
                        synproxy_statistics::OPENED_BEFORE,
                        synproxy_statistics::REFUSED_BEFORE,
                        synproxy_statistics::UNANSWERED_BEFORE,
                        synproxy_statistics::HANDED_OVER_BEFORE,
                        synproxy_statistics::DROPPED_BEFORE,
                    ];
                    for (kind, count) in kinds.into_iter().zip(before) {
                        nest.u64(kind, count);
                    }
                });
            });
        });
    });
    decode_rule_answer(answer.as_bytes()).unwrap()
}

fn protected(answers: Vec<PositionedRule>) -> Chain {
    chain(answers.into_iter().map(|placed| placed.rule).collect())
}

/// An answer to server-get: with its options if it has accepted a connection.
fn answered(address: &str, port: u16, wscale: Option<u8>) -> Server {
    let mut answer = Writer::default();
    answer.address(server::ADDRESS, address.parse().unwrap());
    answer.u16(server::PORT, port);
    answer.u64(server::OPENED, 5);
    answer.u64(server::HANDED_OVER, 3);
    answer.u64(server::REFUSED, 6);
    answer.u64(server::UNANSWERED, 7);
    answer.u64(server::DROPPED, 8);
    answer.u64(server::OPENED_BY_DATA, 9);
    answer.u64(server::OPENED_BY_TIMEOUT, 10);
    answer.u64(server::GIVEN_UP, 11);
    answer.u64(server::WAITED, 40);
    if let Some(wscale) = wscale {
        answer.u16(server::MSS, 1460);
        answer.u8(server::WSCALE, wscale);
        answer.flag(server::SACK_PERM);
        answer.flag(server::TIMESTAMP);
        answer.u64(server::AGE, 1234);
    }
    answer.u32(999, 1);
    decode(answer.as_bytes()).unwrap()
}

fn table(chain: &Chain, servers: &[Server]) -> String {
    show::table(&rows(std::slice::from_ref(chain), servers))
}

#[test]
fn each_rule_is_a_row() {
    let one = IpAddr::from([192, 0, 2, 1]);
    let chain = protected(vec![
        protecting(None, 80, 1000),
        protecting(Some(one), 443, 50),
    ]);
    let servers = [
        answered("192.0.2.1", 443, None),
        answered("192.0.2.2", 443, Some(1)),
        answered("192.0.2.1", 80, Some(7)),
        answered("2001:db8::1", 80, Some(7)),
        answered("192.0.2.9", 80, None),
    ];
    let expected = "\
ADDRESS    PORT  SYNS  COOKIES  VALID  INVALID  OPENED  HANDED  REFUSED  UNANSWERED  DROPPED  SERVER
any          80  1000       40     30       20      15       9       18          21       24  mss 1460 wscale 7 sack timestamp
192.0.2.1   443    50       40     30       20       5       3        6           7        8  on this host
";
    assert_eq!(table(&chain, &servers), expected);
}

#[test]
fn servers_that_differ_have_lines_of_their_own() {
    let chain = protected(vec![protecting(None, 80, 1), protecting(None, 81, 2)]);
    let servers = [
        answered("192.0.2.1", 80, Some(7)),
        answered("192.0.2.9", 80, None),
        answered("2001:db8::1", 80, Some(0)),
    ];
    let expected = "\
ADDRESS  PORT  SYNS  COOKIES  VALID  INVALID  OPENED  HANDED  REFUSED  UNANSWERED  DROPPED  SERVER
any        80     1       40     30       20      15       9       18          21       24  2 servers:
    192.0.2.1 mss 1460 wscale 7 sack timestamp
    2001:db8::1 mss 1460 wscale 0 sack timestamp
any        81     2       40     30       20       0       0        0           0        0  not learned yet
";
    assert_eq!(table(&chain, &servers), expected);
}

#[test]
fn other_rules_are_not_shown_and_interfaces_are() {
    let chain = chain_of(&[
        "-p tcp --dport 22 -j ACCEPT",
        "! -i eth0 -d 192.0.2.0/24 -p tcp --dport 22 -j SYNPROXY",
        "-6 -p tcp --dport 22 -j SYNPROXY",
        "! -d 192.0.2.0/24 -p tcp --dport 22 -j SYNPROXY",
    ]);
    let servers = [
        answered("192.0.2.1", 22, None),
        answered("2001:db8::1", 22, Some(7)),
        answered("192.0.3.1", 22, None),
    ];
    let expected = "\
ADDRESS        IN     PORT  SYNS  COOKIES  VALID  INVALID  OPENED  HANDED  REFUSED  UNANSWERED  DROPPED  SERVER
192.0.2.0/24   !eth0    22     0        0      0        0       5       3        6           7        8  on this host
::/0           *        22     0        0      0        0       5       3        6           7        8  mss 1460 wscale 7 sack timestamp
!192.0.2.0/24  *        22     0        0      0        0       5       3        6           7        8  on this host
";
    assert_eq!(table(&chain, &servers), expected);
    assert_eq!(
        table(&chain_of(&[]), &servers),
        "ADDRESS  PORT  SYNS  COOKIES  VALID  INVALID  OPENED  HANDED  REFUSED  UNANSWERED  DROPPED  SERVER\n"
    );
}

#[test]
fn rules_for_several_ports_are_shown() {
    let chain = chain_of(&[
        "-p tcp -j SYNPROXY",
        "-p tcp ! --dport 22 -j SYNPROXY",
        "-p tcp --dport 22:23 -j SYNPROXY",
        "-p tcp -m multiport --dports 80,443,22:23 -j SYNPROXY",
        "-p tcp -m multiport ! --dports 443,22:23,23:80,65535 -j SYNPROXY",
        "-p tcp -m multiport --sports 22 -j SYNPROXY",
    ]);
    let servers = [22, 80].map(|port| answered("192.0.2.1", port, None));
    let shown = show::json(&rows(std::slice::from_ref(&chain), &servers));
    let shown: Vec<Value> = (shown.as_array().unwrap().iter())
        .map(|row| json!([row["port"], row["ports"], row["opened"]]))
        .collect();
    let expected = [
        json!([null, "any", 10]),
        json!([null, "0:21,23:65535", 5]),
        json!([null, "22:23", 5]),
        json!([null, "80,443,22:23", 10]),
        json!([null, "0:21,81:442,444:65534", 0]),
        json!([null, "any", 10]),
    ];
    assert_eq!(shown, expected);
}

#[test]
fn clients_that_have_to_say_something_have_columns() {
    let chain = chain_of(&[
        "-p tcp --dport 22 -j SYNPROXY --until-data 5",
        "-p tcp --dport 80 -j SYNPROXY",
    ]);
    let servers = [answered("192.0.2.1", 22, None)];
    let expected = "\
ADDRESS  PORT  SYNS  COOKIES  VALID  INVALID  OPENED  HANDED  REFUSED  UNANSWERED  DROPPED  WAITING  BY-DATA  BY-TIMEOUT  GIVEN-UP  SERVER
any        22     0        0      0        0       5       3        6           7        8       10        9          10        11  on this host
any        80     0        0      0        0       0       0        0           0        0        0        0           0         0  not learned yet
";
    assert_eq!(table(&chain, &servers), expected);
}

#[test]
fn json_says_everything() {
    let chain = protected(vec![protecting(Some("::1".parse().unwrap()), 80, u64::MAX)]);
    let servers = [answered("::1", 80, Some(0)), answered("::1", 81, None)];
    let shown = show::json(&rows(std::slice::from_ref(&chain), &servers));
    let expected = json!([{
        "address": "::1",
        "port": 80,
        "ports": "80",
        "family": null,
        "in_interface": null,
        "when_flooded": { "rate": 100, "burst": null },
        "position": 1,
        "rule": "-A PREROUTING -d ::1/128 -p tcp -m tcp --dport 80 -j SYNPROXY --when-flooded 100",
        "statistics": {
            "syns": u64::MAX,
            "cookies_sent": 40,
            "cookies_valid": 30,
            "cookies_invalid": 20,
            "out_of_flow": 10,
        },
        "opened": 5,
        "handed_over": 3,
        "refused": 6,
        "unanswered": 7,
        "dropped": 8,
        "until_data": null,
        "waiting": 10,
        "opened_by_data": 9,
        "opened_by_timeout": 10,
        "given_up": 11,
        "servers": [{
            "address": "::1",
            "port": 80,
            "opened": 5,
            "handed_over": 3,
            "refused": 6,
            "unanswered": 7,
            "dropped": 8,
            "waiting": 10,
            "opened_by_data": 9,
            "opened_by_timeout": 10,
            "given_up": 11,
            "learned": true,
            "mss": 1460,
            "wscale": 0,
            "sack_perm": true,
            "timestamp": true,
            "ecn": false,
            "age_ms": 1234,
        }],
    }]);
    assert_eq!(shown, expected);
    let unlearned = show::json(&rows(&[chain], &[answered("::1", 80, None)]));
    let server = &unlearned[0]["servers"][0];
    assert_eq!(server["learned"], false);
    assert_eq!(server["mss"], Value::Null);
    assert_eq!(server["age_ms"], Value::Null);
}

#[test]
fn a_server_without_address_or_port_is_an_error() {
    let mut answer = Writer::default();
    answer.u16(server::PORT, 80);
    assert!(decode(answer.as_bytes()).is_err());
    let mut answer = Writer::default();
    answer.address(server::ADDRESS, IpAddr::from([192, 0, 2, 1]));
    assert!(decode(answer.as_bytes()).is_err());
}

#[test]
fn what_was_before_the_rule_is_no_figure_of_it() {
    let chain = protected(vec![protecting_since(None, 80, 1000, [4, 4, 9, 2, 3])]);
    let table = table(&chain, &[answered("192.0.2.1", 80, Some(7))]);
    let row: Vec<&str> = table.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(
        row.get(6..11),
        Some(&["1", "1", "2", "0", "5"][..]),
        "{table}"
    );
}
