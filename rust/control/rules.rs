// SPDX-License-Identifier: GPL-2.0

//! The operations chain-get and rule-get.

use crate::{
    control::prelude::*,
    rules::{
        ChainPolicy,
        Ruleset, //
    },
    spec::{
        attribute::{
            chain as chain_attributes,
            family_policy as policy_attributes,
            ruleset as attributes, //
        },
        RULE_LENGTH_MAX, //
    },
};

/// Which chains a dump shows.
struct ChainFilter<'a> {
    table: Option<Table>,
    name: Option<&'a [u8]>,
}

impl<'a> ChainFilter<'a> {
    fn of(request: &Request<'a>, ruleset: &Ruleset) -> NetlinkResult<'a, Self> {
        let table = request.attributes().get(attributes::TABLE);
        let name = request.attributes().get(attributes::CHAIN_NAME);
        let filter = Self {
            table: table.and_then(|attribute| Table::from_number(attribute.u32()?)),
            name: name.map(|attribute| attribute.string()),
        };
        match name {
            Some(name) if !ruleset.chains().any(|(_, chain)| filter.has(chain)) => {
                Err(ExtAckError::new(ENOENT, c"the table has no such chain").at(name))
            }
            _ => Ok(filter),
        }
    }

    fn has(&self, chain: &Chain) -> bool {
        self.table.is_none_or(|table| table == chain.table)
            && self.name.is_none_or(|name| name == chain.name.as_bytes())
    }
}

/// Calls `show` for the selected chains from the cursor on; `show` advances the inner cursor.
fn dump_chains<'a>(
    request: &Request<'a>,
    cursor: &mut Cursor,
    output: &mut Output<'_>,
    mut show: impl FnMut(&Ruleset, ChainId, &Chain, &mut Cursor, &mut Output<'_>) -> NetlinkResult<'a>,
) -> NetlinkResult<'a> {
    let ruleset = namespace(request)?.ruleset();
    let filter = ChainFilter::of(request, &ruleset)?;
    output.set_generation(ruleset.generation);
    let first = cursor.outer;
    let rest = ruleset.chains().filter(|(id, _)| id.number() >= first);
    for (id, chain) in rest.filter(|(_, chain)| filter.has(chain)) {
        if id.number() > cursor.outer {
            *cursor = Cursor {
                outer: id.number(),
                inner: 0,
            };
        }
        show(&ruleset, id, chain, cursor, output)?;
        *cursor = Cursor {
            outer: id.number().saturating_add(1),
            inner: 0,
        };
        cond_resched();
    }
    Ok(())
}

/// Lists the chains.
pub(super) struct GetChains;

impl Dumpit for GetChains {
    fn run<'a>(
        request: &Request<'a>,
        cursor: &mut Cursor,
        output: &mut Output<'_>,
    ) -> NetlinkResult<'a> {
        dump_chains(request, cursor, output, |ruleset, id, chain, _, output| {
            let references = ruleset.references.to(id);
            output.message(|message| {
                message.nest(attributes::CHAIN, |message| {
                    encode_chain(chain, references, message)
                })
            })?;
            Ok(())
        })
    }
}

fn encode_chain(chain: &Chain, references: u32, message: &mut Message<'_>) -> Result {
    message.put_u32(chain_attributes::TABLE, chain.table.number())?;
    message.put_string(chain_attributes::NAME, chain.name.as_bytes())?;
    message.put_u32(chain_attributes::RULES, chain.rules.len() as u32)?;
    message.put_u32(chain_attributes::REFERENCES, references)?;
    let Some(policies) = &chain.policies else {
        return Ok(());
    };
    let mut both = Totals::default();
    for (family, policy) in policies.iter() {
        let totals = policy.counters.totals();
        both.packets = both.packets.wrapping_add(totals.packets);
        both.bytes = both.bytes.wrapping_add(totals.bytes);
        message.nest(chain_attributes::FAMILY_POLICY, |message| {
            message.put_u32(policy_attributes::FAMILY, family.version())?;
            message.put_u32(policy_attributes::POLICY, number(policy))?;
            message.put_u64(policy_attributes::PACKETS, totals.packets)?;
            message.put_u64(policy_attributes::BYTES, totals.bytes)
        })?;
    }
    let policy = policies.of(Family::Ipv4);
    message.put_u32(chain_attributes::POLICY, number(policy))?;
    message.put_u64(chain_attributes::PACKETS, both.packets)?;
    message.put_u64(chain_attributes::BYTES, both.bytes)
}

fn number(policy: &ChainPolicy) -> u32 {
    match policy.accepts {
        true => Verdict::Accept,
        false => Verdict::Drop,
    }
    .number()
}

/// Lists the rules.
pub(super) struct GetRules;

impl Dumpit for GetRules {
    // The longest rule, with its table, chain and position.
    const LONGEST_MESSAGE: u16 = RULE_LENGTH_MAX as u16 + 128;

    fn run<'a>(
        request: &Request<'a>,
        cursor: &mut Cursor,
        output: &mut Output<'_>,
    ) -> NetlinkResult<'a> {
        dump_chains(
            request,
            cursor,
            output,
            |ruleset, _, chain, cursor, output| {
                for (index, rule) in chain.rules.iter().enumerate().skip(cursor.inner) {
                    let position = (index as u32).saturating_add(1);
                    output.message(|message| {
                        message.put_u32(attributes::TABLE, chain.table.number())?;
                        message.put_string(attributes::CHAIN_NAME, chain.name.as_bytes())?;
                        message.put_u32(attributes::POSITION, position)?;
                        let family = chain.rules.family(index);
                        message.nest(attributes::RULE, |message| {
                            rule.encode(family, ruleset, message)
                        })
                    })?;
                    cursor.inner = index.saturating_add(1);
                }
                Ok(())
            },
        )
    }
}
