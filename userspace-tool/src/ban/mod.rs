// SPDX-License-Identifier: GPL-2.0

//! Dropping all that comes from addresses: `palisade ban` and `palisade unban`.

mod arguments;
mod feed;
mod rule;
mod show;
mod ssh;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use crate::{
    error::Error,
    lists::{self, NewEntry},
    netlink::Connection,
    output, usage,
};
use arguments::BanCommand;
pub(crate) use arguments::{BanArguments, UnbanArguments};
use feed::Feed;
use rule::BanRule;

/// The chain of the table raw that the rule is in.
const CHAIN: &str = "PREROUTING";

/// Run `ban` with these arguments. Returns its output.
pub(crate) fn ban(arguments: Vec<String>) -> Result<String, Error> {
    let arguments = match usage::parse::<BanArguments>("ban", arguments) {
        Ok(arguments) => arguments,
        Err(error) => return usage::explain(&error, "ban"),
    };
    let list = arguments.list.clone();
    match arguments.command()? {
        BanCommand::Add { addresses, force } => {
            spare_session(&addresses, &ssh::clients(), force)?;
            BanRule::find(&list)?.insert()?;
            lists::add(&list, &addresses, true)
        }
        BanCommand::Feed { force } => lists::feed(&list, &mut Feed::new(&list, force)),
        BanCommand::Remove => {
            BanRule::find(&list)?.delete()?;
            match lists::destroy(&list) {
                Err(Error::UnknownList(_)) => Ok(String::new()),
                result => result,
            }
        }
        BanCommand::Status { json } => {
            let present = BanRule::find(&list)?.present;
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
            output::warn(&format!("ban: {}", own_session(client)));
            Ok(())
        }
        Some(client) => Err(Error::Failure(format!(
            "ban: {}: with --force it is banned all the same",
            own_session(client)
        ))),
        None => Ok(()),
    }
}

fn own_session(client: &IpAddr) -> String {
    format!("your own session of ssh comes from {client}")
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
