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
    netlink::spec::Table,
    rules::{
        Chain, Rule,
        tests::{self, Fixed},
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
    tests::chain_of(Table::Raw, CHAIN, rules)
}

/// The chain with the rules that these lines describe.
fn chain_of(lines: &[&str]) -> Chain {
    tests::chain(Table::Raw, CHAIN, lines)
}
