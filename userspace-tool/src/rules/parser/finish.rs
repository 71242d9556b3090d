// SPDX-License-Identifier: GPL-2.0

//! Whether the options of a command line make sense together, and what they make.

use super::{CommandOption, Parser, chains, expand, help, options::Base};
use crate::{
    error::Error,
    netlink::spec::{Table, Verdict},
    rules::model::{
        command::{Command, Form, Invocation},
        extension::RuleContext,
        rule::{Counters, Rule},
    },
    text::quote,
};

impl Parser<'_> {
    pub(super) fn finish(mut self) -> Result<Invocation, Error> {
        if self.negation {
            return Err(Error::usage(
                "! stands at the end: write it before an option",
            ));
        }
        let table = self.table.unwrap_or(Table::Filter);
        let family = self.specification.family;
        let print = self.print();
        let command = match print {
            Some(text) => Command::Print(text),
            None => self.command()?,
        };
        Ok(Invocation {
            table,
            command,
            family,
            display: self.display,
        })
    }

    /// What --help and --version print.
    fn print(&self) -> Option<String> {
        if self.version {
            return Some(format!("palisade {}\n", env!("CARGO_PKG_VERSION")));
        }
        let specification = &self.specification;
        let extensions = specification.matches.iter().chain(&specification.target);
        self.help
            .then(|| help::text(extensions.map(|loaded| loaded.kind)))
    }

    fn command(&mut self) -> Result<Command, Error> {
        let zero = self.zero.take();
        let command = match (self.command.take(), &zero) {
            (Some(command), _) => command,
            (None, Some(_)) => return self.zero(zero),
            (None, None) => {
                return Err(Error::usage(
                    "no command given: palisade --help shows the commands",
                ));
            }
        };
        let shows = matches!(command.base, Base::List | Base::ListRules);
        if let Some(zero) = zero.as_ref().filter(|zero| !shows || zero.chain.is_some()) {
            return Err(Error::usage(format!(
                "{} and {}: one command at a time",
                command.spelled, zero.spelled
            )));
        }
        match command.base {
            Base::Append | Base::Insert | Base::Replace | Base::Delete | Base::Check => {
                self.rule_command(command)
            }
            Base::Policy => {
                self.only_for(&command, false)?;
                policy(command, self.specification.counters)
            }
            Base::NewChain => {
                self.only_for(&command, false)?;
                let chain = command.chain.unwrap_or_default();
                Ok(Command::NewChain { chain })
            }
            Base::DeleteChain => {
                self.only_for(&command, false)?;
                let chain = command.chain;
                Ok(Command::DeleteChain { chain })
            }
            Base::RenameChain => {
                self.only_for(&command, false)?;
                rename(command)
            }
            Base::Flush => {
                self.only_for(&command, false)?;
                Ok(Command::Flush {
                    chain: command.chain,
                })
            }
            _ => self.show(command, zero.is_some()),
        }
    }

    fn zero(&self, zero: Option<CommandOption>) -> Result<Command, Error> {
        if let Some(zero) = &zero {
            self.only_for(zero, false)?;
        }
        let number = zero
            .as_ref()
            .and_then(|zero| Some(position(zero.second.as_deref()?, zero)));
        Ok(Command::Zero {
            position: number.transpose()?,
            chain: zero.and_then(|zero| zero.chain),
        })
    }

    /// Refuse options that the command, which takes no rule, has no use for.
    fn only_for(&self, command: &CommandOption, shows: bool) -> Result<(), Error> {
        let spelled = &command.spelled;
        if let Some(option) = self.specification.rule_option() {
            return Err(Error::usage(format!(
                "{option} does not go with {spelled}: it describes a rule"
            )));
        }
        // -S -v prints the counters of a policy in this way too.
        if self.specification.counters.is_some() && command.base != Base::Policy {
            return Err(Error::usage(format!("-c does not go with {spelled}")));
        }
        if shows {
            return Ok(());
        }
        if let Some(option) = &self.display_option {
            return Err(Error::usage(format!(
                "{option} does not go with {spelled}: it says how to show rules"
            )));
        }
        Ok(())
    }

    fn show(&mut self, command: CommandOption, zero: bool) -> Result<Command, Error> {
        self.only_for(&command, true)?;
        self.display.family = self.specification.family;
        let form = match command.base {
            Base::List => Form::Table,
            _ => Form::Rules,
        };
        let position = command
            .second
            .as_deref()
            .map(|text| position(text, &command));
        Ok(Command::Show {
            form,
            position: position.transpose()?,
            chain: command.chain,
            zero,
        })
    }

    fn rule_command(&mut self, command: CommandOption) -> Result<Command, Error> {
        if let Some(option) = &self.display_option {
            return Err(Error::usage(format!(
                "{option} does not go with {}: it says how to show rules",
                command.spelled
            )));
        }
        let number = command
            .second
            .as_deref()
            .map(|text| position(text, &command));
        let number = number.transpose()?;
        if let (Base::Delete, Some(position)) = (command.base, number) {
            if let Some(option) = self.specification.rule_option() {
                return Err(Error::usage(format!(
                    "{option} does not go with {} and a number: the number says which rule",
                    command.spelled
                )));
            }
            let chain = command.chain.unwrap_or_default();
            return Ok(Command::DeletePosition { chain, position });
        }
        let rules = self.rules()?;
        if command.base == Base::Replace {
            return replace(command, number, rules);
        }
        let chain = command.chain.unwrap_or_default();
        Ok(match command.base {
            Base::Append => Command::Append { chain, rules },
            Base::Insert => Command::Insert {
                chain,
                position: number.unwrap_or(1),
                rules,
            },
            Base::Delete => Command::Delete { chain, rules },
            _ => Command::Check { chain, rules },
        })
    }

    /// The rules that the command line describes.
    fn rules(&mut self) -> Result<Vec<Rule>, Error> {
        let mut specification = std::mem::take(&mut self.specification);
        let rule = RuleContext {
            protocol: specification.protocol,
            names: self.names,
        };
        for (option, loaded) in specification.loaded_mut() {
            loaded.check(&rule).map_err(|reason| {
                Error::usage(format!("{option} {}: {reason}", loaded.kind.name))
            })?;
        }
        // What every packet fulfils is no part of a rule.
        specification
            .protocol
            .take_if(|protocol| protocol.value == 0);
        for interface in [
            &mut specification.in_interface,
            &mut specification.out_interface,
        ] {
            interface.take_if(|interface| interface.value == "+" && !interface.inverted);
        }
        expand::expand(specification, self.names)
    }
}

