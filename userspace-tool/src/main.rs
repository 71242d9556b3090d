// SPDX-License-Identifier: GPL-2.0

//! `palisade` configures the Palisade firewall module.

#![forbid(unsafe_code)]

mod error;
mod fields;
mod lists;
mod netlink;
mod output;
mod protect;
mod rules;
mod text;
mod usage;

use std::process::ExitCode;

use error::Error;

fn main() -> ExitCode {
    let Err(error) = run() else {
        return ExitCode::SUCCESS;
    };
    // Standard error may be closed; there is nobody left to tell.
    let _ = std::io::Write::write_fmt(
        &mut std::io::stderr(),
        format_args!("palisade: {}\n", text::printable(&error.to_string())),
    );
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
    let output = match arguments.first().map(String::as_str) {
        Some("list") => lists::run(&arguments)?,
        Some("protect") => protect::run(&arguments)?,
        _ => match of_families(&arguments) {
            Some(("save", rest)) => rules::save(rest)?,
            Some(("restore", rest)) => rules::restore(rest)?,
            _ => rules::run(arguments)?,
        },
    };
    output::write(&output)
}

/// A command whose IP versions may stand before it as well, and what belongs to it.
fn of_families(arguments: &[String]) -> Option<(&str, Vec<String>)> {
    let is_family = |word: &str| ["-4", "-6", "-46", "-64", "--ipv4", "--ipv6"].contains(&word);
    let at = arguments.iter().position(|word| !is_family(word))?;
    let (families, rest) = arguments.split_at(at);
    let (command, rest) = rest.split_first()?;
    Some((command, [families, rest].concat()))
}
