// SPDX-License-Identifier: GPL-2.0

//! `-j REDIRECT`: the connection is sent to this machine.

use std::rc::Rc;

use serde_json::{Value, json};

use crate::{
    error::Error,
    netlink::{
        Attribute, Writer,
        spec::attribute::{redirect as attribute, target},
    },
    rules::model::{
        extension::{Extension, ExtensionOption, ExtensionType, Given, set_once},
        names::Names,
        rule::Negatable,
    },
};

pub(super) static TYPE: ExtensionType = ExtensionType {
    name: "REDIRECT",
    help: "\
    --to-ports PORT[-PORT]   to this port or to one of these, with -p tcp or another protocol that has
                             ports; to the same port if not given
    --random                 to a port of these that is chosen at random
The target is for PREROUTING and OUTPUT of the table nat (-t nat). Without options it is taken in INPUT of
the table filter, too: what comes there has come to this machine, and is accepted.
",
    options: &[
        ExtensionOption::value(&["to-ports"]),
        ExtensionOption::flag(&["random"]),
    ],
    attribute: target::REDIRECT,
    new: || Box::new(Redirect::default()),
    decode: |nest| Ok(Rc::new(Redirect::decode(nest)?)),
};

/// The numbers of the protocols that have ports: TCP, UDP, DCCP, SCTP and UDP-Lite.
const WITH_PORTS: [u8; 5] = [6, 17, 33, 132, 136];

#[derive(Debug, Default)]
struct Redirect {
    /// The first and the last port.
    ports: Option<(u16, u16)>,
    random: Option<()>,
}

impl Redirect {
    fn decode(nest: &Attribute<'_>) -> Result<Self, Error> {
        let (mut first, mut last, mut random) = (None, None, None);
        for attribute in nest.nested() {
            let attribute = attribute?;
            match attribute.kind {
                attribute::PORT_FIRST => first = Some(attribute.u16()?),
                attribute::PORT_LAST => last = Some(attribute.u16()?),
                attribute::RANDOM => random = Some(()),
                _ => {}
            }
        }
        Ok(Self {
            ports: first.map(|first| (first, last.unwrap_or(first))),
            random,
        })
    }

    /// The ports as they are written.
    fn written(&self) -> Option<String> {
        let (first, last) = self.ports?;
        Some(if first == last {
            first.to_string()
        } else {
            format!("{first}-{last}")
        })
    }
}

fn parse_port(text: &str, names: &dyn Names) -> Result<u16, String> {
    if text.is_empty() {
        return Err("the port is missing".to_owned());
    }
    let port = if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse()
            .map_err(|_| format!("a port is at most 65535, not {text}"))?
    } else {
        names
            .port(text, "tcp")
            .or_else(|| names.port(text, "udp"))
            .ok_or_else(|| format!("there is no service {text} in /etc/services: give a number"))?
    };
    match port {
        0 => Err("there is no port 0".to_owned()),
        port => Ok(port),
    }
}

fn parse_ports(text: &str, names: &dyn Names) -> Result<(u16, u16), String> {
    // The name of a service may have a hyphen in it.
    if let Ok(port) = parse_port(text, names) {
        return Ok((port, port));
    }
    let Some((first, last)) = text.split_once('-') else {
        return parse_port(text, names).map(|port| (port, port));
    };
    let (first, last) = (parse_port(first, names)?, parse_port(last, names)?);
    if first > last {
        return Err("the range ends before it starts".to_owned());
    }
    Ok((first, last))
}

impl Extension for Redirect {
    fn name(&self) -> &'static str {
        TYPE.name
    }

    fn option(&mut self, given: &Given<'_>) -> Result<(), String> {
        match given.name {
            "to-ports" => set_once(&mut self.ports, parse_ports(given.value(), given.names)?),
            _ => set_once(&mut self.random, ()),
        }
    }

    fn check(&mut self, protocol: Option<&Negatable<u8>>) -> Result<(), String> {
        let has_ports = protocol
            .is_some_and(|protocol| WITH_PORTS.contains(&protocol.value) && !protocol.inverted);
        if self.ports.is_some() && !has_ports {
            return Err(
                "--to-ports needs -p tcp, or another protocol that has ports, in the same rule"
                    .to_owned(),
            );
        }
        Ok(())
    }

    fn save(&self) -> String {
        let mut text = String::new();
        if let Some(ports) = self.written() {
            text += &format!(" --to-ports {ports}");
        }
        if self.random.is_some() {
            text += " --random";
        }
        text
    }

    fn list(&self) -> String {
        let mut text = String::new();
        if let Some(ports) = self.written() {
            text += &format!(" redir ports {ports}");
        }
        if self.random.is_some() {
            text += " random";
        }
        text
    }

    fn json(&self) -> Value {
        let (first, last) = self.ports.unzip();
        json!({
            "first_port": first,
            "last_port": last,
            "random": self.random.is_some(),
        })
    }

    fn encode(&self, request: &mut Writer) {
        request.nested(TYPE.attribute, |nest| {
            if let Some((first, last)) = self.ports {
                let label = format!("--to-ports {}", self.written().unwrap_or_default());
                nest.labelled(label, |nest| {
                    nest.u16(attribute::PORT_FIRST, first);
                    nest.u16(attribute::PORT_LAST, last);
                });
            }
            if self.random.is_some() {
                nest.labelled("--random", |nest| nest.flag(attribute::RANDOM));
            }
        });
    }
}
