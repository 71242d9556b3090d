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
    pub(super) struct Server: server {
        pub(super) address: IpAddr = ADDRESS, or Ipv4Addr::UNSPECIFIED.into();
        pub(super) port: u16 = PORT;
        pub(super) opened: u64 = OPENED;
        pub(super) refused: u64 = REFUSED;
        pub(super) unanswered: u64 = UNANSWERED;
        /// Absent until it has accepted a connection, and with it all other options.
        pub(super) mss: Option<u16> = MSS;
        pub(super) wscale: Option<u8> = WSCALE;
        pub(super) sack_perm: bool = SACK_PERM;
        pub(super) timestamp: bool = TIMESTAMP;
        pub(super) ecn: bool = ECN;
        /// Milliseconds since it last accepted or refused a connection.
        pub(super) age: Option<u64> = AGE;
        /// The connections, of those opened, that a socket of this host took over.
        pub(super) handed_over: u64 = HANDED_OVER;
        /// How often clients had to send again what they sent before it had answered.
        pub(super) dropped: u64 = DROPPED;
        /// Clients that began to wait until their first bytes were there.
        pub(super) waited: u64 = WAITED;
        pub(super) opened_by_data: u64 = OPENED_BY_DATA;
        pub(super) opened_by_timeout: u64 = OPENED_BY_TIMEOUT;
        pub(super) given_up: u64 = GIVEN_UP;
    }
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
    let nest = Nest::new(answer)?;
    if !nest.has(attribute::ADDRESS) || !nest.has(attribute::PORT) {
        let missing = "a server lacks its address or port";
        return Err(Error::Answer(missing.to_owned()));
    }
    Server::decode(&nest)
}
