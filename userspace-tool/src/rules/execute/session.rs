// SPDX-License-Identifier: GPL-2.0

//! Requests about one table, or about all.

use std::collections::HashMap;

use nix::errno::Errno;

use super::explain::{NO_SUCH_RULE, explain, unknown_chain};
use crate::{
    error::Error,
    netlink::{
        Connection, ExtAckError, Writer,
        spec::{Table, attribute::ruleset, command as operation},
    },
    rules::{
        model::{chain::Chain, change::Change, family::Family, rule::Rule},
        print::save_rule,
        wire::{self, chain_label},
    },
};

/// How often chains and rules are read again if they change meanwhile.
const ATTEMPTS: usize = 8;

/// A connection, and the table that it is about.
pub(crate) struct Session {
    connection: Connection,
    /// The table; none means all.
    table: Option<Table>,
}

impl Session {
    pub(crate) fn open(table: Option<Table>) -> Result<Self, Error> {
        let connection = Connection::open()?;
        Ok(Self { connection, table })
    }

    fn table(&self) -> Table {
        self.table.unwrap_or(Table::Filter)
    }

    /// Make changes of one kind to one chain, all of them or none.
    pub(crate) fn change(&mut self, changes: &[Change<'_>]) -> Result<(), Error> {
        let mut request = Writer::default();
        let mut ends = Vec::with_capacity(changes.len());
        for change in changes {
            wire::encode_change(change, self.table(), &mut request);
            ends.push(request.len());
        }
        let result = self.send(&request);
        let Err(Error::Kernel(refusal)) = result else {
            return result;
        };
        let offset = refusal.offset.unwrap_or_default();
        let index = ends.partition_point(|end| *end <= offset);
        match changes.get(index).or(changes.first()) {
            Some(change) => Err(self.explain(refusal, change)),
            None => Err(refusal.into()),
        }
    }

    /// Send changes that are encoded already.
    pub(crate) fn send(&mut self, request: &Writer) -> Result<(), Error> {
        self.connection.change(operation::RULESET_CHANGE, request)
    }

    fn explain(&mut self, refusal: ExtAckError, change: &Change<'_>) -> Error {
        match self.dump_chains(None) {
            Ok(chains) => explain(refusal, change, self.table(), &chains),
            Err(_) => refusal.into(),
        }
    }

    /// The chains of the table, or the one that is named, without their rules.
    pub(crate) fn dump_chains(&mut self, chain: Option<&str>) -> Result<Vec<Chain>, Error> {
        let request = self.dump_request(chain);
        self.connection
            .dump(operation::CHAIN_GET, &request, wire::decode_chain)
    }

    fn dump_request(&self, chain: Option<&str>) -> Writer {
        let mut request = Writer::default();
        if let Some(table) = self.table {
            request.u32(ruleset::TABLE, table.number());
        }
        if let Some(chain) = chain {
            request.labelled(chain_label(chain), |request| {
                request.string(ruleset::CHAIN_NAME, chain);
            });
        }
        request
    }

    /// The chains with their rules: the built-in chains of each table first, the others sorted by name. A
    /// name, a position or a family restricts them.
    pub(crate) fn chains(
        &mut self,
        name: Option<&str>,
        position: Option<u32>,
        family: Option<Family>,
    ) -> Result<Vec<Chain>, Error> {
        for _ in 0..ATTEMPTS {
            let before = self.named_chains(name)?;
            let request = self.dump_request(name);
            let rules =
                self.connection
                    .dump(operation::RULE_GET, &request, wire::decode_rule_answer);
            let rules = match rules {
                // The chain was deleted meanwhile.
                Err(Error::Kernel(refusal)) if refusal.is(Errno::ENOENT) => continue,
                other => other?,
            };
            let mut chains = self.named_chains(name)?;
            if !fit_together(&before, &chains) {
                continue;
            }
            let wanted = rules.into_iter().filter(|one| {
                position.is_none_or(|position| position == one.position)
                    && one.rule.applies_to(family)
            });
            distribute(wanted, &mut chains);
            chains.sort_by(|one, other| order(one).cmp(&order(other)));
            return Ok(chains);
        }
        Err(Error::Failure(
            "the rules keep changing while they are read: try again".to_owned(),
        ))
    }

    fn named_chains(&mut self, name: Option<&str>) -> Result<Vec<Chain>, Error> {
        let chains = match self.dump_chains(name) {
            Err(Error::Kernel(refusal)) if refusal.is(Errno::ENOENT) => Vec::new(),
            other => other?,
        };
        match name {
            Some(name) if chains.is_empty() => {
                let all = self.dump_chains(None)?;
                Err(Error::Failure(unknown_chain(name, self.table(), &all)))
            }
            _ => Ok(chains),
        }
    }

    /// Whether the chain has a rule equal to each of these.
    pub(crate) fn check(&mut self, chain: &str, rules: &[Rule]) -> Result<(), Error> {
        let chains = self.chains(Some(chain), None, None)?;
        let present: Vec<String> = chains
            .iter()
            .flat_map(|chain| chain.rules.iter())
            .map(|(_, rule)| save_rule(chain, rule, false))
            .collect();
        let all = rules
            .iter()
            .all(|rule| present.contains(&save_rule(chain, rule, false)));
        if all {
            Ok(())
        } else {
            Err(Error::Failure(NO_SUCH_RULE.to_owned()))
        }
    }
}

/// Whether the chains did not change while the rules were read.
fn fit_together(before: &[Chain], after: &[Chain]) -> bool {
    let identity = |chain: &Chain| {
        let name = chain.name.clone();
        (
            chain.table,
            name,
            chain
                .policies
                .map(|policies| (policies.ipv4.verdict, policies.ipv6.verdict)),
            chain.references,
            chain.length,
        )
    };
    before.iter().map(identity).eq(after.iter().map(identity))
}

fn order(chain: &Chain) -> (u32, Option<&str>) {
    let name = chain.policies.is_none().then_some(chain.name.as_str());
    (chain.table.number(), name)
}

/// Give each chain its rules.
fn distribute(rules: impl Iterator<Item = wire::PositionedRule>, chains: &mut [Chain]) {
    let indices: HashMap<(u32, String), usize> = chains
        .iter()
        .enumerate()
        .map(|(index, chain)| ((chain.table.number(), chain.name.clone()), index))
        .collect();
    for one in rules {
        let index = indices.get(&(one.table.number(), one.chain));
        if let Some(chain) = index.and_then(|index| chains.get_mut(*index)) {
            chain.rules.push((one.position, one.rule));
        }
    }
}
