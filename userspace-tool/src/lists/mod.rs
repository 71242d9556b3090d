// SPDX-License-Identifier: GPL-2.0

//! Recent lists: `palisade list`.

mod arguments;
mod clock;
mod duration;
mod entries;
mod execute;
mod explain;
mod input;
mod key;
mod saved;
mod show;
#[cfg(test)]
mod tests;
mod wire;

use clap::Parser;

use crate::error::Error;

/// Run `list` with these arguments. Returns its output.
pub(crate) fn run(arguments: &[String]) -> Result<String, Error> {
    match arguments::ListArguments::try_parse_from(arguments) {
        Ok(arguments) => execute::execute(arguments.command),
        Err(error) => arguments::explain(&error),
    }
}
