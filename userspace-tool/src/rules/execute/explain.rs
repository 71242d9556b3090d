// SPDX-License-Identifier: GPL-2.0

//! Adds to the errors of the kernel what the CLI knows.

use nix::errno::Errno;

use crate::{
    error::{Error, closest},
    netlink::{
        ExtAckError,
        spec::{ChangeKind, Table},
    },
    rules::{
        model::{
            chain::{self, Chain},
            change::Change,
        },
        parser::foreign::{self, KEEP},
        targets,
        wire::{chain_label, target_label},
    },
    text::quote,
};

/// The message of iptables for a rule that does not exist.
pub(crate) const NO_SUCH_RULE: &str = "bad rule (does a matching rule exist in that chain?)";

/// Maximum number of names in a message.
const NAMES_MAX: usize = 12;

/// The error for a change that the kernel refused. The table has these chains.
pub(crate) fn explain(
    refusal: ExtAckError,
    change: &Change<'_>,
    table: Table,
    chains: &[Chain],
) -> Error {
    let target = change.rule.and_then(|rule| rule.target.as_deref());
    let target = target.map(|target| (target_label(target), target.name()));
    let chain = change.chain.unwrap_or_default();
    let is_about = |label: &str| refusal.label.as_deref() == Some(label);
    if refusal.is(Errno::ENOENT) {
        if is_about(&chain_label(chain)) {
            return Error::Failure(unknown_chain(chain, table, chains));
        }
        if let Some((label, name)) = target.as_ref().filter(|(label, _)| is_about(label)) {
            return Error::Failure(unknown_target(label, name, table, chains));
        }
        if change.kind == ChangeKind::Delete && change.position.is_none() {
            return Error::Failure(NO_SUCH_RULE.to_owned());
        }
        if let Some(position) = change.position {
            return Error::Failure(format!(
                "there is no rule {position} in chain {chain}: palisade -t {table} -L {chain} \
                 --line-numbers shows the rules"
            ));
        }
    }
    if refusal.is(Errno::EBUSY) && change.kind == ChangeKind::DeleteChain {
        let is_meant = |one: &&Chain| change.chain.is_none_or(|chain| chain == one.name);
        let mut in_the_way = chains.iter().filter(is_meant).filter_map(still_used);
        if let Some(reason) = in_the_way.next() {
            return Error::Failure(reason);
        }
    }
    match target {
        // The kernel refused the whole ruleset, because of this rule.
        Some((label, _)) if refusal.label.is_none() && refusal.is(Errno::EMLINK) => {
            Error::Failure(format!("{label}: {refusal}"))
        }
        _ => refusal.into(),
    }
}

/// Why a chain cannot be deleted.
fn still_used(chain: &Chain) -> Option<String> {
    let (name, table) = (quote(&chain.name), chain.table);
    if chain.policies.is_some() {
        return None;
    }
    if chain.length > 0 {
        return Some(format!(
            "chain {name} is not empty: palisade -t {table} -F {name} deletes its rules"
        ));
    }
    match chain.references {
        0 => None,
        1 => Some(format!(
            "chain {name} is in use: a rule of table {table} jumps to it: delete that first"
        )),
        references => Some(format!(
            "chain {name} is in use: {references} rules of table {table} jump to it: delete these \
             first"
        )),
    }
}

/// The message for a chain that does not exist.
pub(crate) fn unknown_chain(name: &str, table: Table, chains: &[Chain]) -> String {
    let names = chains.iter().map(|chain| chain.name.as_str());
    let hint = match closest(name, names.clone()) {
        Some(similar) => format!("did you mean {}?", quote(similar)),
        None => format!("it has {}", listed(names)),
    };
    format!("there is no chain {} in table {table}: {hint}", quote(name))
}

