// SPDX-License-Identifier: GPL-2.0

use clap::Parser;

use super::{
    RatesArguments, show,
    wire::{Rate, RateTable},
};

#[test]
fn grammar() {
    let parse = |words: &str| RatesArguments::try_parse_from(words.split(' '));
    for good in [
        "rates",
        "rates --json",
        "rates dns",
        "rates dns --json",
        "rates dns --flush",
    ] {
        assert!(parse(good).is_ok(), "{good}");
    }
    for bad in ["rates --flush", "rates dns --flush --json", "rates a b"] {
        assert!(parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn shown() {
    let table = RateTable {
        name: "dns".to_owned(),
        size: 100,
        rules: 2,
        evicted: 3,
        refused: 4,
    };
    assert_eq!(
        show::tables(&[table]),
        "name  size  rules  evicted  refused\ndns    100      2        3        4\n"
    );
    let rates = [Rate {
        source: "192.0.2.1".parse().unwrap(),
        destination_port: 53,
        full_in: 2500,
        age: 1000,
        ..Rate::default()
    }];
    assert_eq!(
        show::rates(&rates),
        "source     port  destination  port  full in  last seen\n\
         192.0.2.1     -  -              53     2.5s         1s\n"
    );
    let json: serde_json::Value = serde_json::from_str(&show::rates_json(&rates)).unwrap();
    assert_eq!(json[0]["source"], "192.0.2.1");
    assert_eq!(json[0]["destination"], serde_json::Value::Null);
    assert_eq!(json[0]["full_in_ms"], 2500);
}
