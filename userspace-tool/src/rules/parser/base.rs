// SPDX-License-Identifier: GPL-2.0

//! The options that need no match or target: commands, and how to show rules.

use super::{
    CommandLine, CommandOption, chains,
    options::{Base, BaseOption, HasArg},
};
use crate::{
    error::Error,
    fields::Negatable,
    rules::model::{chain, family::Family},
    text::{is_number, quote},
};

impl CommandLine<'_> {
    pub(super) fn base_option(&mut self, option: &BaseOption, spelled: &str) -> Result<(), Error> {
        let mut inverted = self.take_negation(option.invertible, spelled)?;
        let value = match option.value {
            HasArg::None => {
                self.no_value(spelled)?;
                String::new()
            }
            HasArg::Required => self.value(spelled, option.invertible, &mut inverted)?,
            // The commands below read it.
            HasArg::Optional => String::new(),
        };
        match option.base {
            Base::Append | Base::Check => self.set_command(option.base, spelled, value, None),
            Base::NewChain => {
                chains::check_new(&value).map_err(|reason| {
                    Error::usage(format!("{spelled} {}: {reason}", quote(&value)))
                })?;
                self.set_command(option.base, spelled, value, None)
            }
            Base::Insert | Base::Replace | Base::Delete | Base::RenameChain | Base::Policy => {
                let second = self.arguments.operand();
                self.set_command(option.base, spelled, value, second)
            }
            Base::Flush | Base::DeleteChain => {
                let chain = self.optional_value();
                self.set_command(option.base, spelled, chain, None)
            }
            Base::List | Base::ListRules => {
                let chain = self.optional_value();
                let position = chain.as_ref().and_then(|_| self.arguments.operand());
                self.set_command(option.base, spelled, chain, position)
            }
            Base::Zero => self.set_zero(spelled),
            Base::Table if self.in_file => Err(Error::usage(format!(
                "{spelled} {}: in a file the table is that of the line with * above",
                quote(&value)
            ))),
            Base::Table => {
                let table = chain::parse_table(&value).map_err(|reason| {
                    Error::usage(format!("{spelled} {}: {reason}", quote(&value)))
                })?;
                set_once(&mut self.table, table, spelled)
            }
            Base::Protocol
            | Base::Source
            | Base::Destination
            | Base::InInterface
            | Base::OutInterface
            | Base::Match
            | Base::Jump
            | Base::Goto
            | Base::Counters => self.describe(option.base, spelled, Negatable { inverted, value }),
            // There is no lock to wait for: the kernel applies one change after the other.
            Base::Wait => self.ignore_wait(spelled),
            Base::Fragment => set_once(&mut self.specification.fragment, !inverted, spelled),
            switch => self.switch(switch, spelled),
        }
    }

    /// An option that is either given or not.
    fn switch(&mut self, base: Base, spelled: &str) -> Result<(), Error> {
        match base {
            Base::Ipv4 => self.set_family(Family::Ipv4)?,
            Base::Ipv6 => self.set_family(Family::Ipv6)?,
            Base::Help => self.help = true,
            Base::Version => self.version = true,
            Base::Verbose => self.display.verbose = true,
            Base::Exact => self.display.exact = true,
            Base::LineNumbers => self.display.line_numbers = true,
            Base::Json => self.display.json = true,
            // Base::Numeric: addresses and ports are always shown as numbers.
            _ => {}
        }
        if matches!(
            base,
            Base::Numeric | Base::Exact | Base::LineNumbers | Base::Json
        ) {
            self.display_option
                .get_or_insert_with(|| spelled.to_owned());
        }
        Ok(())
    }

    fn optional_value(&mut self) -> Option<String> {
        self.arguments
            .attached()
            .or_else(|| self.arguments.operand())
    }

    fn set_command(
        &mut self,
        base: Base,
        spelled: &str,
        chain: impl Into<Option<String>>,
        second: Option<String>,
    ) -> Result<(), Error> {
        let chain = chain.into();
        if let Some(chain) = &chain {
            check_chain(chain, spelled)?;
        }
        if let Some(earlier) = &self.command {
            return Err(Error::usage(format!(
                "{} and {spelled}: one command at a time",
                earlier.spelled
            )));
        }
        self.command = Some(CommandOption {
            base,
            spelled: spelled.to_owned(),
            chain,
            second,
        });
        Ok(())
    }

    /// -Z is a command by itself, and may also accompany -L and -S.
    fn set_zero(&mut self, spelled: &str) -> Result<(), Error> {
        let chain = self.optional_value();
        if let Some(chain) = &chain {
            check_chain(chain, spelled)?;
        }
        let position = chain.as_ref().and_then(|_| self.arguments.operand());
        let zero = CommandOption {
            base: Base::Zero,
            spelled: spelled.to_owned(),
            chain,
            second: position,
        };
        set_once(&mut self.zero, zero, spelled)
    }

    fn set_family(&mut self, family: Family) -> Result<(), Error> {
        let earlier = self.specification.family.replace(family);
        if earlier.is_some_and(|earlier| earlier != family) {
            return Err(Error::usage(
                "-4 and -6: give one, or neither for both IPv4 and IPv6",
            ));
        }
        Ok(())
    }

    fn ignore_wait(&mut self, spelled: &str) -> Result<(), Error> {
        let attached = self.arguments.attached();
        let seconds = attached.or_else(|| self.arguments.operand_if(is_number));
        match seconds {
            Some(text) if !is_number(&text) => Err(Error::usage(format!(
                "{spelled} {text}: the time to wait is a number of seconds"
            ))),
            _ => Ok(()),
        }
    }
}

/// Store what an option gives; refuse a second one.
pub(super) fn set_once<T>(slot: &mut Option<T>, value: T, spelled: &str) -> Result<(), Error> {
    if slot.replace(value).is_some() {
        return Err(Error::usage(format!("{spelled} is given twice")));
    }
    Ok(())
}

fn check_chain(name: &str, spelled: &str) -> Result<(), Error> {
    chain::check(name)
        .map_err(|reason| Error::usage(format!("{spelled} {}: {reason}", quote(name))))
}
