// SPDX-License-Identifier: GPL-2.0

//! The match `tls`: what a ClientHello asks for.

use super::{
    glob_option::GlobOption,
    hosts_file::HostsFile, //
};
use crate::{
    content::{
        host_set::HostSet,
        tls,
        Bytes,
        Found, //
    },
    packet::IPPROTO_TCP,
    rules::prelude::*, //
};

nest! {
    /// What a ClientHello asks for.
    #[derive(PartialEq)]
    pub(crate) struct Tls: attribute::tls {
        host: Option<GlobOption<true>> = HOST, group;
        alpn: Option<GlobOption<false>> = ALPN, group;
        hosts_file: Option<HostsFile> = HOSTS_FILE, group;
    }
}

/// What a ClientHello asks for.
pub(crate) struct TlsMatch {
    wanted: Tls,
    /// The names in the file.
    hosts: Option<KBox<HostSet>>,
}

impl TlsMatch {
    /// Whether a client that begins with these bytes is meant.
    fn agrees<B: Bytes>(&self, bytes: &B) -> Found<bool> {
        let Tls {
            host,
            alpn,
            hosts_file,
        } = &self.wanted;
        if host.is_some() || hosts_file.is_some() {
            let found = tls::server_name(bytes)?;
            let name = found.name();
            let is_host = (host.as_ref())
                .is_none_or(|host| host.agrees(host.glob().matches(name.iter().copied())));
            let is_in_file = Option::zip(hosts_file.as_ref(), self.hosts.as_ref())
                .is_none_or(|(file, hosts)| file.agrees(hosts.contains(name)));
            if !is_host || !is_in_file {
                return Ok(false);
            }
        }
        match alpn {
            Some(alpn) => Ok(alpn.agrees(tls::offers(bytes, alpn.glob())?)),
            None => tls::is_client_hello(bytes).map(|()| true),
        }
    }
}

impl PacketMatch for TlsMatch {
    type Attributes = Tls;

    fn new<'a>(wanted: Tls, context: &mut DecodeContext<'a, '_>) -> NetlinkResult<'a, Self> {
        context.require_protocol(IPPROTO_TCP, c"a tls match is for TCP")?;
        let names = |file: &HostsFile| file.names(attribute::tls::HOSTS_FILE, context);
        let hosts = wanted.hosts_file.as_ref().map(names).transpose()?;
        Ok(Self { wanted, hosts })
    }

    fn attributes(&self) -> &Tls {
        &self.wanted
    }

    /// What is absent, or cut off, does not match, inverted or not. A later fragment does not match.
    #[inline(never)]
    fn matches(&self, packet: &Packet<'_>) -> MatchResult {
        let data = packet.first_data();
        MatchResult::from(data.is_some_and(|data| self.agrees(&data) == Ok(true)))
    }
}
