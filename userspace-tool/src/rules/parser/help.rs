// SPDX-License-Identifier: GPL-2.0

//! What `palisade --help` prints.

use super::options::{self, BaseOption, Section};
use crate::{
    rules::{matches, model::extension::ExtensionType, targets},
    subcommands::{self, Subcommand},
    text::wrap,
};

/// Where the description of a command starts, and that of another option.
const COMMAND_WIDTH: usize = 51;
const OPTION_WIDTH: usize = 33;

/// How long lines are at most.
const WIDTH: usize = 100;

/// The overview, and the options of the matches and targets that were given.
pub(crate) fn text<'a>(extensions: impl Iterator<Item = &'a ExtensionType>) -> String {
    let mut text = overview();
    for extension in extensions {
        text += &format!(
            "\n{}: {}\n{}",
            extension.name,
            extension.about,
            extension.help()
        );
    }
    text
}

fn overview() -> String {
    let mut text = "\
palisade: rules and recent lists of the Palisade firewall, in iptables' grammar

Usage:
"
    .to_owned();
    for option in section(Section::Command) {
        let short = option.short.unwrap_or_default();
        let usage = format!("  palisade [-t TABLE] -{short} {}", option.values);
        text += &row(&usage, COMMAND_WIDTH, option.help);
    }
    for Subcommand { name, about, .. } in subcommands::ALL {
        text += &row(&format!("  palisade {name} --help"), COMMAND_WIDTH, about);
    }
    text += &options(Section::General, "Options");
    text += &options(Section::Rule, "Rules; a ! before an option inverts it");
    text += &options(Section::Display, "Showing rules");
    text += &extensions(
        "Matches; palisade -m MATCH --help shows the options of one",
        matches::ALL,
    );
    text += &extensions(
        "Targets; palisade -j TARGET --help shows the options of one",
        targets::ALL,
    );
    text + "\nExit status: 0 success, 1 failure, 2 wrong usage.\nManual: palisade(8), palisade-rules(7)\n"
}

pub(crate) fn section(section: Section) -> impl Iterator<Item = &'static BaseOption> {
    options::ALL
        .iter()
        .filter(move |option| option.section == section)
}

fn options(of: Section, heading: &str) -> String {
    let mut text = format!("\n{heading}:\n");
    for option in section(of) {
        let mark = if option.invertible { "[!]" } else { "   " };
        // Long names stand below each other.
        let short = if option.short.is_none() { "    " } else { "" };
        let spellings: Vec<String> = option.spellings().collect();
        let usage = format!("{mark} {short}{} {}", spellings.join(", "), option.values);
        text += &row(&usage, OPTION_WIDTH, option.help);
    }
    text
}

fn extensions(heading: &str, kinds: &[&ExtensionType]) -> String {
    let rows = kinds
        .iter()
        .map(|kind| row(&format!("    {}", kind.name), OPTION_WIDTH, kind.about));
    format!("\n{heading}:\n{}", rows.collect::<String>())
}

/// A description behind what it is of, or below it where there is no room.
fn row(usage: &str, width: usize, help: &str) -> String {
    let usage = usage.trim_end();
    let indented = format!("\n{:width$}", "");
    let help = wrap(help, WIDTH - width).replace('\n', &indented);
    if usage.len() < width {
        format!("{usage:width$}{help}\n")
    } else {
        format!("{usage}{indented}{help}\n")
    }
}
