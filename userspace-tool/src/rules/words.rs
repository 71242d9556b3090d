// SPDX-License-Identifier: GPL-2.0

//! The options of `palisade save` and `palisade restore`, read as getopt_long reads them.

use super::parser::arguments::{Arguments, Named, Token, by_name};
use crate::{
    error::{Error, closest},
    text::quote,
};

/// An option of such a command.
#[derive(Debug)]
pub(super) struct Plain<T> {
    pub(super) option: T,
    pub(super) short: char,
    pub(super) name: &'static str,
    pub(super) has_value: bool,
}

pub(super) const fn plain<T>(
    option: T,
    short: char,
    name: &'static str,
    has_value: bool,
) -> Plain<T> {
    Plain {
        option,
        short,
        name,
        has_value,
    }
}

/// What was found on the command line.
pub(super) enum Found<T> {
    /// An option with its value, which is empty where it has none.
    Option(T, String),
    Word(String),
}

/// Hand everything that follows `command` to `take`.
pub(super) fn read<T: Copy + PartialEq>(
    command: &str,
    words: Vec<String>,
    options: &'static [Plain<T>],
    mut take: impl FnMut(Found<T>, &mut Arguments) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut arguments = Arguments::new(words);
    while let Some(token) = arguments.token() {
        let (spelled, option) = match token {
            Token::Word(word) => {
                take(Found::Word(word), &mut arguments)?;
                continue;
            }
            Token::Short(letter) => {
                let mut all = options.iter();
                (
                    format!("-{letter}"),
                    all.find(|option| option.short == letter),
                )
            }
            Token::Long(name) => {
                let names = options.iter().map(|option| (option.name, option.option));
                let option = match by_name(&name, names) {
                    Named::One(found) => options.iter().find(|option| option.option == found),
                    Named::Ambiguous(names) => {
                        return Err(Error::usage(format!(
                            "{command}: --{name} is ambiguous: it may be --{}",
                            names.join(", --")
                        )));
                    }
                    Named::None => None,
                };
                (format!("--{name}"), option)
            }
        };
        let Some(option) = option else {
            return Err(unknown(command, &spelled, options));
        };
        let mut value = String::new();
        if option.has_value {
            value = arguments
                .value()
                .ok_or_else(|| Error::usage(format!("{command}: {spelled} needs a value")))?;
        } else if let Some(surplus) = arguments.surplus() {
            return Err(Error::usage(format!(
                "{command}: {spelled}={surplus}: {spelled} takes no value"
            )));
        }
        take(Found::Option(option.option, value), &mut arguments)?;
    }
    Ok(())
}

fn unknown<T>(command: &str, spelled: &str, options: &'static [Plain<T>]) -> Error {
    let name = spelled.trim_start_matches('-');
    let hint = match closest(name, options.iter().map(|option| option.name)) {
        Some(similar) => format!("did you mean --{similar}?"),
        None => format!("palisade {command} --help shows the options"),
    };
    Error::usage(format!("{command}: unknown option {spelled}: {hint}"))
}

/// A word that belongs to no option.
pub(super) fn surplus_word(command: &str, word: &str) -> Error {
    Error::usage(format!(
        "{command}: bad argument {}: palisade {command} --help shows what it takes",
        quote(word)
    ))
}
