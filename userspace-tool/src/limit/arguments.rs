// SPDX-License-Identifier: GPL-2.0

//! The grammar of `palisade limit`.

use clap::Parser;

use super::rule::{Limit, Rate};
use crate::{
    error::Error,
    lists::{self, AddressArgument, Expiry, NewEntry},
    protect::Endpoint,
    rules::{Names, list_name},
    text::quote,
};

/// Let each address open no more than so many connections to a port in a time
#[derive(Debug, Parser)]
#[command(
    bin_name = "palisade limit",
    override_usage = "\
palisade limit [--allow ADDRESS,...] [--network] [--list LIST] [ADDRESS:]PORT NUMBER/DURATION
       palisade limit --remove [ADDRESS:]PORT...
       palisade limit --status [--json]"
)]
pub(crate) struct LimitArguments {
    /// The port, by number or name; of all addresses, or of one, such as 192.0.2.1:22 or [2001:db8::1]:22. Behind it, how many
    /// connections an address may open in which time, such as 4/1m: who tries more often is kept out until it was quiet for
    /// that long
    #[arg(
        value_name = "[ADDRESS:]PORT NUMBER/DURATION",
        conflicts_with = "status"
    )]
    words: Vec<String>,
    /// Addresses and networks for which there is no limit, separated by commas
    #[arg(
        long,
        value_name = "ADDRESS,...",
        value_delimiter = ',',
        conflicts_with_all = ["remove", "status"]
    )]
    allow: Vec<AddressArgument>,
    /// Count the connections of a network together: of 24 bits for IPv4, and of 64 for IPv6
    #[arg(long, conflicts_with_all = ["remove", "status"])]
    network: bool,
    /// The recent list that counts; LIMIT- and the port if it is not given
    #[arg(long, value_name = "LIST", value_parser = list_name, conflicts_with_all = ["remove", "status"])]
    list: Option<String>,
    /// Remove limits of these ports, and their lists
    #[arg(long, conflicts_with = "status")]
    remove: bool,
    /// Show the limits, and how many packets they have dropped
    #[arg(long)]
    status: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What is asked for.
#[derive(Debug)]
pub(super) enum LimitCommand {
    Add {
        limit: Limit,
        allowed: Vec<NewEntry>,
    },
    Remove(Vec<Endpoint>),
    Status {
        json: bool,
    },
}

impl LimitArguments {
    pub(super) fn command(self, names: &dyn Names) -> Result<LimitCommand, Error> {
        if self.status {
            return Ok(LimitCommand::Status { json: self.json });
        }
        if self.json {
            return Err(Error::usage("limit: --json goes with --status"));
        }
        if self.remove {
            if self.words.is_empty() {
                return Err(Error::usage(
                    "limit --remove needs a port: palisade limit --status shows which have limits",
                ));
            }
            let endpoints = self.words.iter().map(|text| endpoint(text, names));
            return Ok(LimitCommand::Remove(endpoints.collect::<Result<_, _>>()?));
        }
        let [place, rate] = self.words.as_slice() else {
            return Err(Error::usage(
                "limit needs one port and how many connections in which time, such as 22 4/1m: palisade limit --help \
                 shows more",
            ));
        };
        let endpoint = endpoint(place, names)?;
        let rate: Rate = rate
            .parse()
            .map_err(|reason| Error::usage(format!("limit: {}: {reason}", quote(rate))))?;
        let list = self.list.unwrap_or_else(|| format!("LIMIT-{endpoint}"));
        Ok(LimitCommand::Add {
            allowed: allowed(&self.allow)?,
            limit: Limit {
                endpoint,
                rate,
                list,
                by_network: self.network,
            },
        })
    }
}

fn endpoint(text: &str, names: &dyn Names) -> Result<Endpoint, Error> {
    Endpoint::parse(text, names)
        .map_err(|reason| Error::usage(format!("limit: {}: {reason}", quote(text))))
}

/// The addresses that have no limit, for ever.
fn allowed(arguments: &[AddressArgument]) -> Result<Vec<NewEntry>, Error> {
    let keys = lists::addresses(arguments)?;
    if let Some(with_port) = keys.iter().find(|key| key.port != 0) {
        return Err(Error::usage(format!(
            "limit: {with_port}: an address is allowed as a whole: leave out the port"
        )));
    }
    let entries = keys.into_iter().map(|key| NewEntry {
        key,
        expiry: Some(Expiry::Never),
    });
    Ok(entries.collect())
}
