// SPDX-License-Identifier: GPL-2.0

//! Carrying out a command.

use super::{
    command::{Command, Display, Form, Invocation},
    print::{self, Chain, save_policy, save_rule},
    session::Session,
    wire::Change,
};
use crate::{error::Error, netlink::spec::ChangeKind};

pub(crate) fn execute(invocation: Invocation) -> Result<String, Error> {
    let Invocation {
        table,
        command,
        display,
    } = invocation;
    if let Command::Print(text) = command {
        return Ok(text);
    }
    let mut session = Session::open(table)?;
    match command {
        Command::Print(text) => return Ok(text),
        Command::Append { chain, rules } => {
            session.change_rules(ChangeKind::Append, &chain, None, &rules)?;
        }
        Command::Insert {
            chain,
            position,
            rules,
        } => session.change_rules(ChangeKind::Insert, &chain, Some(position), &rules)?,
        Command::Delete { chain, rules } => {
            session.change_rules(ChangeKind::Delete, &chain, None, &rules)?;
        }
        Command::DeletePosition { chain, position } => session.change(Change {
            position: Some(position),
            ..Change::new(ChangeKind::Delete, Some(&chain))
        })?,
        Command::Check { chain, rules } => session.check(&chain, &rules)?,
        Command::Flush { chain } => {
            session.change(Change::new(ChangeKind::Flush, chain.as_deref()))?;
        }
        Command::Policy { chain, policy } => session.change(Change {
            policy: Some(policy),
            ..Change::new(ChangeKind::Policy, Some(&chain))
        })?,
        Command::Zero { chain } => {
            session.change(Change::new(ChangeKind::Zero, chain.as_deref()))?;
        }
        Command::Show {
            form,
            chain,
            position,
            zero,
        } => {
            let chains = session.chains(chain.as_deref(), position, &display)?;
            if zero {
                session.change(Change::new(ChangeKind::Zero, chain.as_deref()))?;
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
            // As in iptables, one rule is shown without its chain's policy.
            let policies = chains.iter().filter(|_| position.is_none());
            let policies = policies.map(|chain| save_policy(chain, display.verbose));
            let rules = chains.iter().flat_map(|chain| {
                let rules = chain.rules.iter();
                rules.map(|(_, rule)| save_rule(&chain.name, rule, display.verbose))
            });
            policies.chain(rules).map(|line| line + "\n").collect()
        }
    }
}
