// SPDX-License-Identifier: GPL-2.0

//! The grammar of `palisade ban` and `palisade unban`.

use clap::Parser;

use crate::{
    error::Error,
    lists::{self, AddArgument, AddressArgument, Expiry, NewEntry},
    rules::list_name,
};

/// The list if none is given.
const LIST: &str = "BAN";

/// Drop all that comes from addresses, for some time or for ever
#[derive(Debug, Parser)]
#[command(
    bin_name = "palisade ban",
    override_usage = "\
palisade ban [--list LIST] [--force] ADDRESS... [for=DURATION]
       palisade ban --feed [--list LIST] [--force]
       palisade ban --remove [--list LIST]
       palisade ban --status [--list LIST] [--json]"
)]
pub(crate) struct BanArguments {
    /// Addresses and networks, such as 203.0.113.0/24; - reads them from standard input, one a line, with # comments.
    /// for=DURATION, such as 90s, 4h or 365d, bans them for that long from now, and for=ever, which is meant without, until palisade unban; on standard input
    /// a line may have its own
    #[arg(value_name = "ADDRESS", conflicts_with_all = ["feed", "remove", "status"])]
    new: Vec<AddArgument>,
    /// The recent list that has the addresses
    #[arg(long, value_name = "LIST", value_parser = list_name, default_value = LIST)]
    pub(super) list: String,
    /// Also ban the address that your own session of ssh comes from
    #[arg(long, conflicts_with_all = ["remove", "status"])]
    force: bool,
    /// Do what the lines on standard input say, as they come, as palisade list feed does; the rule is made where it is gone when
    /// addresses are added. What has no for= is banned for ever
    #[arg(long, conflicts_with_all = ["remove", "status"])]
    feed: bool,
    /// Remove the rule and the list with all its addresses
    #[arg(long, conflicts_with = "status")]
    remove: bool,
    /// Show who is banned, and for how long
    #[arg(long)]
    status: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BanCommand {
    Add {
        addresses: Vec<NewEntry>,
        force: bool,
    },
    Feed {
        force: bool,
    },
    Remove,
    Status {
        json: bool,
    },
}

impl BanArguments {
    pub(super) fn command(self) -> Result<BanCommand, Error> {
        if self.status {
            return Ok(BanCommand::Status { json: self.json });
        }
        if self.json {
            return Err(Error::usage("ban: --json goes with --status"));
        }
        if self.remove {
            return Ok(BanCommand::Remove);
        }
        if self.feed {
            return Ok(BanCommand::Feed { force: self.force });
        }
        if self.new.is_empty() {
            return Err(Error::usage(
                "ban needs an address, such as 192.0.2.1: palisade ban --help shows more",
            ));
        }
        let mut addresses = lists::new_addresses("ban", &self.new)?;
        for address in &mut addresses {
            *address = banned(*address)
                .map_err(|reason| Error::usage(format!("ban: {}: {reason}", address.key)))?;
        }
        Ok(BanCommand::Add {
            addresses,
            force: self.force,
        })
    }
}

/// An address as the list gets it, or why it cannot be banned.
pub(super) fn banned(mut address: NewEntry) -> Result<NewEntry, String> {
    if address.key.port != 0 {
        return Err("an address is banned as a whole: leave out the port".to_owned());
    }
    address.expiry.get_or_insert(Expiry::Never);
    Ok(address)
}

/// Let addresses in again that palisade ban keeps out
#[derive(Debug, Parser)]
#[command(
    bin_name = "palisade unban",
    override_usage = "palisade unban [--list LIST] ADDRESS..."
)]
pub(crate) struct UnbanArguments {
    /// Addresses; - reads them from standard input, one a line, with # comments
    #[arg(value_name = "ADDRESS", required = true)]
    pub(super) addresses: Vec<AddressArgument>,
    /// The recent list that has the addresses
    #[arg(long, value_name = "LIST", value_parser = list_name, default_value = LIST)]
    pub(super) list: String,
}
