// SPDX-License-Identifier: GPL-2.0

//! Ports, which TCP and UDP match in the same way.

use serde_json::{Value, json};

use super::port_range::PortRange;
use crate::{
    error::Error,
    netlink::{Attribute, Writer, spec::attribute::ports as attribute},
    rules::model::{
        extension::{ExtensionOption, Given, set_once},
        rule::Negatable,
    },
};

pub(super) const SOURCE: ExtensionOption =
    ExtensionOption::value(&["sport", "source-port"]).negatable();
pub(super) const DESTINATION: ExtensionOption =
    ExtensionOption::value(&["dport", "destination-port"]).negatable();

#[derive(Debug, Default)]
pub(super) struct Ports {
    source: Option<Negatable<PortRange>>,
    destination: Option<Negatable<PortRange>>,
}

/// What belongs to one end of a connection.
struct End {
    option: &'static str,
    /// What -L calls it.
    short: &'static str,
    first: u16,
    last: u16,
    invert: u16,
}

static SOURCE_END: End = End {
    option: "sport",
    short: "spt",
    first: attribute::SOURCE_FIRST,
    last: attribute::SOURCE_LAST,
    invert: attribute::SOURCE_INVERT,
};

static DESTINATION_END: End = End {
    option: "dport",
    short: "dpt",
    first: attribute::DESTINATION_FIRST,
    last: attribute::DESTINATION_LAST,
    invert: attribute::DESTINATION_INVERT,
};

impl Ports {
    pub(super) fn decode(nest: &Attribute<'_>) -> Result<Self, Error> {
        Ok(Self {
            source: decode_end(nest, &SOURCE_END)?,
            destination: decode_end(nest, &DESTINATION_END)?,
        })
    }

    /// The ends that are restricted.
    fn ends(&self) -> impl Iterator<Item = (&Negatable<PortRange>, &'static End)> {
        let source = self.source.iter().map(|ports| (ports, &SOURCE_END));
        source.chain(
            self.destination
                .iter()
                .map(|ports| (ports, &DESTINATION_END)),
        )
    }

    pub(super) fn option(&mut self, given: &Given<'_>, transport: &str) -> Result<(), String> {
        let ports = Negatable {
            inverted: given.inverted,
            value: PortRange::parse(given.value(), transport, given.names)?,
        };
        let slot = match given.name {
            "sport" => &mut self.source,
            _ => &mut self.destination,
        };
        set_once(slot, ports)
    }

    /// As in iptables, all ports are no restriction.
    pub(super) fn simplify(&mut self) {
        for end in [&mut self.source, &mut self.destination] {
            end.take_if(|ports| ports.value == PortRange::ALL && !ports.inverted);
        }
    }

    /// The destination port, if there is only one.
    pub(super) fn destination_port(&self) -> Option<u16> {
        let ports = self.destination.filter(|ports| !ports.inverted)?.value;
        (ports.first == ports.last).then_some(ports.first)
    }

    pub(super) fn save(&self) -> String {
        let mut text = String::new();
        for (ports, end) in self.ends() {
            text += &format!(" {}--{} {}", ports.prefix(), end.option, ports.value);
        }
        text
    }

    pub(super) fn list(&self) -> String {
        let mut text = String::new();
        for (ports, end) in self.ends() {
            let plural = if ports.value.first == ports.value.last {
                ""
            } else {
                "s"
            };
            text += &format!(" {}{plural}:{}{}", end.short, ports.mark(), ports.value);
        }
        text
    }

    pub(super) fn json(&self) -> Value {
        let end = |end: &Option<Negatable<PortRange>>| {
            end.map(|ports| {
                json!({
                    "first": ports.value.first,
                    "last": ports.value.last,
                    "inverted": ports.inverted,
                })
            })
        };
        json!({ "source": end(&self.source), "destination": end(&self.destination) })
    }

    pub(super) fn encode(&self, nest: &mut Writer) {
        for (ports, end) in self.ends() {
            nest.labelled(format_args!("--{} {}", end.option, ports.value), |nest| {
                nest.u16(end.first, ports.value.first);
                nest.u16(end.last, ports.value.last);
                if ports.inverted {
                    nest.flag(end.invert);
                }
            });
        }
    }
}

fn decode_end(nest: &Attribute<'_>, end: &End) -> Result<Option<Negatable<PortRange>>, Error> {
    let (mut first, mut last, mut inverted) = (None, None, false);
    for attribute in nest.nested() {
        let attribute = attribute?;
        match attribute.kind {
            kind if kind == end.first => first = Some(attribute.u16()?),
            kind if kind == end.last => last = Some(attribute.u16()?),
            kind if kind == end.invert => inverted = true,
            _ => {}
        }
    }
    if first.is_none() && last.is_none() {
        return Ok(None);
    }
    let value = PortRange {
        first: first.unwrap_or(PortRange::ALL.first),
        last: last.unwrap_or(PortRange::ALL.last),
    };
    Ok(Some(Negatable { inverted, value }))
}

/// Refuse a rule whose packets do not all have the ports that are asked for.
pub(super) fn need_protocol(
    protocol: Option<&Negatable<u8>>,
    number: u8,
    name: &str,
) -> Result<(), String> {
    match protocol {
        Some(protocol) if protocol.value == number && !protocol.inverted => Ok(()),
        _ => Err(format!("needs -p {name} in the same rule")),
    }
}
