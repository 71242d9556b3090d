// SPDX-License-Identifier: GPL-2.0

//! From the words of a command line to a command.

mod base;
pub(crate) mod chains;
mod complete;
mod describe;
mod expand;
mod find;
mod finish;
pub(crate) mod foreign;
pub(crate) mod getopt;
pub(crate) mod help;
pub(crate) mod options;
pub(crate) mod pasted;
mod specification;

use super::model::{
    command::{Display, Invocation},
    family::Family,
    names::Names,
    options::{ExtensionOption, Given},
};
use crate::{error::Error, netlink::spec::Table, text::quote};
pub(crate) use complete::candidates as complete;
use find::{Found, Owner};
use getopt::{Getopt, Token};
use options::Base;
use specification::Specification;

/// The option that says what to do, with the words that followed it.
#[derive(Debug)]
struct CommandOption {
    base: Base,
    spelled: String,
    chain: Option<String>,
    /// A position or a policy.
    second: Option<String>,
}

/// What has been read so far.
struct CommandLine<'a> {
    arguments: Getopt,
    names: &'a dyn Names,
    command: Option<CommandOption>,
    zero: Option<CommandOption>,
    table: Option<Table>,
    /// Whether this is a line of a file, which says elsewhere which table it is for.
    in_file: bool,
    specification: Specification,
    display: Display,
    /// The first option that says how to show rules, as it was written.
    display_option: Option<String>,
    help: bool,
    version: bool,
    /// A `!` that no option has taken yet.
    negation: bool,
}

/// Read a command line.
pub(crate) fn parse(arguments: Vec<String>, names: &dyn Names) -> Result<Invocation, Error> {
    CommandLine::new(arguments, names, None, false).run()
}

/// Read a line of a file, which is a command line without table; and for that family, if one is given.
pub(crate) fn parse_line(
    words: Vec<String>,
    names: &dyn Names,
    family: Option<Family>,
) -> Result<Invocation, Error> {
    CommandLine::new(words, names, family, true).run()
}

impl<'a> CommandLine<'a> {
    fn new(
        arguments: Vec<String>,
        names: &'a dyn Names,
        family: Option<Family>,
        in_file: bool,
    ) -> Self {
        Self {
            arguments: Getopt::new(arguments),
            names,
            command: None,
            zero: None,
            table: None,
            in_file,
            specification: Specification {
                family,
                ..Specification::default()
            },
            display: Display::default(),
            display_option: None,
            help: false,
            version: false,
            negation: false,
        }
    }

    fn run(mut self) -> Result<Invocation, Error> {
        while let Some(token) = self.arguments.token() {
            self.token(token)?;
        }
        self.finish()
    }
}

impl CommandLine<'_> {
    fn token(&mut self, token: Token) -> Result<(), Error> {
        match token {
            Token::Word(word) if word == "!" => {
                if std::mem::replace(&mut self.negation, true) {
                    return Err(Error::usage("! follows !: one is enough"));
                }
                Ok(())
            }
            Token::Word(word) => Err(self.misplaced(&word)),
            Token::Short(letter) => {
                let spelled = format!("-{letter}");
                let mut all = options::ALL.iter();
                match all.find(|option| option.short == Some(letter)) {
                    Some(option) => self.base_option(option, &spelled),
                    None => Err(Error::usage(format!(
                        "unknown option {spelled}: palisade --help shows the options"
                    ))),
                }
            }
            Token::Long(name) => {
                let spelled = format!("--{name}");
                match self.find(&name)? {
                    Found::Base(option) => self.base_option(option, &spelled),
                    Found::Extension(owner, option) => {
                        self.extension_option(owner, option, &spelled)
                    }
                }
            }
        }
    }

    /// A word that no option has taken; often it is a chain that comes too late.
    fn misplaced(&self, word: &str) -> Error {
        let command = self.command.as_ref().or(self.zero.as_ref());
        match command.filter(|command| command.chain.is_none()) {
            Some(CommandOption { spelled, .. }) => Error::usage(format!(
                "bad argument {}: a chain comes right after {spelled}",
                quote(word)
            )),
            None => bad_word(word),
        }
    }

    fn extension_option(
        &mut self,
        owner: Owner,
        option: &'static ExtensionOption,
        spelled: &str,
    ) -> Result<(), Error> {
        let mut inverted = self.take_negation(option.invertible, spelled)?;
        let count = option.value_count();
        let mut values = Vec::with_capacity(count);
        if count == 0 {
            self.no_value(spelled)?;
        } else if option.is_value_optional() {
            let value = self.arguments.surplus();
            values.push(
                value
                    .or_else(|| self.arguments.operand())
                    .unwrap_or_default(),
            );
        } else {
            values.push(self.value(spelled, option.invertible, &mut inverted)?);
        }
        while values.len() < count {
            values.push(
                self.arguments
                    .operand()
                    .ok_or_else(|| Error::usage(format!("{spelled} needs {count} values")))?,
            );
        }
        let given = Given {
            values: &values,
            inverted,
            names: self.names,
        };
        let loaded = match owner {
            Owner::Match(index) => self.specification.matches.get_mut(index),
            Owner::Target => self.specification.target.as_mut(),
        };
        let Some(loaded) = loaded else {
            return Err(bad_word(spelled));
        };
        loaded.option(option, &given).map_err(|reason| {
            let words: Vec<String> = values.iter().map(|value| quote(value)).collect();
            let words = [&[spelled.to_owned()], words.as_slice()].concat().join(" ");
            Error::usage(format!("{words}: {reason}"))
        })
    }

    /// Take the `!` that came before an option.
    fn take_negation(&mut self, negatable: bool, spelled: &str) -> Result<bool, Error> {
        let negation = std::mem::take(&mut self.negation);
        if negation && !negatable {
            return Err(Error::usage(format!(
                "! {spelled}: {spelled} cannot be inverted"
            )));
        }
        Ok(negation)
    }

    /// Take the value of an option; in the old form of iptables a `!` comes before it.
    fn value(
        &mut self,
        spelled: &str,
        negatable: bool,
        inverted: &mut bool,
    ) -> Result<String, Error> {
        let missing = || Error::usage(format!("{spelled} needs a value"));
        let value = self.arguments.value().ok_or_else(missing)?;
        if value != "!" || !negatable {
            return Ok(value);
        }
        if std::mem::replace(inverted, true) {
            return Err(Error::usage(format!("! {spelled} !: one ! is enough")));
        }
        self.arguments.value().ok_or_else(missing)
    }

    fn no_value(&mut self, spelled: &str) -> Result<(), Error> {
        match self.arguments.surplus() {
            Some(value) => Err(Error::usage(format!(
                "{spelled}={value}: {spelled} takes no value"
            ))),
            None => Ok(()),
        }
    }
}

fn bad_word(word: &str) -> Error {
    Error::usage(format!(
        "bad argument {}: it belongs to no option",
        quote(word)
    ))
}
