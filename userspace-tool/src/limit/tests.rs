// SPDX-License-Identifier: GPL-2.0

//! Tests of the grammar and the changes; they need no module.

use clap::Parser;

use super::{
    CHAIN,
    arguments::{LimitArguments, LimitCommand},
    replacement,
    rule::{self, Limit},
};
use crate::{
    error::Error,
    netlink::spec::Table,
    protect::Endpoint,
    rules::{
        Chain, Change, save_rule,
        tests::{self, Fixed},
    },
    usage,
};

/// What the words behind `limit` ask for; help is an error here.
fn request(words: &str) -> Result<LimitCommand, Error> {
    let words = std::iter::once("limit").chain(words.split_whitespace());
    match LimitArguments::try_parse_from(words) {
        Ok(arguments) => arguments.command(&Fixed),
        Err(error) => {
            Err(usage::explain(&error, "limit").map_or_else(|error| error, Error::Failure))
        }
    }
}

fn limit(words: &str) -> (Limit, Vec<String>) {
    match request(words) {
        Ok(LimitCommand::Add { limit, allowed }) => {
            let allowed = allowed.iter().map(|one| one.key.to_string());
            (limit, allowed.collect())
        }
        other => panic!("{words}: {other:?}"),
    }
}

#[test]
fn a_limit_is_two_rules() {
    for (words, list, expected) in [
        (
            "22 4/1m",
            "LIMIT-22",
            [
                "-p tcp -m tcp --dport 22 --tcp-flags FIN,SYN,RST,ACK SYN -m recent --update --seconds 60 --hitcount 4 \
                 --name LIMIT-22 --rsource -j DROP",
                "-p tcp -m tcp --dport 22 --tcp-flags FIN,SYN,RST,ACK SYN -m recent --set --name LIMIT-22 --rsource",
            ],
        ),
        (
            "--network --list MAIL [2001:db8::1]:25 10/1h",
            "MAIL",
            [
                "-d 2001:db8::1/128 -p tcp -m tcp --dport 25 --tcp-flags FIN,SYN,RST,ACK SYN -m recent --update \
                 --seconds 3600 --hitcount 10 --name MAIL --mask 24,64 --rsource -j DROP",
                "-d 2001:db8::1/128 -p tcp -m tcp --dport 25 --tcp-flags FIN,SYN,RST,ACK SYN -m recent --set --name MAIL \
                 --mask 24,64 --rsource",
            ],
        ),
    ] {
        let (limit, allowed) = limit(words);
        assert_eq!((limit.list.as_str(), allowed.len()), (list, 0));
        let rules = limit.rules(&Fixed).unwrap();
        let saved: Vec<String> = rules
            .iter()
            .map(|rule| save_rule(CHAIN, rule, false))
            .collect();
        let expected = expected.map(|rule| format!("-A {CHAIN} {rule}"));
        assert_eq!(saved, expected, "{words}");
    }
}

#[test]
fn who_is_allowed_may_be_a_network() {
    let (_, allowed) = limit("--allow 192.0.2.1,2001:db8::/32 --allow 198.51.100.0/24 ssh 3/10s");
    assert_eq!(allowed, ["192.0.2.1", "2001:db8::/32", "198.51.100.0/24"]);
}

#[test]
fn mistakes_are_named() {
    for (words, expected) in [
        (
            "",
            "limit needs one port and how many connections in which time, such as 22 4/1m",
        ),
        ("22", "limit needs one port"),
        ("22 80 4/1m", "limit needs one port"),
        (
            "22 4",
            "limit: 4: how many connections in which time is such as 4/1m",
        ),
        (
            "22 0/1m",
            "limit: 0/1m: the number of connections is from 1 to",
        ),
        ("22 4/500ms", "limit: 4/500ms: the time is of whole seconds"),
        ("22 4/0", "limit: 4/0: the time is of whole seconds"),
        ("22 4/soon", "limit: 4/soon: a duration is"),
        ("0 4/1m", "limit: 0: there is no port 0"),
        (
            "--allow ::1,x 22 4/1m",
            "limit: invalid value 'x' for '--allow <ADDRESS,...>': not an IPv4 or IPv6 address",
        ),
        (
            "--allow 192.0.2.1:80 22 4/1m",
            "limit: 192.0.2.1:80: an address is allowed as a whole: leave out the port",
        ),
        ("--remove", "limit --remove needs a port"),
        ("--json 22 4/1m", "limit: --json goes with --status"),
        (
            "--status 22",
            "limit: the argument '--status' cannot be used with",
        ),
    ] {
        let error = request(words).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{words}: {error}");
    }
}

/// A chain with these rules.
fn chain(lines: &[&str]) -> Chain {
    tests::chain(Table::Mangle, CHAIN, lines)
}

/// What changes do, as rules are typed.
fn typed(changes: &[Change<'_>]) -> Vec<String> {
    changes
        .iter()
        .map(|change| {
            let rule = change.rule.map(|rule| save_rule(CHAIN, rule, false));
            let rule = rule.unwrap_or_default();
            let words = rule.split("-m recent ").nth(1).unwrap_or_default();
            let first = words.split(' ').next().unwrap_or_default();
            format!("{:?} {:?} {first}", change.kind, change.position)
        })
        .collect()
}

fn endpoint(text: &str) -> Endpoint {
    Endpoint::parse(text, &Fixed).unwrap()
}

#[test]
fn another_rate_takes_the_place_of_the_first() {
    let old_rules = [
        "-p tcp --dport 22 --syn -m recent --name LIMIT-22 --update --seconds 9 --hitcount 2 -j DROP",
        "-p tcp --dport 22 --syn -m recent --name LIMIT-22 --set",
        "-p tcp --dport 80 --syn -m recent --name LIMIT-22 --set",
        "-p tcp --dport 22 -m recent --name OTHER --rcheck -j DROP",
    ];
    let chains = [chain(&old_rules)];
    let (limit, _) = limit("22 4/1m");
    let wanted = limit.rules(&Fixed).unwrap();
    let old = rule::rules_of(&chains, limit.endpoint);
    let changes = replacement(&old, &wanted);
    assert_eq!(
        typed(&changes),
        [
            "Insert Some(1) --set",
            "Insert Some(1) --update",
            "Delete None --update",
            "Delete None --set",
        ]
    );
    let present: Vec<_> = rule::present(&chains)
        .map(|limit| (limit.ports.to_string(), limit.rate.to_string(), limit.list))
        .collect();
    assert_eq!(present, [("22".to_owned(), "2/9s".to_owned(), "LIMIT-22")]);
    assert_eq!(rule::rules_of(&chains, endpoint("80")).len(), 0);
    assert_eq!(rule::rules_of(&chains, endpoint("192.0.2.1:22")).len(), 0);
}
