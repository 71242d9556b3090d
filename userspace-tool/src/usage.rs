// SPDX-License-Identifier: GPL-2.0

//! Arguments that clap reads, and its messages in one line.

use clap::{Parser, error::ErrorKind};

use crate::error::Error;

/// Parse the words that follow a command.
pub(crate) fn parse<T: Parser>(command: &str, words: Vec<String>) -> Result<T, clap::Error> {
    T::try_parse_from(std::iter::once(command.to_owned()).chain(words))
}

/// The help if it was asked for, else an error of one line.
pub(crate) fn explain(error: &clap::Error, command: &str) -> Result<String, Error> {
    let text = error.render().to_string();
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    ) {
        return Ok(text);
    }
    // Keep the message and its tips, and drop the usage that follows.
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
