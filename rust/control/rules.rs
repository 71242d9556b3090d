// SPDX-License-Identifier: GPL-2.0

//! The operations chain-get and rule-get: what rules there are.

use super::namespace;
use crate::{
    kernel_api::{
        extended_ack::{
            Handled,
            Refusal, //
        },
        genetlink::{
            Cursor,
            Dump,
            Output,
            Request, //
        },
        netfilter, //
    },
    rules::chains::{
        BaseChain,
        ChainId, //
    },
    spec::{
        attribute::{
            chain,
            ruleset as attributes, //
        },
        Table,
        Verdict, //
    },
};
use kernel::prelude::*;

/// Which chains a dump is to show.
struct Selection<'a> {
    table: Option<Table>,
    name: Option<&'a [u8]>,
}

impl<'a> Selection<'a> {
    fn of(request: &Request<'a>) -> Handled<'a, Self> {
        let table = request.attributes().get(attributes::TABLE);
        let name = request.attributes().get(attributes::CHAIN_NAME);
        let selection = Self {
            table: table.and_then(|attribute| Table::from_number(attribute.u32()?)),
            name: name.map(|attribute| attribute.string()),
        };
        if let Some(name) = name {
            if !ChainId::all().any(|(_, base)| selection.has(base)) {
                return Err(Refusal::new(ENOENT, c"the table has no such chain").at(name));
            }
        }
        Ok(selection)
    }

    fn has(&self, chain: &BaseChain) -> bool {
        self.table.is_none_or(|table| table == chain.table)
            && self.name.is_none_or(|name| name == chain.name)
    }
}

/// Lists the chains.
pub(super) struct GetChains;

impl Dump for GetChains {
    fn run<'a>(request: &Request<'a>, cursor: &mut Cursor, output: &mut Output<'_>) -> Handled<'a> {
        let namespace = namespace(request)?;
        let selection = Selection::of(request)?;
        for (id, base) in ChainId::all().skip(cursor.outer) {
            if let Some((contents, generation)) =
                namespace.current_chain(id).filter(|_| selection.has(base))
            {
                output.set_generation(generation);
                let totals = contents.policy_counters.totals();
                let policy = match contents.policy {
                    netfilter::Verdict::Accept => Verdict::Accept,
                    netfilter::Verdict::Drop => Verdict::Drop,
                };
                output.message(|message| {
                    message.nest(attributes::CHAIN, |message| {
                        message.put_u32(chain::TABLE, base.table.number())?;
                        message.put_string(chain::NAME, base.name)?;
                        message.put_u32(chain::POLICY, policy.number())?;
                        message.put_u64(chain::PACKETS, totals.packets)?;
                        message.put_u64(chain::BYTES, totals.bytes)?;
                        message.put_u32(chain::RULES, contents.rules.len() as u32)
                    })
                })?;
            }
            cursor.outer = id.place().saturating_add(1);
        }
        Ok(())
    }
}

/// Lists the rules.
pub(super) struct GetRules;

impl Dump for GetRules {
    fn run<'a>(request: &Request<'a>, cursor: &mut Cursor, output: &mut Output<'_>) -> Handled<'a> {
        let namespace = namespace(request)?;
        let selection = Selection::of(request)?;
        for (id, base) in ChainId::all().skip(cursor.outer) {
            if let Some((contents, generation)) =
                namespace.current_chain(id).filter(|_| selection.has(base))
            {
                output.set_generation(generation);
                for (place, rule) in contents.rules.iter().enumerate().skip(cursor.inner) {
                    let position = (place as u32).saturating_add(1);
                    output.message(|message| {
                        message.put_u32(attributes::TABLE, base.table.number())?;
                        message.put_string(attributes::CHAIN_NAME, base.name)?;
                        message.put_u32(attributes::POSITION, position)?;
                        message.nest(attributes::RULE, |message| rule.encode(message))
                    })?;
                    cursor.inner = place.saturating_add(1);
                }
            }
            *cursor = Cursor {
                outer: id.place().saturating_add(1),
                inner: 0,
            };
        }
        Ok(())
    }
}
