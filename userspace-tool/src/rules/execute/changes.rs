// SPDX-License-Identifier: GPL-2.0

//! From a command to the changes that it asks the kernel for.

use crate::{
    netlink::spec::ChangeKind,
    rules::model::{change::Change, command::Command, rule::Family},
};

/// What a command changes, for one family if that is given and the rules do not say it; nothing if it only shows
/// something.
pub(crate) fn changes(command: &Command, family: Option<Family>) -> Option<Vec<Change<'_>>> {
    let mut changes = for_both(command)?;
    let has_family = match command {
        Command::Flush { .. }
        | Command::NewChain { .. }
        | Command::DeleteChain { .. }
        | Command::Policy { .. }
        | Command::Zero { .. }
        | Command::DeletePosition { .. } => true,
        // Both share the name of a chain.
        _ => false,
    };
    for change in &mut changes {
        change.family = family.filter(|_| has_family);
    }
    Some(changes)
}

fn for_both(command: &Command) -> Option<Vec<Change<'_>>> {
    let one = |kind, chain| Change::new(kind, Some(chain));
    Some(match command {
        Command::Append { chain, rules } => {
            let change = one(ChangeKind::Append, chain.as_str());
            rules.iter().map(|rule| change.with(rule)).collect()
        }
        Command::Insert {
            chain,
            position,
            rules,
        } => {
            let change = Change {
                position: Some(*position),
                ..one(ChangeKind::Insert, chain.as_str())
            };
            rules.iter().map(|rule| change.with(rule)).collect()
        }
        Command::Replace {
            chain,
            position,
            rule,
        } => vec![Change {
            position: Some(*position),
            rule: Some(rule),
            ..one(ChangeKind::Replace, chain)
        }],
        Command::Delete { chain, rules } => {
            let change = one(ChangeKind::Delete, chain.as_str());
            rules.iter().map(|rule| change.with(rule)).collect()
        }
        Command::DeletePosition { chain, position } => vec![Change {
            position: Some(*position),
            ..one(ChangeKind::Delete, chain)
        }],
        Command::Flush { chain } => vec![Change::new(ChangeKind::Flush, chain.as_deref())],
        Command::NewChain { chain } => vec![one(ChangeKind::NewChain, chain)],
        Command::DeleteChain { chain } => {
            vec![Change::new(ChangeKind::DeleteChain, chain.as_deref())]
        }
        Command::RenameChain { chain, new_name } => vec![Change {
            new_name: Some(new_name),
            ..one(ChangeKind::RenameChain, chain)
        }],
        Command::Policy {
            chain,
            policy,
            counters,
        } => vec![Change {
            policy: Some(*policy),
            counters: *counters,
            ..one(ChangeKind::Policy, chain)
        }],
        Command::Zero { chain, position } => vec![Change {
            position: *position,
            ..Change::new(ChangeKind::Zero, chain.as_deref())
        }],
        Command::Check { .. } | Command::Show { .. } | Command::Print(_) => return None,
    })
}