fn rename(command: CommandOption) -> Result<Command, Error> {
    let (spelled, chain) = (command.spelled, command.chain.unwrap_or_default());
    let new_name = command
        .second
        .ok_or_else(|| Error::usage(format!("{spelled} {chain}: the new name is missing")))?;
    chains::check_new(&new_name).map_err(|reason| {
        Error::usage(format!("{spelled} {chain} {}: {reason}", quote(&new_name)))
    })?;
    Ok(Command::RenameChain { chain, new_name })
}

fn replace(
    command: CommandOption,
    position: Option<u32>,
    rules: Vec<Rule>,
) -> Result<Command, Error> {
    let (spelled, chain) = (command.spelled, command.chain.unwrap_or_default());
    let Some(position) = position else {
        return Err(Error::usage(format!(
            "{spelled} {chain}: the position of the rule to replace is missing"
        )));
    };
    let count = rules.len();
    let mut rules = rules.into_iter();
    match (rules.next(), rules.next()) {
        (Some(rule), None) => Ok(Command::Replace {
            chain,
            position,
            rule,
        }),
        _ => Err(Error::usage(format!(
            "{spelled} {chain} {position}: a list of addresses makes {count} rules, and one rule \
             can be replaced by one"
        ))),
    }
}

fn policy(command: CommandOption, counters: Option<Counters>) -> Result<Command, Error> {
    let chain = command.chain.unwrap_or_default();
    let policy = match command.second.as_deref() {
        Some("ACCEPT") => Verdict::Accept,
        Some("DROP") => Verdict::Drop,
        Some(other) => {
            return Err(Error::usage(format!(
                "{} {chain} {other}: a policy is ACCEPT or DROP",
                command.spelled
            )));
        }
        None => {
            return Err(Error::usage(format!(
                "{} {chain}: the policy is missing: ACCEPT or DROP",
                command.spelled
            )));
        }
    };
    Ok(Command::Policy {
        chain,
        policy,
        counters,
    })
}

fn position(text: &str, command: &CommandOption) -> Result<u32, Error> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(number) if digits && number > 0 => Ok(number),
        _ => Err(Error::usage(format!(
            "{} {} {text}: the position of a rule is a number from 1 up",
            command.spelled,
            command.chain.as_deref().unwrap_or_default()
        ))),
    }
}
