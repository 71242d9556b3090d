// SPDX-License-Identifier: GPL-2.0

//! Keeping out who tries too often: `palisade limit`.

mod arguments;
mod rule;
mod show;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::{
    error::Error,
    lists::{self, Setting},
    netlink::spec::Table,
    protect::Endpoint,
    rules::{Change, Rule, Session, System, Visits, save_rule},
    usage,
};
pub(crate) use arguments::LimitArguments;
use arguments::LimitCommand;

/// The chain of the table mangle that the rules are in: behind SYNPROXY, so that nobody is kept out for SYNs that others send in
/// his name, and before DNAT.
const CHAIN: &str = "PREROUTING";

/// Run `limit` with these arguments. Returns its output.
pub(crate) fn run(arguments: Vec<String>) -> Result<String, Error> {
    let arguments = match usage::parse::<LimitArguments>("limit", arguments) {
        Ok(arguments) => arguments,
        Err(error) => return usage::explain(&error, "limit"),
    };
    let names = System::default();
    let command = arguments.command(&names)?;
    let mut session = Session::open(Some(Table::Mangle))?;
    let chains = session.chains(Some(CHAIN), None, None)?;
    match command {
        LimitCommand::Add { limit, allowed } => {
            let wanted = limit.rules(&names)?;
            if !allowed.is_empty() {
                let allow_list = limit.allow_list();
                lists::create(&allow_list, &[])?;
                lists::add(&allow_list, &allowed, true)?;
                lists::create(&limit.list, &[Setting::Except(allow_list)])?;
            }
            let old = rule::rules_of(&chains, limit.endpoint);
            let saved = |rule| save_rule(CHAIN, rule, false);
            if !old.iter().map(saved).eq(wanted.iter().map(saved)) {
                session.change(&replacement(&old, &wanted))?;
            }
            Ok(String::new())
        }
        LimitCommand::Remove(endpoints) => {
            let mut rules = Vec::new();
            for endpoint in endpoints {
                let of_endpoint = rule::rules_of(&chains, endpoint);
                if of_endpoint.is_empty() {
                    return Err(no_limit(endpoint));
                }
                rules.extend(of_endpoint);
            }
            session.change(&Change::deletions(CHAIN, &rules))?;
            let lists = lists::lists()?;
            let is_unused = |name: &str| {
                lists
                    .iter()
                    .any(|list| list.name == name && list.rules == 0)
            };
            let visits = rules.iter().filter_map(Visits::of);
            let names: BTreeSet<&str> = visits.map(|visits| visits.list).collect();
            for name in names.into_iter().filter(|name| is_unused(name)) {
                lists::destroy(name)?;
                let allow_list = rule::allow_list(name);
                if is_unused(&allow_list) {
                    lists::destroy(&allow_list)?;
                }
            }
            Ok(String::new())
        }
        LimitCommand::Status { json } => {
            let lists = lists::lists()?;
            let limits: Vec<_> = rule::present(&chains).collect();
            Ok(if json {
                format!("{:#}\n", show::json(&limits, &lists))
            } else {
                show::table(&limits, &lists)
            })
        }
    }
}

/// The changes that put the rules of a limit before all others, in the place of those that are there.
fn replacement<'a>(old: &'a [Rule], new: &'a [Rule]) -> Vec<Change<'a>> {
    [
        Change::insertions(CHAIN, new),
        Change::deletions(CHAIN, old),
    ]
    .concat()
}

fn no_limit(endpoint: Endpoint) -> Error {
    Error::Failure(format!(
        "limit: {endpoint} has no limit: palisade limit --status shows what has"
    ))
}
