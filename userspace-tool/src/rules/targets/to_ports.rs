// SPDX-License-Identifier: GPL-2.0

//! The ports that connections are translated to.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::{
    error::Error,
    fields::Plain,
    netlink::{Nest, Writer},
    rules::model::{extension::RuleContext, names::Names, options::Given, protocol::WITH_PORTS},
    text::is_number,
};

/// The first and the last port, if there are any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ToPorts(pub(super) Option<(u16, u16)>);

impl ToPorts {
    /// The value of an option.
    pub(super) fn given(given: &Given<'_>) -> Result<Self, String> {
        Self::parse(given.value(), given.names)
    }

    pub(super) fn parse(text: &str, names: &dyn Names) -> Result<Self, String> {
        // The name of a service may have a hyphen in it.
        let (first, last) = match (parse_port(text, names), text.split_once('-')) {
            (Err(_), Some((first, last))) => (parse_port(first, names)?, parse_port(last, names)?),
            (port, _) => port.map(|port| (port, port))?,
        };
        if first > last {
            return Err("the range of ports ends before it starts".to_owned());
        }
        Ok(Self(Some((first, last))))
    }

    /// Refuse ports in a rule that is not for packets that have any.
    pub(super) fn check(self, option: &str, rule: &RuleContext<'_>) -> Result<(), String> {
        let protocol = rule.only_protocol();
        let has_ports = WITH_PORTS.iter().any(|(_, one)| Some(*one) == protocol);
        if self.0.is_some() && !has_ports {
            return Err(format!(
                "{option} needs -p tcp, or another protocol that has ports, in the same rule"
            ));
        }
        Ok(())
    }
}

/// A port other than 0, or a service's name.
pub(super) fn parse_port(text: &str, names: &dyn Names) -> Result<u16, String> {
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
