// SPDX-License-Identifier: GPL-2.0

//! Dropping all that comes from addresses: `palisade ban` and `palisade unban`.

mod arguments;
mod rule;
mod show;
mod ssh;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use crate::{
    error::Error,
    lists::{self, NewEntry},
    netlink::{Connection, spec::Table},
    output,
    rules::{Change, Session, System},
    usage,
};
use arguments::BanCommand;
pub(crate) use arguments::{BanArguments, UnbanArguments};

/// The chain of the table raw that the rule is in.
const CHAIN: &str = "PREROUTING";

/// Run `ban` with these arguments. Returns its output.
pub(crate) fn ban(arguments: Vec<String>) -> Result<String, Error> {
    let arguments = match usage::parse::<BanArguments>("ban", arguments) {
        Ok(arguments) => arguments,
        Err(error) => return usage::explain(&error, "ban"),
    };
    let list = arguments.list.clone();
    let command = arguments.command()?;
    if let BanCommand::Add { addresses, force } = &command {
        spare_session(addresses, &ssh::clients(), *force)?;
    }
    let wanted = rule::rules(&list, &System::default())?;
    let mut session = Session::open(Some(Table::Raw))?;
    let chains = session.chains(Some(CHAIN), None, None)?;
    let present = rule::present(&chains, &wanted);
    match command {
        BanCommand::Add { addresses, .. } => {
            if present.is_empty() {
                // Also before those with SYNPROXY: who is banned gets no cookie.
                session.change(&Change::insertions(CHAIN, &wanted))?;
            }
            lists::add(&list, &addresses, true)
        }
        BanCommand::Remove => {
            if !present.is_empty() {
                session.change(&rule::removals(&present, &wanted))?;
            }
            match lists::destroy(&list) {
                Err(Error::UnknownList(_)) => Ok(String::new()),
                result => result,
            }
        }
        BanCommand::Status { json } => {
            let mut banned = match lists::entries(&mut Connection::open()?, &list) {
                Err(Error::UnknownList(_)) => Vec::new(),
                result => result?,
            };
            banned.sort_by_key(|entry| entry.key);
            if json {
                return Ok(format!("{:#}\n", show::json(&list, &present, &banned)));
            }
            if present.is_empty() && !banned.is_empty() {
                output::warn(
                    "ban: the rule that drops their packets is gone: ban one of them again to make it",
                );
            }
            Ok(show::table(&banned))
        }
    }
}

/// Refuse, or with `force` warn of, a ban of whom the caller's session comes from.
fn spare_session(addresses: &[NewEntry], clients: &[IpAddr], force: bool) -> Result<(), Error> {
    let is_hit = |client: &&IpAddr| {
        let mut keys = addresses.iter().map(|one| one.key);
        keys.any(|key| key.network.contains(*client))
    };
    match clients.iter().find(is_hit) {
        Some(client) if force => {
            output::warn(&format!("ban: your own session of ssh comes from {client}"));
            Ok(())
        }
        Some(client) => Err(Error::Failure(format!(
            "ban: your own session of ssh comes from {client}: with --force it is banned all the same"
        ))),
        None => Ok(()),
    }
}

/// Run `unban` with these arguments. Returns its output.
pub(crate) fn unban(arguments: Vec<String>) -> Result<String, Error> {
    let arguments = match usage::parse::<UnbanArguments>("unban", arguments) {
        Ok(arguments) => arguments,
        Err(error) => return usage::explain(&error, "unban"),
    };
    let addresses = lists::addresses(&arguments.addresses)?;
    let mut connection = Connection::open()?;
    for address in addresses {
        if !lists::delete(&mut connection, &arguments.list, address)? {
            output::warn(&format!("unban: {address} is not banned"));
        }
    }
    Ok(String::new())
}
