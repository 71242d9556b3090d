// SPDX-License-Identifier: GPL-2.0

//! Runs commands.

pub(crate) mod explain;
pub(crate) mod session;

use super::{
    model::{
        chain::Chain,
        change::Change,
        command::{Command, Display, Form, Invocation},
    },
    print::{self, save_chain, save_rule},
};
use crate::{error::Error, netlink::spec::ChangeKind};
use session::Session;

/// Run a command. Returns its output.
pub(crate) fn execute(invocation: Invocation) -> Result<String, Error> {
    let Invocation {
        table,
        command,
        family,
        display,
    } = invocation;
    let open = || Session::open(Some(table));
    match command {
        Command::Print(text) => return Ok(text),
        Command::Change(edit) => open()?.change(&edit.changes(family))?,
        Command::Check { chain, rules } => open()?.check(&chain, &rules)?,
        Command::Show {
            form,
            chain,
            position,
            zero,
        } => {
            let mut session = open()?;
            let chains = session.chains(chain.as_deref(), position, display.family)?;
            if zero {
                session.change(&[Change {
                    position,
                    // A rule is shown by its number, whichever family it is for.
                    family: family.filter(|_| position.is_none()),
                    ..Change::new(ChangeKind::Zero, chain.as_deref())
                }])?;
            }
            return Ok(show(form, &chains, position, &display));
        }
    }
    Ok(String::new())
}

fn show(form: Form, chains: &[Chain], position: Option<u32>, display: &Display) -> String {
    if display.json {
        return format!("{:#}\n", print::json(chains));
    }
    match form {
        Form::Table => print::table(chains, display),
        Form::Rules => {
            // As in iptables, one rule is shown without its chain.
            let headings = chains.iter().filter(|_| position.is_none());
            let headings =
                headings.flat_map(|chain| save_chain(chain, display.verbose, display.family));
            let rules = chains.iter().flat_map(|chain| {
                let rules = chain.rules.iter();
                rules.map(|(_, rule)| save_rule(&chain.name, rule, display.verbose))
            });
            headings.chain(rules).map(|line| line + "\n").collect()
        }
    }
}
