// SPDX-License-Identifier: GPL-2.0

//! Rules, in iptables' own grammar.

mod address;
mod arguments;
mod chains;
mod changes;
mod command;
mod execute;
mod expand;
mod explain;
mod extension;
mod foreign;
mod marks;
mod matches;
mod names;
mod options;
mod parser;
mod pasted;
mod policy;
mod print;
mod protocol;
mod restore;
mod rule;
mod save;
mod session;
mod specification;
mod targets;
#[cfg(test)]
pub(crate) mod tests;
mod wire;
mod words;

pub(crate) use extension::ExtensionType;
pub(crate) use matches::list_name;
pub(crate) use names::{Names, System, parse_port};
#[cfg(test)]
pub(crate) use policy::Policies;
pub(crate) use print::{Chain, quote, save_rule, shown_address, shown_interface};
pub(crate) use rule::{Counters, Family, Rule};
pub(crate) use session::Session;
pub(crate) use targets::{Statistics, Synproxy};
pub(crate) use wire::Change;
#[cfg(test)]
pub(crate) use wire::{Placed, decode_placed};

use crate::{error::Error, output};
use command::Command;

pub(crate) use restore::run as restore;
pub(crate) use save::run as save;

/// Carry out a command line; what it prints is returned.
pub(crate) fn run(arguments: Vec<String>) -> Result<String, Error> {
    let names = System::default();
    let parse = |words| parser::parse(words, &names);
    let invocation = pasted::read(arguments, parse, output::warn)?;
    execute::execute(invocation)
}

/// The rules that a command line appends.
pub(crate) fn appended(arguments: Vec<String>, names: &dyn Names) -> Result<Vec<Rule>, Error> {
    match parser::parse(arguments, names)?.command {
        Command::Append { rules, .. } => Ok(rules),
        _ => Ok(Vec::new()),
    }
}
