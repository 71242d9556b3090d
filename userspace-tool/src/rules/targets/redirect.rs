// SPDX-License-Identifier: GPL-2.0

//! `-j REDIRECT`: redirect a connection to this machine.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::{
    error::Error,
    fields::{Plain, nest},
    netlink::{Nest, Writer, spec::attribute::target},
    rules::model::{
        extension::{Extension, ExtensionType, RuleContext},
        names::Names,
        options::{Given, is, options},
        protocol::WITH_PORTS,
    },
    text::is_number,
};

/// The target `REDIRECT`.
pub(super) static TYPE: ExtensionType = ExtensionType {
    about: "send the connection to this machine",
    options: options!(Redirect {
        [] "to-ports": "PORT[-PORT]" => ports: ToPorts::parse,
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

/// The first and the last port, if there are any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ToPorts(Option<(u16, u16)>);

impl ToPorts {
    fn parse(given: &Given<'_>) -> Result<Self, String> {
        let (text, names) = (given.value(), given.names);
        // The name of a service may have a hyphen in it.
        let (first, last) = match (parse_port(text, names), text.split_once('-')) {
            (Err(_), Some((first, last))) => (parse_port(first, names)?, parse_port(last, names)?),
            (port, _) => port.map(|port| (port, port))?,
        };
        if first > last {
            return Err("the range ends before it starts".to_owned());
        }
        Ok(Self(Some((first, last))))
    }
}

fn parse_port(text: &str, names: &dyn Names) -> Result<u16, String> {
    if text.is_empty() {
        return Err("the port is missing".to_owned());
    }
    let port = if is_number(text) {
        text.parse()
            .map_err(|_| format!("a port is at most 65535, not {text}"))?
    } else {
        let port = names.port(text, "tcp").or_else(|| names.port(text, "udp"));
        port.ok_or_else(|| format!("there is no service {text} in /etc/services: give a number"))?
    };
    match port {
        0 => Err("there is no port 0".to_owned()),
        port => Ok(port),
    }
}

impl fmt::Display for ToPorts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some((first, last)) if first == last => first.fmt(out),
            Some((first, last)) => write!(out, "{first}-{last}"),
            None => Ok(()),
        }
    }
}

impl Plain for ToPorts {
    type Kinds = (u16, u16);

    fn read(nest: &Nest<'_>, (first, last): Self::Kinds) -> Result<Option<Self>, Error> {
        let last = Plain::read(nest, last)?;
        let first = Plain::read(nest, first)?;
        Ok(Some(Self(
            first.map(|first| (first, last.unwrap_or(first))),
        )))
    }

    fn write(&self, kinds: Self::Kinds, nest: &mut Writer) {
        if let Some((first, last)) = self.0 {
            nest.u16(kinds.0, first);
            nest.u16(kinds.1, last);
        }
    }

    fn json(&self, _key: &str, object: &mut Map<String, Value>) {
        let (first, last) = self.0.unzip();
        object.insert("first_port".to_owned(), json!(first));
        object.insert("last_port".to_owned(), json!(last));
    }
}

impl Extension for Redirect {
    fn kind(&self) -> &'static ExtensionType {
        &TYPE
    }

    fn check(&mut self, rule: &RuleContext<'_>) -> Result<(), String> {
        let protocol = rule.only_protocol();
        let has_ports = WITH_PORTS.iter().any(|(_, one)| Some(*one) == protocol);
        if self.ports.0.is_some() && !has_ports {
            return Err(
                "--to-ports needs -p tcp, or another protocol that has ports, in the same rule"
                    .to_owned(),
            );
        }
        Ok(())
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
