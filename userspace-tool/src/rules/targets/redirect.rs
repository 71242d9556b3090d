// SPDX-License-Identifier: GPL-2.0

//! `-j REDIRECT`: redirect a connection to this machine.

use super::to_ports::ToPorts;
use crate::{
    fields::nest,
    netlink::spec::attribute::target,
    rules::model::{
        extension::{Extension, ExtensionType, RuleContext},
        options::{is, options},
    },
};

/// The target `REDIRECT`.
pub(super) static TYPE: ExtensionType = ExtensionType {
    about: "send the connection to this machine",
    options: options!(Redirect {
        [] "to-ports": "PORT[-PORT]" => ports: ToPorts::given,
            "to this port or to one of these, with -p tcp or another protocol that has \
             ports; to the same port if not given";
        [] "random" => random: is(true), "to a port of these that is chosen at random";
    }),
    notes: "\
The target is for PREROUTING and OUTPUT of the table nat (-t nat). Without options it is taken in INPUT of
the table filter, too: what comes there has come to this machine, and is accepted.
",
    examples: &[
        "-t nat -A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 8080",
    ],
    ..ExtensionType::nested::<Redirect>("REDIRECT", target::REDIRECT)
};

nest! {
    struct Redirect: redirect {
        ports: ToPorts = (PORT_FIRST, PORT_LAST) => "--to-ports", unless ToPorts(None);
        random: bool = RANDOM => "--random";
    }
}

impl Extension for Redirect {
    fn kind(&self) -> &'static ExtensionType {
        &TYPE
    }

    fn check(&mut self, rule: &RuleContext<'_>) -> Result<(), String> {
        self.ports.check("--to-ports", rule)
    }

    fn list(&self) -> String {
        let mut text = String::new();
        if self.ports.0.is_some() {
            text += &format!(" redir ports {}", self.ports);
        }
        if self.random {
            text += " random";
        }
        text
    }
}
