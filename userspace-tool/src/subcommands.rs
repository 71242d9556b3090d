// SPDX-License-Identifier: GPL-2.0

//! The commands that are words, which clap reads. The help, the completion and the manual go by this list.

use clap::CommandFactory;

use crate::{
    ban, error::Error, limit, lists, metrics, monitor, persist, protect, rates, rules, top, trace,
};

/// A command that is a word.
#[derive(Debug)]
pub(crate) struct Subcommand {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// Whether `-4` and `-6` may stand before it.
    takes_families: bool,
    pub(crate) command: fn() -> clap::Command,
    /// Run it with the words that follow. Returns its output.
    pub(crate) run: fn(Vec<String>) -> Result<String, Error>,
}

pub(crate) static ALL: &[Subcommand] = &[
    Subcommand {
        name: "save",
        about: "print the rules for palisade restore",
        takes_families: true,
        command: rules::SaveArguments::command,
        run: rules::save,
    },
    Subcommand {
        name: "restore",
        about: "put the rules of a file into force",
        takes_families: true,
        command: rules::RestoreArguments::command,
        run: rules::restore,
    },
    Subcommand {
        name: "persist",
        about: "keep rules and lists across reboots",
        takes_families: false,
        command: persist::PersistArguments::command,
        run: persist::run,
    },
    Subcommand {
        name: "list",
        about: "work on recent lists",
        takes_families: false,
        command: lists::ListArguments::command,
        run: lists::run,
    },
    Subcommand {
        name: "protect",
        about: "keep floods of SYNs from servers",
        takes_families: false,
        command: protect::ProtectArguments::command,
        run: protect::run,
    },
    Subcommand {
        name: "ban",
        about: "drop all that comes from addresses",
        takes_families: false,
        command: ban::BanArguments::command,
        run: ban::ban,
    },
    Subcommand {
        name: "unban",
        about: "let banned addresses in again",
        takes_families: false,
        command: ban::UnbanArguments::command,
        run: ban::unban,
    },
    Subcommand {
        name: "limit",
        about: "keep out who opens too many connections",
        takes_families: false,
        command: limit::LimitArguments::command,
        run: limit::run,
    },
    Subcommand {
        name: "rates",
        about: "show whose rates rules limit",
        takes_families: false,
        command: rates::RatesArguments::command,
        run: rates::run,
    },
    Subcommand {
        name: "metrics",
        about: "print counters for Prometheus",
        takes_families: false,
        command: metrics::MetricsArguments::command,
        run: metrics::run,
    },
    Subcommand {
        name: "monitor",
        about: "print events as they happen",
        takes_families: false,
        command: monitor::MonitorArguments::command,
        run: monitor::run,
    },
    Subcommand {
        name: "top",
        about: "show live who comes and what rules do",
        takes_families: false,
        command: top::TopArguments::command,
        run: top::run,
    },
    Subcommand {
        name: "trace",
        about: "print what rules packets meet",
        takes_families: false,
        command: trace::TraceArguments::command,
        run: trace::run,
    },
];

/// The command that these words begin with, and what belongs to it.
pub(crate) fn find(words: &[String]) -> Option<(&'static Subcommand, Vec<String>)> {
    let at = words.iter().position(|word| !is_family(word))?;
    let (families, rest) = words.split_at(at);
    let (name, rest) = rest.split_first()?;
    let found = ALL.iter().find(|one| one.name == name)?;
    (found.takes_families || families.is_empty()).then(|| (found, [families, rest].concat()))
}

/// Whether a command may follow these words.
pub(crate) fn may_follow(words: &[String]) -> bool {
    words.iter().all(|word| is_family(word))
}

fn is_family(word: &str) -> bool {
    ["-4", "-6", "-46", "-64", "--ipv4", "--ipv6"].contains(&word)
}
