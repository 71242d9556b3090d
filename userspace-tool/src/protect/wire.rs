// SPDX-License-Identifier: GPL-2.0

//! Servers, as the kernel answers with them.

use std::net::IpAddr;

use crate::{
    error::Error,
    netlink::{
        Connection, Writer, attributes,
        spec::{attribute::server as attribute, command as operation},
    },
};

/// A server that connections were opened to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) address: IpAddr,
    pub(super) port: u16,
    pub(super) opened: u64,
    pub(super) refused: u64,
    pub(super) unanswered: u64,
    /// Absent until it has accepted a connection, and with it all other options.
    pub(super) mss: Option<u16>,
    pub(super) wscale: Option<u8>,
    pub(super) sack_perm: bool,
    pub(super) timestamp: bool,
    pub(super) ecn: bool,
    /// Milliseconds since it last accepted or refused a connection.
    pub(super) age: Option<u64>,
}

/// All servers, by their addresses and ports.
pub(super) fn servers() -> Result<Vec<Server>, Error> {
    let request = Writer::default();
    let mut servers = Connection::open()?.dump(operation::SERVER_GET, &request, decode)?;
    servers.sort_by_key(|server| (server.address, server.port));
    Ok(servers)
}

/// Read an answer to server-get.
pub(super) fn decode(answer: &[u8]) -> Result<Server, Error> {
    let (mut address, mut port) = (None, None);
    let (mut opened, mut refused, mut unanswered) = (0, 0, 0);
    let (mut mss, mut wscale, mut age) = (None, None, None);
    let (mut sack_perm, mut timestamp, mut ecn) = (false, false, false);
    for attribute in attributes(answer) {
        let attribute = attribute?;
        match attribute.kind {
            attribute::ADDRESS => address = Some(attribute.address()?),
            attribute::PORT => port = Some(attribute.u16()?),
            attribute::OPENED => opened = attribute.u64()?,
            attribute::REFUSED => refused = attribute.u64()?,
            attribute::UNANSWERED => unanswered = attribute.u64()?,
            attribute::MSS => mss = Some(attribute.u16()?),
            attribute::WSCALE => wscale = Some(attribute.u8()?),
            attribute::SACK_PERM => sack_perm = true,
            attribute::TIMESTAMP => timestamp = true,
            attribute::ECN => ecn = true,
            attribute::AGE => age = Some(attribute.u64()?),
            _ => {}
        }
    }
    let missing = || Error::Answer("a server lacks its address or port".to_owned());
    Ok(Server {
        address: address.ok_or_else(missing)?,
        port: port.ok_or_else(missing)?,
        opened,
        refused,
        unanswered,
        mss,
        wscale,
        sack_perm,
        timestamp,
        ecn,
        age,
    })
}
