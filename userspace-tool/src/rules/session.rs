// SPDX-License-Identifier: GPL-2.0

//! A conversation with the module about one table.

use nix::errno::Errno;

use super::{
    command::Display,
    print::{Chain, save_rule},
    rule::Rule,
    wire::{self, Change, chain_label},
};
use crate::{
    error::Error,
    netlink::{
        Connection, Refusal, Writer,
        spec::{ChangeKind, Table, attribute::ruleset, command as operation},
    },
};

const NO_SUCH_RULE: &str = "bad rule (does a matching rule exist in that chain?)";

pub(super) struct Session {
    connection: Connection,
    table: Table,
}

impl Session {
    pub(super) fn open(table: Table) -> Result<Self, Error> {
        let connection = Connection::open()?;
        Ok(Self { connection, table })
    }

    pub(super) fn change(&mut self, change: Change<'_>) -> Result<(), Error> {
        let mut request = Writer::default();
        wire::encode_change(&change, self.table, &mut request);
        self.send(&request, &change)
    }

    /// The same change for several rules; all of them or none.
    pub(super) fn change_rules(
        &mut self,
        kind: ChangeKind,
        chain: &str,
        position: Option<u32>,
        rules: &[Rule],
    ) -> Result<(), Error> {
        let mut request = Writer::default();
        let mut change = Change {
            position,
            ..Change::new(kind, Some(chain))
        };
        for rule in rules {
            change.rule = Some(rule);
            wire::encode_change(&change, self.table, &mut request);
        }
        self.send(&request, &change)
    }

    fn send(&mut self, request: &Writer, change: &Change<'_>) -> Result<(), Error> {
        match self.connection.change(operation::RULESET_CHANGE, request) {
            Err(Error::Refused(refusal)) => Err(self.explain(refusal, change)),
            other => other,
        }
    }

    /// Say more about a refusal than the kernel can.
    fn explain(&mut self, refusal: Refusal, change: &Change<'_>) -> Error {
        let chain = change.chain.unwrap_or_default();
        if !refusal.is(Errno::ENOENT) {
            return refusal.into();
        }
        if refusal.label == Some(chain_label(chain)) {
            return self.unknown_chain(chain);
        }
        match (change.kind, change.position) {
            (ChangeKind::Delete, None) => Error::Failure(NO_SUCH_RULE.to_owned()),
            (_, Some(position)) => Error::Failure(format!(
                "there is no rule {position} in chain {chain}: palisade -L {chain} --line-numbers \
                 shows the rules"
            )),
            _ => refusal.into(),
        }
    }

    fn unknown_chain(&mut self, name: &str) -> Error {
        let chains = match self.dump_chains(None) {
            Ok(chains) => chains,
            Err(error) => return error,
        };
        let names: Vec<String> = chains.into_iter().map(|chain| chain.name).collect();
        Error::Failure(format!(
            "there is no chain {name} in table {}: it has {}",
            self.table,
            names.join(", ")
        ))
    }

    /// The chains of the table, or the one that is named.
    fn dump_chains(&mut self, chain: Option<&str>) -> Result<Vec<Chain>, Error> {
        let request = self.dump_request(chain);
        self.connection
            .dump(operation::CHAIN_GET, &request, wire::decode_chain)
    }

    fn dump_request(&self, chain: Option<&str>) -> Writer {
        let mut request = Writer::default();
        request.u32(ruleset::TABLE, self.table.number());
        if let Some(chain) = chain {
            request.labelled(chain_label(chain), |request| {
                request.string(ruleset::CHAIN_NAME, chain);
            });
        }
        request
    }

    /// The chains that are to be shown with the rules that are to be shown.
    pub(super) fn chains(
        &mut self,
        name: Option<&str>,
        position: Option<u32>,
        display: &Display,
    ) -> Result<Vec<Chain>, Error> {
        let chains = match self.dump_chains(name) {
            Err(Error::Refused(refusal)) if refusal.is(Errno::ENOENT) => Vec::new(),
            other => other?,
        };
        if let (true, Some(name)) = (chains.is_empty(), name) {
            return Err(self.unknown_chain(name));
        }
        let request = self.dump_request(name);
        let rules = self
            .connection
            .dump(operation::RULE_GET, &request, wire::decode_placed)?;
        let mut chains = chains;
        for placed in rules {
            let wanted = position.is_none_or(|position| position == placed.position)
                && placed.rule.applies_to(display.family);
            let chain = chains.iter_mut().find(|chain| chain.name == placed.chain);
            if let Some(chain) = chain.filter(|_| wanted) {
                chain.rules.push((placed.position, placed.rule));
            }
        }
        Ok(chains)
    }

    /// Whether the chain has a rule equal to each of these.
    pub(super) fn check(&mut self, chain: &str, rules: &[Rule]) -> Result<(), Error> {
        let chains = self.chains(Some(chain), None, &Display::default())?;
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
