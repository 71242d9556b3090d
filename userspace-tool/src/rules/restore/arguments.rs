// SPDX-License-Identifier: GPL-2.0

//! The command line of `palisade restore`.

use clap::Parser;

use crate::{
    netlink::spec::Table,
    rules::{
        families::Families,
        model::{chain, family::Family},
    },
    text::is_number,
    usage,
};

/// Read rules as palisade save and iptables-save print them
#[derive(Debug, Parser)]
#[command(
    bin_name = "palisade restore",
    infer_long_args = true,
    args_override_self = true,
    override_usage = "palisade restore [-46cntv] [-T TABLE] [FILE]",
    after_help = "\
All tables of the file are put into force together, or, if there is a mistake, nothing is changed.
With -4 or -6 what there is for the other IP version stays, and so it does in rules for both. A file of
ip6tables-save needs -6, and one of iptables-save -4; with both options it is for both, whatever it looks like."
)]
pub(crate) struct RestoreArguments {
    #[command(flatten)]
    families: Families,
    /// With the counters that the file has
    #[arg(short, long)]
    pub(super) counters: bool,
    /// Add to the rules there are; without it the tables in the file are emptied first
    #[arg(short, long)]
    pub(super) noflush: bool,
    /// Only find out whether it could be done
    #[arg(short, long)]
    pub(super) test: bool,
    /// Only this table of the file: raw, filter, nat or mangle
    #[arg(short = 'T', long, value_parser = chain::parse_table)]
    pub(super) table: Option<Table>,
    /// Say how many chains and rules there were
    #[arg(short, long)]
    pub(super) verbose: bool,
    /// Accepted, with a number of seconds behind it or without; there is no lock to wait for
    #[arg(short, long)]
    wait: bool,
    /// The file; standard input if it is - or not given
    #[arg(value_name = "FILE")]
    file: Option<String>,
}

impl RestoreArguments {
    /// The only family that the file is for.
    pub(super) fn family(&self) -> Option<Family> {
        self.families.only()
    }

    /// Whether it was said which families it is for.
    pub(super) fn says_families(&self) -> bool {
        self.families.are_given()
    }

    /// The file; none means standard input.
    pub(super) fn file(&self) -> Option<&str> {
        self.file.as_deref().filter(|file| *file != "-")
    }

    /// How messages call the file.
    pub(super) fn file_name(&self) -> &str {
        self.file().unwrap_or("standard input")
    }
}

/// Parse the words that follow `restore`.
pub(super) fn parse(mut words: Vec<String>) -> Result<RestoreArguments, clap::Error> {
    // As in iptables-restore, the seconds to wait may be left out; any other word is the file.
    let waits = |word: &str| match word.strip_prefix("--") {
        Some(name) => !name.is_empty() && "wait".starts_with(name),
        None => word.starts_with('-') && word.ends_with('w'),
    };
    let wait = words.iter().position(|word| waits(word));
    if let Some(seconds) = wait.map(|wait| wait + 1) {
        if words.get(seconds).is_some_and(|word| is_number(word)) {
            words.remove(seconds);
        }
    }
    usage::parse("restore", words)
}
