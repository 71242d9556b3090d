// SPDX-License-Identifier: GPL-2.0

//! The operations on tables of rates.

use crate::{
    control::prelude::*,
    kernel_api::time::{
        jiffies64,
        JIFFIES_PER_SECOND, //
    },
    namespace::Namespace,
    rates::{
        RateSnapshot,
        RateTable, //
    },
    spec::attribute::{
        rate,
        rates as attributes, //
    },
};

/// The table that a request names.
fn table_of<'a>(request: &Request<'a>) -> NetlinkResult<'a, Arc<RateTable>> {
    let name = (request.attributes().get(attributes::NAME))
        .ok_or(ExtAckError::new(EINVAL, c"the table's name is missing"))?;
    let table = namespace(request)?.rates().find(name.string());
    table.ok_or_else(|| ExtAckError::new(ENOENT, c"no rule has a hashlimit of that name").at(name))
}

fn encode_table(namespace: &Namespace, table: &RateTable, message: &mut Message<'_>) -> Result {
    message.put_string(attributes::NAME, table.name())?;
    message.put_u32(attributes::SIZE, table.size())?;
    message.put_u32(attributes::RULES, namespace.rate_users(table) as u32)?;
    message.put_u64(attributes::EVICTED, table.evicted())?;
    message.put_u64(attributes::REFUSED, table.refused())
}

/// Lists all tables.
pub(super) struct GetTables;

impl Dumpit for GetTables {
    fn run<'a>(
        request: &Request<'a>,
        cursor: &mut Cursor,
        output: &mut Output<'_>,
    ) -> NetlinkResult<'a> {
        let namespace = namespace(request)?;
        let nth = |index| namespace.rates().nth(index);
        Ok(output.each(cursor, nth, |table, message| {
            encode_table(&namespace, table, message)
        })?)
    }
}

/// Jiffies to milliseconds, rounded up: an address whose bucket is not full yet is not shown as if
/// it were.
fn milliseconds_up(jiffies: u64) -> u64 {
    jiffies
        .saturating_mul(1000)
        .div_ceil(JIFFIES_PER_SECOND.into())
}

fn encode(snapshot: &RateSnapshot, message: &mut Message<'_>) -> Result {
    let key = &snapshot.key;
    message.nest(attributes::RATE, |message| {
        (key.family, key.source).write(rate::SOURCE, message)?;
        (key.family, key.destination).write(rate::DESTINATION, message)?;
        message.put_u16(rate::SOURCE_PORT, (key.ports >> 16) as u16)?;
        message.put_u16(rate::DESTINATION_PORT, key.ports as u16)?;
        message.put_u64(rate::FULL_IN, milliseconds_up(snapshot.missing))?;
        message.put_u64(rate::AGE, milliseconds_up(snapshot.age))
    })
}

/// Lists what a table knows.
pub(super) struct Get;

impl Dumpit for Get {
    fn run<'a>(
        request: &Request<'a>,
        cursor: &mut Cursor,
        output: &mut Output<'_>,
    ) -> NetlinkResult<'a> {
        let table = table_of(request)?;
        while cursor.outer < table.places_count() {
            if let Some(snapshot) = table.snapshot(cursor.outer, jiffies64()) {
                output.message(|message| encode(&snapshot, message))?;
            }
            cursor.outer = cursor.outer.saturating_add(1);
            cond_resched();
        }
        Ok(())
    }
}

/// Forgets all that a table knows.
pub(super) struct Flush;

impl Doit for Flush {
    fn run<'a>(request: &Request<'a>) -> NetlinkResult<'a> {
        table_of(request)?.flush();
        Ok(())
    }
}
