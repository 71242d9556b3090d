// SPDX-License-Identifier: GPL-2.0

//! Rules, in iptables' own grammar.

mod execute;
mod families;
mod matches;
mod model;
mod parser;
mod print;
mod restore;
mod save;
mod targets;
#[cfg(test)]
pub(crate) mod tests;
mod wire;

pub(crate) use execute::session::Session;
pub(crate) use matches::{Visits, comment, list_name};
#[cfg(test)]
pub(crate) use model::policy::Policies;
pub(crate) use model::{
    chain::Chain,
    change::Change,
    extension::Extension,
    family::Family,
    names::{Names, System, parse_port},
    protocol::name as protocol_name,
    range::{Range, list as list_ranges},
    rule::{Counters, Rule},
};
pub(crate) use parser::complete as complete_rule;
pub(crate) use print::{save_rule, shown_address, shown_interface, specification};
pub(crate) use restore::{RestoreArguments, bytes as restore_bytes, run as restore};
pub(crate) use save::{SaveArguments, run as save};
pub(crate) use targets::{Statistics, Synproxy};
pub(crate) use wire::decode_rule;
#[cfg(test)]
pub(crate) use wire::{PositionedRule, decode_rule_answer};
#[cfg(feature = "documents")]
pub(crate) use {
    matches::ALL as MATCHES,
    model::{extension::ExtensionType, options::ExtensionOption},
    parser::{help::section as base_options, options::Section},
    targets::ALL as TARGETS,
};

use crate::{error::Error, netlink::spec::Table, output};
use model::command::Command;
use parser::pasted;

/// Run a command line. Returns its output.
pub(crate) fn run(arguments: Vec<String>) -> Result<String, Error> {
    let names = System::default();
    let parse = |words| parser::parse(words, &names);
    let invocation = pasted::read(arguments, parse, output::warn)?;
    execute::execute(invocation)
}

/// The rules that a command line appends.
pub(crate) fn appended(arguments: Vec<String>, names: &dyn Names) -> Result<Vec<Rule>, Error> {
    match parser::parse(arguments, names)?.command {
        Command::Change(edit) => Ok(edit.rules),
        _ => Ok(Vec::new()),
    }
}

/// The names of the user-defined chains of a table.
pub(crate) fn user_defined_chains(table: Table) -> Result<Vec<String>, Error> {
    let chains = Session::open(Some(table))?.dump_chains(None)?;
    let user_defined = chains.into_iter().filter(|chain| chain.policies.is_none());
    Ok(user_defined.map(|chain| chain.name).collect())
}
