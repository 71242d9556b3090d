// SPDX-License-Identifier: GPL-2.0

//! The operations on the servers that SYNPROXY knows.

use crate::{
    control::prelude::*,
    spec::attribute::server as attributes,
    synproxy::ServerReport, //
};

fn encode(server: &ServerReport, message: &mut Message<'_>) -> Result {
    (server.family, server.address).write(attributes::ADDRESS, message)?;
    message.put_u16(attributes::PORT, server.port)?;
    message.put_u64(attributes::OPENED, server.opened.into())?;
    message.put_u64(attributes::REFUSED, server.refused.into())?;
    message.put_u64(attributes::UNANSWERED, server.unanswered.into())?;
    if let Some(options) = &server.options {
        options.learned().encode(message)?;
    }
    message.put_u64(attributes::AGE, milliseconds(server.age))?;
    message.put_u64(attributes::HANDED_OVER, server.handed_over.into())?;
    message.put_u64(attributes::DROPPED, server.dropped.into())?;
    let [waited, by_data, by_timeout, given_up] = server.waited.map(u64::from);
    message.put_u64(attributes::WAITED, waited)?;
    message.put_u64(attributes::OPENED_BY_DATA, by_data)?;
    message.put_u64(attributes::OPENED_BY_TIMEOUT, by_timeout)?;
    message.put_u64(attributes::GIVEN_UP, given_up)
}

/// Lists all servers.
pub(super) struct Get;

impl Dumpit for Get {
    fn run<'a>(
        request: &Request<'a>,
        cursor: &mut Cursor,
        output: &mut Output<'_>,
    ) -> NetlinkResult<'a> {
        let Some(synproxy) = namespace(request)?.synproxy() else {
            return Ok(());
        };
        while let Some((server, next)) = synproxy.server_from(cursor.outer) {
            output.message(|message| encode(&server, message))?;
            cursor.outer = next;
        }
        Ok(())
    }
}
