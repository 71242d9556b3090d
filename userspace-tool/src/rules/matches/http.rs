// SPDX-License-Identifier: GPL-2.0

//! `-m http`: what a request of HTTP asks for.

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

/// The match `http`.
pub(super) static TYPE: ExtensionType = ExtensionType {
    about: "what a client of HTTP asks for",
    options: options!(Http {
        [!] "method": "PATTERN" => method: parsed(glob), "the method, such as GET";
        [!] "host": "PATTERN" => host: parsed(glob::host),
            "the host; a * stands for anything, case makes no difference, and the port counts only if \
             the pattern has one";
        [!] "path": "PATTERN" => path: parsed(path),
            "the path as it is sent, without the query behind a ?";
    }),
    protocols: &[("tcp", protocol::TCP)],
    notes: "\
A packet matches if its data begin with a request of HTTP/1.0 or 1.1, up to what is asked for. What is not in
it, or comes in the next packet, does not match, inverted or not. HTTP/2 without TLS matches without options.
",
    examples: &[
        "-A FORWARD -p tcp --dport 80 -m http --host www.example.org --path '/api/*' -j ACCEPT",
        "-A INPUT -p tcp --dport 80 -m http ! --method GET -j REJECT --reject-with tcp-reset",
    ],
    ..ExtensionType::nested::<Http>("http", r#match::HTTP)
};

nest! {
    struct Http: http {
        method: Option<Negatable<String>> = METHOD ! METHOD_INVERT => "--method";
        host: Option<Negatable<String>> = HOST ! HOST_INVERT => "--host";
        path: Option<Negatable<String>> = PATH ! PATH_INVERT => "--path";
    }
}

fn path(text: &str) -> Result<String, String> {
    if text.contains(['?', '#']) {
        return Err("the path ends before the query".to_owned());
    }
    match glob(text)? {
        path if path.starts_with(['/', '*']) => Ok(path),
        _ => Err("a path begins with / or *".to_owned()),
    }
}

impl Extension for Http {
    fn kind(&self) -> &'static ExtensionType {
        &TYPE
    }

    fn list(&self) -> String {
        let parts = [
            ("method", &self.method),
            ("host", &self.host),
            ("path", &self.path),
        ];
        let parts = parts.map(|(name, pattern)| glob::list(name, pattern.as_ref()));
        format!(" http{}", parts.concat())
    }
}
