// SPDX-License-Identifier: GPL-2.0

//! `palisade` configures the Palisade firewall module.

#![forbid(unsafe_code)]

mod ban;
mod complete;
#[cfg(feature = "documents")]
mod documents;
mod error;
mod fields;
mod follow;
mod limit;
mod lists;
mod metrics;
mod monitor;
mod netlink;
mod output;
mod persist;
mod progress;
mod protect;
mod rates;
mod replace;
mod rules;
mod subcommands;
#[cfg(test)]
mod testing;
mod text;
mod top;
mod trace;
mod usage;

use std::process::ExitCode;

use error::Error;

fn main() -> ExitCode {
    let Err(error) = run() else {
        return ExitCode::SUCCESS;
    };
    output::error(&error.to_string());
    ExitCode::from(error.exit_status())
}

fn run() -> Result<(), Error> {
    let arguments = std::env::args_os()
        .skip(1)
        .enumerate()
        .map(|(index, argument)| {
            argument
                .into_string()
                .map_err(|_| Error::usage(format!("argument {} is not UTF-8 text", index + 1)))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let output = match subcommands::find(&arguments) {
        Some((subcommand, rest)) => (subcommand.run)(rest)?,
        None if arguments.first().is_some_and(|word| word == "complete") => {
            complete::run(&arguments)
        }
        #[cfg(feature = "documents")]
        None if arguments.first().is_some_and(|word| word == "documents") => {
            documents::run(&arguments)?
        }
        None => rules::run(arguments)?,
    };
    output::write(&output)
}
