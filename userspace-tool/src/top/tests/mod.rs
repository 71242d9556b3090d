// SPDX-License-Identifier: GPL-2.0

//! Tests of rates, of what is drawn and of the JSON; they need no module.

mod events;
mod json;
mod lists;
mod rates;
mod view;

use std::time::{Duration, Instant};

use super::{
    sample::{Counts, Sample},
    state::State,
};
use crate::{
    lists::List,
    netlink::spec::Table,
    rules::{Chain, Counters, tests},
};

/// 2026-11-30T12:03:04Z.
const NOON: u64 = 1_796_040_184_000;

/// A chain of the table raw with the rules that these lines describe; each has counted so many packets of 60 bytes.
fn raw(lines: &[(&str, u64)]) -> Chain {
    let texts: Vec<&str> = lines.iter().map(|(text, _)| *text).collect();
    let mut chain = tests::chain(Table::Raw, "PREROUTING", &texts);
    for ((_, rule), (_, packets)) in chain.rules.iter_mut().zip(lines) {
        let (packets, bytes) = (*packets, packets * 60);
        rule.counters = Counters { packets, bytes };
    }
    chain
}

fn list(name: &str, entries: u32) -> List {
    List {
        name: name.to_owned(),
        entries,
        size: 1000,
        hits: 20,
        ..List::default()
    }
}

/// What was counted of these rules so many seconds after `begin`. The Nth protected port has the Nth of these counts.
fn sample(begin: Instant, seconds: u64, rules: &[(&str, u64)], counts: &[[u64; 8]]) -> Sample {
    let lists = vec![list("SSH", 3), list("ban", 7), list("web", 7)];
    let mut sample = Sample::of(&[raw(rules)], &[], lists);
    sample.at = begin + Duration::from_secs(seconds);
    sample.time = NOON + seconds * 1000;
    for (port, counts) in sample.ports.iter_mut().zip(counts) {
        port.counts = Counts::of(*counts);
    }
    sample
}

const HTTP: &str = "-p tcp --dport 80 -j SYNPROXY";
const HTTPS: &str = "-d 192.0.2.1/32 -p tcp --dport 443 -j SYNPROXY --when-flooded 1000";
const BAN: &str = "-m recent --name ban --rcheck -j DROP";

/// Two seconds, in which the port 80 is flooded, and the rule of the list has dropped 100 packets.
fn flooded() -> State {
    let begin = Instant::now();
    let before = [(HTTPS, 50), (HTTP, 100), (BAN, 5)];
    let after = [(HTTPS, 60), (HTTP, 40_100), (BAN, 105)];
    let mut state = State::new(None);
    state.add(sample(begin, 0, &before, &[[10; 8], [0; 8]]));
    let counts = [
        [20, 10, 10, 10, 14, 10, 10, 10],
        [40_000, 39_000, 20, 6, 18, 4, 2, 8],
    ];
    state.add(sample(begin, 2, &after, &counts));
    state
}
