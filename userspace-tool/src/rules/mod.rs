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
mod marks;
mod matches;
mod names;
mod options;
mod parser;
mod pasted;
mod print;
mod protocol;
mod restore;
mod rule;
mod save;
mod session;
mod specification;
mod targets;
#[cfg(test)]
mod tests;
mod wire;
mod words;

pub(crate) use extension::ExtensionType;
pub(crate) use matches::list_name;
pub(crate) use print::quote;

use crate::{error::Error, output};

pub(crate) use restore::run as restore;
pub(crate) use save::run as save;

/// Carry out a command line; what it prints is returned.
pub(crate) fn run(arguments: Vec<String>) -> Result<String, Error> {
    let names = names::System::default();
    let parse = |words| parser::parse(words, &names);
    let invocation = pasted::read(arguments, parse, output::warn)?;
    execute::execute(invocation)
}
