// SPDX-License-Identifier: GPL-2.0

//! Tests of the grammar; they need no module.

mod bad;
mod good;
mod round_trip;
mod shown;
mod tables;

use std::{io, net::IpAddr};

use super::{
    model::{
        chain::Chain,
        command::{Command, Edit, Invocation},
        names::Names,
        policy::Policies,
        rule::{Counters, Rule},
    },
    parser,
    print::save_rule,
};
use crate::{
    error::Error,
    netlink::spec::{Table, Verdict},
};

/// Names that are the same on every machine.
pub(crate) struct Fixed;

impl Names for Fixed {
    fn host(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let addresses: &[&str] = match name {
            "one.example" => &["192.0.2.1"],
            "both.example" => &["192.0.2.2", "2001:db8::2"],
            "two.example" => &["192.0.2.3", "192.0.2.4"],
            _ => return Err(io::Error::other("no such host")),
        };
        Ok(addresses
            .iter()
            .filter_map(|address| address.parse().ok())
            .collect())
    }

    fn port(&self, service: &str, protocol: &str) -> Option<u16> {
        match (service, protocol) {
            ("ssh", "tcp") => Some(22),
            ("domain", _) => Some(53),
            _ => None,
        }
    }

    fn protocol(&self, name: &str) -> Option<u8> {
        (name == "ospf").then_some(89)
    }
}

/// The words of a line, as a shell splits them; only double quotes are needed here.
pub(super) fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            '\\' if quoted => word.get_or_insert_default().extend(characters.next()),
            ' ' if !quoted => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    words
}

fn parse(line: &str) -> Result<Invocation, Error> {
    parser::parse(words(line), &Fixed)
}

/// The rules that a line describes, and the chain they are for.
pub(crate) fn rules(line: &str) -> (String, Vec<Rule>) {
    match parse(line).map(|invocation| invocation.command) {
        Ok(Command::Change(Edit { chain, rules, .. })) => (chain.unwrap(), rules),
        Ok(Command::Check { chain, rules }) => (chain, rules),
        other => panic!("{line}: {other:?}"),
    }
}

/// A built-in chain with the rules that these lines describe behind the chain's name.
pub(crate) fn chain(table: Table, name: &str, lines: &[&str]) -> Chain {
    let line = |line: &&str| rules(&format!("-t {table} -A {name} {line}")).1;
    chain_of(table, name, lines.iter().flat_map(line))
}

/// A built-in chain with these rules.
pub(crate) fn chain_of(table: Table, name: &str, rules: impl IntoIterator<Item = Rule>) -> Chain {
    Chain {
        table,
        name: name.to_owned(),
        policies: Some(Policies::both(Verdict::Accept, Counters::default())),
        references: 0,
        length: 0,
        rules: (1..).zip(rules).collect(),
    }
}

/// The rules of a line as -S prints them.
fn saved(line: &str) -> Vec<String> {
    let (chain, rules) = rules(line);
    rules
        .iter()
        .map(|rule| save_rule(&chain, rule, false))
        .collect()
}
