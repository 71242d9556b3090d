// SPDX-License-Identifier: GPL-2.0

//! The match `tls`: what a ClientHello asks for.

use super::glob_option::GlobOption;
use crate::{
    content::{
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
    }
}

impl Tls {
    /// Whether a client that begins with these bytes is meant.
    fn agrees<B: Bytes>(&self, bytes: &B) -> Found<bool> {
        tls::is_client_hello(bytes)?;
        if let Some(host) = &self.host {
            let name = tls::server_name(bytes)?;
            if !host.agrees(host.glob().matches(name.name().iter().copied())) {
                return Ok(false);
            }
        }
        match &self.alpn {
            Some(alpn) => Ok(alpn.agrees(tls::offers(bytes, alpn.glob())?)),
            None => Ok(true),
        }
    }
}

impl PacketMatch for Tls {
    type Attributes = Self;

    fn new<'a>(tls: Self, context: &mut DecodeContext<'a, '_>) -> NetlinkResult<'a, Self> {
        context.require_protocol(IPPROTO_TCP, c"a tls match is for TCP")?;
        Ok(tls)
    }

    fn attributes(&self) -> &Self {
        self
    }

    /// What is absent, or cut off, does not match, inverted or not. A later fragment does not match.
    #[inline(never)]
    fn matches(&self, packet: &Packet<'_>) -> MatchResult {
        let data = packet.first_data();
        MatchResult::from(data.is_some_and(|data| self.agrees(&data) == Ok(true)))
    }
}
