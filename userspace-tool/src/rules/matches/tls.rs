// SPDX-License-Identifier: GPL-2.0

//! `-m tls`: what the ClientHello of TLS asks for.

use super::{
    glob::{self, glob},
    hosts_file::HostsFile,
};
use crate::{
    fields::{Negatable, nest},
    netlink::{Writer, spec::attribute::r#match},
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
        [!] "hosts-file": "FILE" => hosts_file: parsed(HostsFile::parse),
            "it wants one of the servers in the file: a line each, such as example.org or \
             *.example.org, up to 65536 of them";
    }),
    protocols: &[("tcp", protocol::TCP)],
    notes: "\
A packet matches if its data begin with a ClientHello, up to what is asked for. What is not in it, or comes in
the next packet, does not match, inverted or not. A file is read when the rule is made or restored: saved rules
have its name.
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
        hosts_file: Option<Negatable<HostsFile>> = HOSTS_FILE ! HOSTS_FILE_INVERT => "--hosts-file";
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
        let host = glob::list("host", self.host.as_ref());
        let alpn = glob::list("alpn", self.alpn.as_ref());
        let file = self.hosts_file.as_ref();
        let file = file.map(|file| format!(" hosts-file:{}{}", file.mark(), file.value));
        format!(" tls{host}{alpn}{}", file.unwrap_or_default())
    }

    fn write_before(&self, request: &mut Writer) {
        if let Some(file) = &self.hosts_file {
            file.value.write_names(request);
        }
    }
}
