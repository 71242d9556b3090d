// SPDX-License-Identifier: GPL-2.0

//! The grammar of `palisade list`.

use clap::{Parser, Subcommand, error::ErrorKind};

use super::{
    duration,
    input::{AddArgument, AddressArgument},
};
use crate::{error::Error, netlink::spec::HITS_MAX, rules::list_name, usage};

/// Read and change recent lists.
#[derive(Debug, Parser)]
#[command(bin_name = "palisade list", disable_help_subcommand = true)]
pub(crate) struct ListArguments {
    #[command(subcommand)]
    pub(super) command: ListCommand,
}

// The help shows the comments below.
#[derive(Debug, Subcommand)]
pub(super) enum ListCommand {
    /// Show all lists with their limits and figures
    Ls {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a list with its addresses, the one that was seen last first
    Show {
        /// The list
        #[arg(value_name = "LIST", value_parser = list_name)]
        name: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Add addresses, or stamp them anew, as if a packet had been seen now
    Add {
        /// The list
        #[arg(value_name = "LIST", value_parser = list_name)]
        name: String,
        /// Addresses and networks, such as 192.0.2.0/24, or ADDRESS:PORT and [ADDRESS]:PORT in a list of --rport; - reads them from standard
        /// input, one a line, with # comments. for=DURATION, such as 90s, 4h or 365d, keeps them for that long
        /// from now and for=ever until they are deleted, whatever the timeout of the list and however full it is; on
        /// standard input a line may have its own
        #[arg(value_name = "ADDRESS", required = true)]
        new: Vec<AddArgument>,
        /// Do not stamp addresses that are in the list; for= holds for them as well
        #[arg(long)]
        exist: bool,
    },
    /// Delete addresses
    Del {
        /// The list
        #[arg(value_name = "LIST", value_parser = list_name)]
        name: String,
        /// Addresses; - reads them from standard input, one a line, with # comments
        #[arg(value_name = "ADDRESS")]
        addresses: Vec<AddressArgument>,
        /// Pass over addresses that are not in the list
        #[arg(long)]
        exist: bool,
    },
    /// Do what the lines on standard input say, as they come: what other programs feed a list with. The list is created
    /// where it is not there
    ///
    /// A line is add ADDRESS [for=DURATION], where the address is stamped anew if it is in the list, del ADDRESS, which need
    /// not be there, or flush; or a decision that CrowdSec's custom bouncer writes with feed_via_stdin, which is a JSON
    /// object; or block ADDRESS 4|6 PREFIX, release ADDRESS 4|6 PREFIX or flushonexit, as of sshguard. What came before a pause is in the list at
    /// once. A line that is refused is told, and the exit status is 1 then
    Feed {
        /// The list
        #[arg(value_name = "LIST", value_parser = list_name)]
        name: String,
    },
    /// Remove every address of a list
    Flush {
        /// The list
        #[arg(value_name = "LIST", value_parser = list_name)]
        name: String,
    },
    /// Create a list; a rule that names one creates it too
    Create {
        /// The list
        #[arg(value_name = "LIST", value_parser = list_name)]
        name: String,
        /// size=N, the most addresses that the list holds; hits=N, the packets remembered of each address;
        /// timeout=DURATION, how long an address is kept after its last packet, such as 90s, 10m or 1h30m, and
        /// 0 for the longest time that can be measured; except=LIST, a list that is asked first: rules neither find nor
        /// stamp its addresses in this one; networks, that rules look for networks, too, as they do from the first that
        /// is added
        #[arg(value_name = "SETTING=VALUE")]
        settings: Vec<Setting>,
        /// Change the limits of a list that is there already, as set does
        #[arg(long)]
        exist: bool,
    },
    /// Change the limits of a list, which keeps its addresses as far as there is room
    Set {
        /// The list
        #[arg(value_name = "LIST", value_parser = list_name)]
        name: String,
        /// size=N, hits=N, timeout=DURATION, except=LIST, networks, as for create; except= for none
        #[arg(value_name = "SETTING=VALUE", required = true)]
        settings: Vec<Setting>,
    },
    /// Print lists so that restore can read them
    Save {
        /// The list; all of them if it is not given
        #[arg(value_name = "LIST", value_parser = list_name)]
        name: Option<String>,
    },
    /// Read what save has printed; addresses have got older meanwhile, and lists keep what else they hold
    Restore {
        /// The file; standard input if it is - or not given
        #[arg(value_name = "FILE")]
        file: Option<String>,
    },
    /// Destroy a list that no rule uses
    Destroy {
        /// The list
        #[arg(value_name = "LIST", value_parser = list_name)]
        name: String,
    },
}

/// A limit of a new list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    Size(u32),
    Hits(u32),
    /// In milliseconds.
    Timeout(u64),
    /// The name of a list, or none.
    Except(String),
    Networks,
}

impl Setting {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Size(_) => "size",
            Self::Hits(_) => "hits",
            Self::Timeout(_) => "timeout",
            Self::Except(_) => "except",
            Self::Networks => "networks",
        }
    }
}

impl std::str::FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        let number = |most: u32| match value.parse() {
            Ok(number) if (1..=most).contains(&number) => Ok(number),
            _ => Err(format!("{name} is a number from 1 to {most}")),
        };
        match name {
            "networks" if name == text => Ok(Self::Networks),
            "size" => number(u32::MAX).map(Self::Size),
            "hits" => number(HITS_MAX).map(Self::Hits),
            "timeout" => duration::parse(value).map(Self::Timeout),
            "except" if value.is_empty() => Ok(Self::Except(String::new())),
            "except" => list_name(value).map(Self::Except),
            _ => Err(
                "settings are size=N, hits=N, timeout=DURATION, except=LIST and networks"
                    .to_owned(),
            ),
        }
    }
}

/// Print the help that was asked for, or say in one line what is wrong.
pub(super) fn explain(error: &clap::Error) -> Result<String, Error> {
    match error.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => Err(
            Error::usage("list needs a command: palisade list --help shows them"),
        ),
        _ => usage::explain(error, "list"),
    }
}
