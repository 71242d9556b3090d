// SPDX-License-Identifier: GPL-2.0

//! The grammar of `palisade persist`.

use clap::Parser;

/// Keep rules and recent lists, so that they come back when the machine is rebooted
#[derive(Debug, Parser)]
#[command(
    bin_name = "palisade persist",
    override_usage = "palisade persist [--lists | --restore | --reload]",
    after_help = "\
Rules are kept in /etc/palisade/rules, as palisade save prints them; the file may be edited. Lists are kept in
/var/lib/palisade/lists, and grow older there. palisade.service brings both back before the network is up, and keeps
the lists when the machine goes down, as palisade-save.timer does every hour.

If there is a mistake in the rules, --reload changes nothing, and --restore puts those into force that were last without
one. It leaves lists alone that have addresses already."
)]
pub(crate) struct PersistArguments {
    /// Keep the lists only
    #[arg(long, conflicts_with_all = ["restore", "reload"])]
    lists: bool,
    /// Bring back what was kept, as at boot
    #[arg(long, conflicts_with = "reload")]
    restore: bool,
    /// Put the rules that were kept, or edited, into force
    #[arg(long)]
    reload: bool,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PersistCommand {
    Keep,
    KeepLists,
    Restore,
    Reload,
}

impl PersistArguments {
    pub(super) fn command(&self) -> PersistCommand {
        match self {
            Self { lists: true, .. } => PersistCommand::KeepLists,
            Self { restore: true, .. } => PersistCommand::Restore,
            Self { reload: true, .. } => PersistCommand::Reload,
            _ => PersistCommand::Keep,
        }
    }
}
