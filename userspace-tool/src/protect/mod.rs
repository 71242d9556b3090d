// SPDX-License-Identifier: GPL-2.0

//! Keeping floods of SYNs from servers: `palisade protect`.

mod arguments;
mod change;
mod endpoint;
mod protection;
mod show;
mod status;
#[cfg(test)]
mod tests;
mod wire;

use crate::{
    error::Error,
    netlink::spec::Table,
    output,
    rules::{Change, Session, System},
    usage,
};
pub(crate) use arguments::ProtectArguments;
use arguments::ProtectCommand;
pub(crate) use endpoint::Endpoint;
pub(crate) use protection::Ports;
pub(crate) use show::{address as shown_address, interface as shown_interface};
pub(crate) use status::{Row, rows};
pub(crate) use wire::{Server, decode_server, servers};

/// The chain of the table raw that the rules are in.
const CHAIN: &str = "PREROUTING";

/// Run `protect` with these arguments. Returns its output.
pub(crate) fn run(arguments: Vec<String>) -> Result<String, Error> {
    let arguments = match usage::parse::<ProtectArguments>("protect", arguments) {
        Ok(arguments) => arguments,
        Err(error) => return usage::explain(&error, "protect"),
    };
    let request = arguments.command(&System::default())?;
    let mut session = Session::open(Some(Table::Raw))?;
    let chains = session.chains(Some(CHAIN), None, None)?;
    match request {
        ProtectCommand::Add(rules) => {
            let additions = change::additions(&chains, &rules);
            for warning in &additions.warnings {
                output::warn(&format!("protect: {warning}"));
            }
            if !additions.changes.is_empty() {
                session.change(&additions.changes)?;
            }
        }
        ProtectCommand::Remove {
            endpoints,
            interface,
        } => {
            let rules = change::removed(&chains, &endpoints, interface.as_deref())?;
            session.change(&Change::deletions(CHAIN, &rules))?;
        }
        ProtectCommand::Status { json } => {
            let servers = wire::servers()?;
            let rows = status::rows(&chains, &servers);
            return Ok(if json {
                format!("{:#}\n", show::json(&rows))
            } else {
                show::table(&rows)
            });
        }
    }
    Ok(String::new())
}
