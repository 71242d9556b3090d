// SPDX-License-Identifier: GPL-2.0

//! What is said about arguments that a command does not take.

use clap::{Parser, error::ErrorKind};

use crate::error::Error;

/// Read what follows a command.
pub(crate) fn parse<T: Parser>(command: &str, words: Vec<String>) -> Result<T, clap::Error> {
    T::try_parse_from(std::iter::once(command.to_owned()).chain(words))
}

/// Print the help that was asked for, or say in one line what is wrong.
pub(crate) fn explain(error: &clap::Error, command: &str) -> Result<String, Error> {
    let text = error.render().to_string();
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    ) {
        return Ok(text);
    }
    // The message and its tips; the usage behind them is what --help shows.
    let mut message = String::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if line.starts_with("Usage:") || line.starts_with("For more information") {
            break;
        }
        let (line, separator) = match line.strip_prefix("tip: ") {
            Some(tip) => (tip, ": "),
            None => (line.trim_start_matches("error: "), " "),
        };
        if !message.is_empty() {
            message += separator;
        }
        message += line;
    }
    Err(Error::usage(format!(
        "{command}: {message}: see palisade {command} --help"
    )))
}
