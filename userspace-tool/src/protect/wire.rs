// SPDX-License-Identifier: GPL-2.0

//! Servers, as the kernel answers with them.

use std::net::{IpAddr, Ipv4Addr};

use crate::{
    error::Error,
    fields::{Decode, nest},
    netlink::{
        Connection, Nest, Writer,
        spec::{attribute::server as attribute, command as operation},
    },
};

nest! {
    /// A server that connections were opened to.
    #[derive(Clone, PartialEq, Eq)]
    pub(crate) struct Server: server {
        pub(crate) address: IpAddr = ADDRESS, or Ipv4Addr::UNSPECIFIED.into();
        pub(crate) port: u16 = PORT;
        pub(crate) opened: u64 = OPENED;
        pub(crate) refused: u64 = REFUSED;
        pub(crate) unanswered: u64 = UNANSWERED;
        /// Absent until it has accepted a connection, and with it all other options.
        pub(crate) mss: Option<u16> = MSS;
        pub(crate) wscale: Option<u8> = WSCALE;
        pub(crate) sack_perm: bool = SACK_PERM;
        pub(crate) timestamp: bool = TIMESTAMP;
        pub(crate) ecn: bool = ECN;
        /// Milliseconds since it last accepted or refused a connection.
        pub(crate) age: Option<u64> = AGE;
        /// The connections, of those opened, that a socket of this host took over.
        pub(crate) handed_over: u64 = HANDED_OVER;
        /// How often clients had to send again what they sent before it had answered.
        pub(crate) dropped: u64 = DROPPED;
        /// Clients that began to wait until their first bytes were there.
        pub(crate) waited: u64 = WAITED;
        pub(crate) opened_by_data: u64 = OPENED_BY_DATA;
        pub(crate) opened_by_timeout: u64 = OPENED_BY_TIMEOUT;
        pub(crate) given_up: u64 = GIVEN_UP;
    }
}

/// All servers, by their addresses and ports.
pub(crate) fn servers() -> Result<Vec<Server>, Error> {
    let request = Writer::default();
    let mut servers = Connection::open()?.dump(operation::SERVER_GET, &request, decode)?;
    servers.sort_by_key(|server| (server.address, server.port));
    Ok(servers)
}

/// Read an answer to server-get.
pub(super) fn decode(answer: &[u8]) -> Result<Server, Error> {
    decode_server(&Nest::new(answer)?)
}

/// Read a server from its attributes.
pub(crate) fn decode_server(nest: &Nest<'_>) -> Result<Server, Error> {
    if !nest.has(attribute::ADDRESS) || !nest.has(attribute::PORT) {
        let missing = "a server lacks its address or port";
        return Err(Error::Answer(missing.to_owned()));
    }
    Server::decode(nest)
}
