// SPDX-License-Identifier: GPL-2.0

//! `-m tls`: what the ClientHello of TLS asks for.

use super::glob::{self, glob};
use crate::{
    fields::{Negatable, nest},
    netlink::spec::attribute::r#match,
    rules::model::{
        extension::{Extension, ExtensionType},
        options::{options, parsed},
        protocol,
    },
};

/// The match `tls`.
pub(super) static TYPE: ExtensionType = ExtensionType {
    about: "what a client of TLS asks for",
    options: options!(Tls {
        [!] "host": "PATTERN" => host: parsed(host),
            "the client wants this server (SNI); a * stands for anything, and case makes no difference";
        [!] "alpn": "PATTERN" => alpn: parsed(glob),
            "it offers this protocol (ALPN), such as h2";
    }),
    protocols: &[("tcp", protocol::TCP)],
    notes: "\
A packet matches if its data begin with a ClientHello, up to what is asked for. What is not in it, or comes in
the next packet, does not match, inverted or not.
",
    examples: &[
        "-A FORWARD -p tcp --dport 443 -m tls --host '*.example.org' -j ACCEPT",
        "-A FORWARD -p tcp --dport 443 -m tls ! --alpn h2 -j REJECT --reject-with tcp-reset",
    ],
    ..ExtensionType::nested::<Tls>("tls", r#match::TLS)
};

nest! {
    struct Tls: tls {
        host: Option<Negatable<String>> = HOST ! HOST_INVERT => "--host";
        alpn: Option<Negatable<String>> = ALPN ! ALPN_INVERT => "--alpn";
    }
}

fn host(text: &str) -> Result<String, String> {
    if text.contains(':') {
        return Err("a ClientHello has no port: --dport asks for it".to_owned());
    }
    glob::host(text)
}

impl Extension for Tls {
    fn kind(&self) -> &'static ExtensionType {
        &TYPE
    }

    fn list(&self) -> String {
        let (host, alpn) = (self.host.as_ref(), self.alpn.as_ref());
        format!(
            " tls{}{}",
            glob::list("host", host),
            glob::list("alpn", alpn)
        )
    }
}
