// SPDX-License-Identifier: GPL-2.0

//! Tests of the grammar, the changes and the status; they need no module.

mod arguments;
mod change;
mod status;

use clap::Parser;

use super::{
    CHAIN,
    arguments::{ProtectArguments, ProtectCommand},
};
use crate::{
    error::Error,
    netlink::spec::{Table, Verdict},
    rules::{
        Chain, Counters, Policies, Rule,
        tests::{Fixed, rules},
    },
    usage,
};

/// What the words behind `protect` ask for; help is an error here.
fn request(words: &str) -> Result<ProtectCommand, Error> {
    let words = std::iter::once("protect").chain(words.split_whitespace());
    match ProtectArguments::try_parse_from(words) {
        Ok(arguments) => arguments.command(&Fixed),
        Err(error) => {
            Err(usage::explain(&error, "protect").map_or_else(|error| error, Error::Failure))
        }
    }
}

/// The chain with these rules.
fn chain(rules: Vec<Rule>) -> Chain {
    Chain {
        table: Table::Raw,
        name: CHAIN.to_owned(),
        policies: Some(Policies::both(Verdict::Accept, Counters::default())),
        references: 0,
        length: 0,
        rules: (1..).zip(rules).collect(),
    }
}

/// The chain with the rules that these lines describe.
fn chain_of(lines: &[&str]) -> Chain {
    let line = |line: &&str| rules(&format!("-t raw -A {CHAIN} {line}")).1;
    chain(lines.iter().flat_map(line).collect())
}
