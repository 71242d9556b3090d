// SPDX-License-Identifier: GPL-2.0

//! The match `http`: what a request of HTTP asks for.

use super::glob_option::GlobOption;
use crate::{
    content::{
        http::{
            self,
            First, //
        },
        Bytes,
        Found, //
    },
    packet::IPPROTO_TCP,
    rules::prelude::*, //
};

nest! {
    /// What a request of HTTP asks for.
    #[derive(PartialEq)]
    pub(crate) struct Http: attribute::http {
        method: Option<GlobOption<false>> = METHOD, group;
        host: Option<GlobOption<true>> = HOST, group;
        path: Option<GlobOption<false>> = PATH, group;
    }
}

/// What a request of HTTP asks for.
pub(crate) struct HttpMatch {
    wanted: Http,
    /// Whether the host that is wanted has a port.
    has_port: bool,
}

impl HttpMatch {
    /// Whether a client that begins with these bytes is meant.
    fn agrees<B: Bytes>(&self, bytes: &B) -> Found<bool> {
        let Http { method, host, path } = &self.wanted;
        let request = match http::first(bytes)? {
            First::Request(request) => request,
            // What it asks for comes later, and is compressed.
            First::Preface => return Ok(method.is_none() && host.is_none() && path.is_none()),
        };
        if let Some(method) = method {
            if !method.agrees(request.has_method(bytes, method.glob())?) {
                return Ok(false);
            }
        }
        if let Some(path) = path {
            if !path.agrees(request.has_path(bytes, path.glob())?) {
                return Ok(false);
            }
        }
        if let Some(host) = host {
            let found = request.host(bytes)?;
            let port = if self.has_port { found.port() } else { b"" };
            let text = Iterator::chain(found.name().iter(), port).copied();
            return Ok(host.agrees(host.glob().matches(text)));
        }
        Ok(true)
    }
}

impl PacketMatch for HttpMatch {
    type Attributes = Http;

    fn new<'a>(wanted: Http, context: &mut DecodeContext<'a, '_>) -> NetlinkResult<'a, Self> {
        context.require_protocol(IPPROTO_TCP, c"an http match is for TCP")?;
        let host = wanted.host.as_ref().map_or(&b""[..], GlobOption::text);
        // The colons of an IPv6 address are in brackets.
        let mut last = host.rsplit(|byte| *byte == b']');
        let has_port = last.next().is_some_and(|last| last.contains(&b':'));
        Ok(Self { wanted, has_port })
    }

    fn attributes(&self) -> &Http {
        &self.wanted
    }

    /// What is absent, or cut off, does not match, inverted or not. A later fragment does not match.
    #[inline(never)]
    fn matches(&self, packet: &Packet<'_>) -> MatchResult {
        let data = packet.first_data();
        MatchResult::from(data.is_some_and(|data| self.agrees(&data) == Ok(true)))
    }
}
