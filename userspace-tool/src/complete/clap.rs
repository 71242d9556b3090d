// SPDX-License-Identifier: GPL-2.0

//! Completion of the commands that clap reads.

use std::ffi::OsStr;

use clap_complete::engine::{self, ArgValueCandidates, ArgValueCompleter, CompletionCandidate};

use super::{Candidate, FILES, Source};
use crate::{netlink::spec::Table, subcommands::Subcommand};

/// What may stand for the word `current` behind the words that follow a command.
pub(super) fn candidates(
    subcommand: &Subcommand,
    words: &[String],
    current: &str,
    source: &dyn Source,
) -> Vec<Candidate> {
    let mut command = with_values((subcommand.command)(), source);
    let program = subcommand.name.to_owned();
    let words = words.iter().cloned().chain([current.to_owned()]);
    let words: Vec<_> = [program].into_iter().chain(words).map(Into::into).collect();
    let last = words.len() - 1;
    let candidates = engine::complete(&mut command, words, last, None).unwrap_or_default();
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let word = candidate.get_value().to_str()?;
            let about = candidate.get_help().map(ToString::to_string);
            // The shell shows a line.
            let about = about.as_deref().and_then(|about| about.lines().next());
            Some(Candidate::new(word, about.unwrap_or_default()))
        })
        .collect()
}

/// The command, whose arguments know what their values can be.
fn with_values(command: clap::Command, source: &dyn Source) -> clap::Command {
    command
        .mut_subcommands(|subcommand| with_values(subcommand, source))
        .mut_args(|argument| {
            let names = argument.get_value_names().unwrap_or_default();
            let values: Vec<String> = match names.first().map(|name| name.as_str()) {
                Some("LIST") => source.lists(),
                Some("TABLE") => Table::ALL.map(|table| table.to_string()).into(),
                Some("INTERFACE") => source.interfaces(),
                Some("SETTING=VALUE") => {
                    let excepts = source.lists().into_iter();
                    ["size=", "hits=", "timeout="]
                        .map(str::to_owned)
                        .into_iter()
                        .chain(excepts.map(|name| format!("except={name}")))
                        .collect()
                }
                Some("ADDRESS") if argument.get_id() == "new" => vec!["for=".to_owned()],
                Some("FILE") => {
                    let files = |current: &OsStr| match current.as_encoded_bytes() {
                        [b'-', ..] => Vec::new(),
                        _ => vec![CompletionCandidate::new(FILES)],
                    };
                    return argument.add(ArgValueCompleter::new(files));
                }
                _ => return argument,
            };
            let candidates = move || values.iter().map(CompletionCandidate::new).collect();
            argument.add(ArgValueCandidates::new(candidates))
        })
}
