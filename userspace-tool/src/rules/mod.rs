// SPDX-License-Identifier: GPL-2.0

//! Rules, in iptables' own grammar.

mod address;
mod arguments;
mod command;
mod execute;
mod expand;
mod extension;
mod marks;
mod matches;
mod names;
mod options;
mod parser;
mod print;
mod protocol;
mod rule;
mod session;
mod specification;
mod targets;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use extension::ExtensionType;
pub(crate) use matches::list_name;
pub(crate) use print::quote;

use crate::error::Error;

/// Carry out a command line; what it prints is returned.
pub(crate) fn run(arguments: Vec<String>) -> Result<String, Error> {
    let invocation = parser::parse(arguments, &names::System)?;
    execute::execute(invocation)
}
