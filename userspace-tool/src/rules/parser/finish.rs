// SPDX-License-Identifier: GPL-2.0

//! Checks the options of a command line together, and makes the command of them.

use super::{CommandLine, CommandOption, chains, expand, help, options::Base};
use crate::{
    error::Error,
    netlink::{
        RELEASE,
        spec::{ChangeKind, Table, Verdict},
    },
    rules::model::{
        command::{Command, Edit, Form, Invocation},
        extension::RuleContext,
        rule::Rule,
    },
    text::{number, quote},
};

impl CommandLine<'_> {
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
            return Some(format!("palisade {}\n", RELEASE));
        }
        let specification = &self.specification;
        let extensions = specification.matches.iter().chain(&specification.target);
        self.help
            .then(|| help::text(extensions.map(|loaded| loaded.kind)))
    }

    fn command(&mut self) -> Result<Command, Error> {
        let zero = self.zero.take();
        let Some(command) = self.command.take() else {
            let none = || Error::usage("no command given: palisade --help shows the commands");
            let zero = zero.ok_or_else(none)?;
            self.only_for(&zero, false)?;
            return Ok(Command::Change(Edit {
                position: zero.position()?,
                ..zero.edit(ChangeKind::Zero)
            }));
        };
        let shows = matches!(command.base, Base::List | Base::ListRules);
        if let Some(zero) = zero.as_ref().filter(|zero| !shows || zero.chain.is_some()) {
            return Err(Error::usage(format!(
                "{} and {}: one command at a time",
                command.spelled, zero.spelled
            )));
        }
        let edit = match command.base {
            Base::Check => {
                let (chain, rules) = (command.chain.clone(), self.rules_for(&command)?);
                let chain = chain.unwrap_or_default();
                return Ok(Command::Check { chain, rules });
            }
            Base::Append => Edit {
                rules: self.rules_for(&command)?,
                ..command.edit(ChangeKind::Append)
            },
            Base::Insert => Edit {
                position: command.position()?.or(Some(1)),
                rules: self.rules_for(&command)?,
                ..command.edit(ChangeKind::Insert)
            },
            Base::Replace => self.replace(command)?,
            Base::Delete => self.delete(command)?,
            Base::Policy => {
                self.only_for(&command, false)?;
                Edit {
                    policy: Some(command.policy()?),
                    counters: self.specification.counters,
                    ..command.edit(ChangeKind::Policy)
                }
            }
            Base::RenameChain => {
                self.only_for(&command, false)?;
                Edit {
                    new_name: Some(command.new_name()?),
                    ..command.edit(ChangeKind::RenameChain)
                }
            }
            Base::NewChain | Base::DeleteChain | Base::Flush => {
                self.only_for(&command, false)?;
                command.edit(match command.base {
                    Base::NewChain => ChangeKind::NewChain,
                    Base::DeleteChain => ChangeKind::DeleteChain,
                    _ => ChangeKind::Flush,
                })
            }
            _ => return self.show(&command, zero.is_some()),
        };
        Ok(Command::Change(edit))
    }

    /// Refuse the options of rules, for a command that takes no rule.
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
        self.without_display_option(command)
    }

    fn without_display_option(&self, command: &CommandOption) -> Result<(), Error> {
        match &self.display_option {
            Some(option) => Err(Error::usage(format!(
                "{option} does not go with {}: it says how to show rules",
                command.spelled
            ))),
            None => Ok(()),
        }
    }

    fn show(&mut self, command: &CommandOption, zero: bool) -> Result<Command, Error> {
        self.only_for(command, true)?;
        self.display.family = self.specification.family;
        Ok(Command::Show {
            form: match command.base {
                Base::List => Form::Table,
                _ => Form::Rules,
            },
            position: command.position()?,
            chain: command.chain.clone(),
            zero,
        })
    }

    fn replace(&mut self, command: CommandOption) -> Result<Edit, Error> {
        let position = command.position()?;
        let rules = self.rules_for(&command)?;
        let missing = || command.error("the position of the rule to replace is missing");
        let number = position.ok_or_else(missing)?;
        match rules.len() {
            1 => Ok(Edit {
                position,
                rules,
                ..command.edit(ChangeKind::Replace)
            }),
            count => {
                let reason = format!(
                    "a list of addresses makes {count} rules, and one rule can be replaced by one"
                );
                Err(command.error_at(&number.to_string(), &reason))
            }
        }
    }

    fn delete(&mut self, command: CommandOption) -> Result<Edit, Error> {
        let position = command.position()?;
        let option = self.specification.rule_option();
        let rules = match option.filter(|_| position.is_some()) {
            Some(option) => {
                return Err(Error::usage(format!(
                    "{option} does not go with {} and a number: the number says which rule",
                    command.spelled
                )));
            }
            None if position.is_some() => {
                self.without_display_option(&command)?;
                Vec::new()
            }
            None => self.rules_for(&command)?,
        };
        Ok(Edit {
            position,
            rules,
            ..command.edit(ChangeKind::Delete)
        })
    }

    /// The rules that a command is about.
    fn rules_for(&mut self, command: &CommandOption) -> Result<Vec<Rule>, Error> {
        self.without_display_option(command)?;
        self.rules()
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
        // A condition that every packet fulfils is dropped.
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

impl CommandOption {
    fn chain(&self) -> &str {
        self.chain.as_deref().unwrap_or_default()
    }

    /// A change of the chain that it names.
    fn edit(&self, kind: ChangeKind) -> Edit {
        Edit::new(kind, self.chain.clone())
    }

    fn error(&self, reason: &str) -> Error {
        Error::usage(format!("{} {}: {reason}", self.spelled, self.chain()))
    }

    /// As [`Self::error`], about what follows the chain.
    fn error_at(&self, second: &str, reason: &str) -> Error {
        let (spelled, chain) = (&self.spelled, self.chain());
        Error::usage(format!("{spelled} {chain} {second}: {reason}"))
    }

    /// The position that follows the chain, if there is one.
    fn position(&self) -> Result<Option<u32>, Error> {
        let Some(text) = &self.second else {
            return Ok(None);
        };
        let number = number(text).filter(|number| *number > 0);
        let wrong = || self.error_at(text, "the position of a rule is a number from 1 up");
        number.ok_or_else(wrong).map(Some)
    }

    fn policy(&self) -> Result<Verdict, Error> {
        match self.second.as_deref() {
            Some("ACCEPT") => Ok(Verdict::Accept),
            Some("DROP") => Ok(Verdict::Drop),
            Some(other) => Err(self.error_at(other, "a policy is ACCEPT or DROP")),
            None => Err(self.error("the policy is missing: ACCEPT or DROP")),
        }
    }

    fn new_name(&self) -> Result<String, Error> {
        let missing = || self.error("the new name is missing");
        let name = self.second.clone().ok_or_else(missing)?;
        chains::check_new(&name).map_err(|reason| self.error_at(&quote(&name), &reason))?;
        Ok(name)
    }
}