/// `-j` or `-g` with something that is neither a target nor a chain.
fn unknown_target(label: &str, name: &str, table: Table, chains: &[Chain]) -> String {
    if foreign::is_target(name) {
        return format!("{label}: Palisade has no target {name}: {KEEP}");
    }
    let is_goto = label.starts_with("-g");
    let known_targets = targets::ALL.iter().map(|target| target.name);
    let known_targets = known_targets.filter(|_| !is_goto);
    let known_chains = chains.iter().map(|chain| chain.name.as_str());
    let known_chains = known_chains.filter(|chain| !chain::is_built_in(chain));
    let known = known_targets.chain(known_chains);
    let what = if is_goto {
        "there is no such chain"
    } else {
        "there is no such target, and no such chain"
    };
    let same = known.clone().find(|one| one.eq_ignore_ascii_case(name));
    let hint = match same.or_else(|| closest(name, known.clone())) {
        Some(similar) => format!("did you mean {}?", quote(similar)),
        None => match listed(known) {
            names if names.is_empty() => "it has none but the built-in ones".to_owned(),
            names => format!("known are {names}"),
        },
    };
    format!("{label}: {what} in table {table}: {hint}")
}

fn listed<'a>(names: impl Iterator<Item = &'a str> + Clone) -> String {
    let mut listed: Vec<String> = names.clone().take(NAMES_MAX).map(quote).collect();
    match names.count().saturating_sub(NAMES_MAX) {
        0 => {}
        more => listed.push(format!("and {more} more")),
    }
    listed.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        netlink::spec::Verdict,
        rules::{
            model::{policy::Policies, rule::Counters},
            tests::rules,
        },
    };

    fn chain(name: &str, length: u32, references: u32) -> Chain {
        Chain {
            table: Table::Filter,
            name: name.to_owned(),
            policies: chain::is_built_in(name)
                .then(|| Policies::both(Verdict::Accept, Counters::default())),
            references,
            length,
            rules: Vec::new(),
        }
    }

    fn explained(errno: Errno, label: Option<&str>, change: &Change<'_>) -> String {
        let known = [chain("INPUT", 5, 0), chain("web", 0, 2), chain("ssh", 1, 0)];
        let refusal = ExtAckError::of(errno, "refused", label);
        explain(refusal, change, Table::Filter, &known).to_string()
    }

    #[test]
    fn unknown_chains_and_targets_get_a_hint() {
        for (line, label, expected) in [
            (
                "-A INPTU",
                "chain INPTU",
                "there is no chain INPTU in table filter: did you mean INPUT?",
            ),
            (
                "-A x",
                "chain x",
                "there is no chain x in table filter: it has INPUT, web, ssh",
            ),
            (
                "-A INPUT -j ACCPET",
                "-j ACCPET",
                "-j ACCPET: there is no such target, and no such chain in table filter: did you mean ACCEPT?",
            ),
            (
                "-A INPUT -j drop",
                "-j drop",
                "-j drop: there is no such target, and no such chain in table filter: did you mean DROP?",
            ),
            (
                "-A INPUT -g wbe",
                "-g wbe",
                "-g wbe: there is no such chain in table filter: did you mean web?",
            ),
            (
                "-A INPUT -j NETMAP",
                "-j NETMAP",
                "-j NETMAP: Palisade has no target NETMAP: keep iptables or nftables for it",
            ),
            (
                "-A INPUT -g ACCEPT",
                "-g ACCEPT",
                "-g ACCEPT: there is no such chain in table filter: known are web, ssh",
            ),
        ] {
            let (chain, rules) = rules(line);
            let change = Change::new(ChangeKind::Append, Some(&chain)).with(&rules[0]);
            assert_eq!(
                explained(Errno::ENOENT, Some(label), &change),
                expected,
                "{line}"
            );
        }
    }

    #[test]
    fn what_keeps_a_chain_from_being_deleted_is_said() {
        for (name, expected) in [
            (
                Some("web"),
                "chain web is in use: 2 rules of table filter jump to it: delete these first",
            ),
            (
                Some("ssh"),
                "chain ssh is not empty: palisade -t filter -F ssh deletes its rules",
            ),
            (
                None,
                "chain web is in use: 2 rules of table filter jump to it: delete these first",
            ),
            (Some("INPUT"), "refused"),
        ] {
            let change = Change::new(ChangeKind::DeleteChain, name);
            assert_eq!(explained(Errno::EBUSY, None, &change), expected);
        }
    }

    #[test]
    fn circles_are_blamed_on_the_rule() {
        let (chain, rules) = rules("-A web -j web");
        let change = Change::new(ChangeKind::Append, Some(&chain)).with(&rules[0]);
        assert_eq!(explained(Errno::EMLINK, None, &change), "-j web: refused");
    }
}
