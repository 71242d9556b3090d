// SPDX-License-Identifier: GPL-2.0

//! `-m multiport`: several ports at once.

use std::rc::Rc;

use serde_json::{Value, json};

use super::port_range::PortRange;
use crate::{
    error::Error,
    netlink::{
        Attribute, Writer,
        spec::{
            PORT_RANGES_MAX, PortsOf,
            attribute::{r#match, multiport as attribute, port_range},
        },
    },
    rules::model::{
        extension::{Extension, ExtensionOption, ExtensionType, Given, set_once},
        names::Names,
        protocol,
        rule::Negatable,
    },
    text::quote,
};

pub(super) static TYPE: ExtensionType = ExtensionType {
    name: "multiport",
    help: "\
[!] --sports, --source-ports PORT[:PORT],..   one of these is the source port
[!] --dports, --destination-ports PORT[:PORT],..
                                              one of these is the destination port
[!] --ports PORT[:PORT],..                    one of these is the source or the destination port
                                              at most 15 ports or ranges, of -p tcp, udp, udplite,
                                              sctp or dccp
",
    options: &[
        ExtensionOption::value(&["sports", "source-ports"]).negatable(),
        ExtensionOption::value(&["dports", "destination-ports"]).negatable(),
        ExtensionOption::value(&["ports"]).negatable(),
    ],
    attribute: r#match::MULTIPORT,
    new: || Box::new(Multiport::default()),
    decode: |nest| Ok(Rc::new(Multiport::decode(nest)?)),
};

/// The protocols that have ports, by which /etc/services tells services apart.
const TRANSPORTS: [(u8, &str); 5] = [
    (protocol::TCP, "tcp"),
    (protocol::UDP, "udp"),
    (136, "udplite"),
    (132, "sctp"),
    (33, "dccp"),
];

/// A list of ports as it was given: which numbers its names stand for is not known before the protocol is.
#[derive(Debug)]
struct Reading {
    option: &'static str,
    value: String,
    by_protocol: Vec<(u8, Result<Vec<PortRange>, String>)>,
}

#[derive(Debug, Default)]
struct Multiport {
    reading: Option<Reading>,
    ports_of: Option<Negatable<PortsOf>>,
    ranges: Vec<PortRange>,
}

impl Multiport {
    fn decode(nest: &Attribute<'_>) -> Result<Self, Error> {
        let (mut value, mut inverted) = (PortsOf::Either, false);
        let mut ranges = Vec::new();
        for attribute in nest.nested() {
            let attribute = attribute?;
            match attribute.kind {
                attribute::PORTS_OF => value = attribute.one_of(PortsOf::from_number)?,
                attribute::RANGE => ranges.push(decode_range(&attribute)?),
                attribute::INVERT => inverted = true,
                _ => {}
            }
        }
        Ok(Self {
            reading: None,
            ports_of: Some(Negatable { inverted, value }),
            ranges,
        })
    }

    fn ports_of(&self) -> Negatable<PortsOf> {
        self.ports_of.unwrap_or(Negatable {
            inverted: false,
            value: PortsOf::Either,
        })
    }

    fn option_name(&self) -> &'static str {
        match self.ports_of().value {
            PortsOf::Source => "sports",
            PortsOf::Destination => "dports",
            PortsOf::Either => "ports",
        }
    }

    fn list_of_ports(&self) -> String {
        let ranges: Vec<String> = self.ranges.iter().map(PortRange::to_string).collect();
        ranges.join(",")
    }
}

fn decode_range(nest: &Attribute<'_>) -> Result<PortRange, Error> {
    let (mut first, mut last) = (0, None);
    for attribute in nest.nested() {
        let attribute = attribute?;
        match attribute.kind {
            port_range::FIRST => first = attribute.u16()?,
            port_range::LAST => last = Some(attribute.u16()?),
            _ => {}
        }
    }
    Ok(PortRange {
        first,
        last: last.unwrap_or(first),
    })
}

fn parse_ports(text: &str, transport: &str, names: &dyn Names) -> Result<Vec<PortRange>, String> {
    let count = text.split(',').count();
    if count > PORT_RANGES_MAX as usize {
        return Err(format!(
            "at most {PORT_RANGES_MAX} ports or ranges fit in, these are {count}: use a second rule"
        ));
    }
    let ports = text.split(',');
    ports
        .map(|port| PortRange::parse(port, transport, names))
        .collect()
}

impl Extension for Multiport {
    fn name(&self) -> &'static str {
        TYPE.name
    }

    fn option(&mut self, given: &Given<'_>) -> Result<(), String> {
        let ports_of = Negatable {
            inverted: given.inverted,
            value: match given.name {
                "sports" => PortsOf::Source,
                "dports" => PortsOf::Destination,
                _ => PortsOf::Either,
            },
        };
        set_once(&mut self.ports_of, ports_of)
            .map_err(|_| "--sports, --dports or --ports was given before".to_owned())?;
        let readings = TRANSPORTS.iter().map(|(number, transport)| {
            let ports = parse_ports(given.value(), transport, given.names);
            (*number, ports)
        });
        self.reading = Some(Reading {
            option: given.name,
            value: given.value().to_owned(),
            by_protocol: readings.collect(),
        });
        Ok(())
    }

    fn check(&mut self, protocol: Option<&Negatable<u8>>) -> Result<(), String> {
        let Some(reading) = self.reading.take() else {
            return Err("needs --sports, --dports or --ports".to_owned());
        };
        let number = protocol
            .filter(|protocol| !protocol.inverted)
            .map(|protocol| protocol.value);
        let mut readings = reading.by_protocol.into_iter();
        let ports = readings.find(|(transport, _)| Some(*transport) == number);
        let Some((_, ports)) = ports else {
            return Err("needs -p tcp, udp, udplite, sctp or dccp in the same rule".to_owned());
        };
        self.ranges = ports.map_err(|reason| {
            format!("--{} {}: {reason}", reading.option, quote(&reading.value))
        })?;
        Ok(())
    }

    fn save(&self) -> String {
        let (prefix, option) = (self.ports_of().prefix(), self.option_name());
        format!(" {prefix}--{option} {}", self.list_of_ports())
    }

    fn list(&self) -> String {
        let (option, mark) = (self.option_name(), self.ports_of().mark());
        format!(" multiport {option} {mark}{}", self.list_of_ports())
    }

    fn json(&self) -> Value {
        let ports_of = self.ports_of();
        let ranges = self.ranges.iter();
        json!({
            "ports_of": ports_of.value.to_string(),
            "ranges": ranges
                .map(|range| json!({ "first": range.first, "last": range.last }))
                .collect::<Vec<Value>>(),
            "inverted": ports_of.inverted,
        })
    }

    fn encode(&self, request: &mut Writer) {
        let ports_of = self.ports_of();
        request.nested(TYPE.attribute, |nest| {
            let label = format!("--{} {}", self.option_name(), self.list_of_ports());
            nest.labelled(label, |nest| {
                nest.u32(attribute::PORTS_OF, ports_of.value.number());
                for range in &self.ranges {
                    nest.nested(attribute::RANGE, |nest| {
                        nest.u16(port_range::FIRST, range.first);
                        nest.u16(port_range::LAST, range.last);
                    });
                }
                if ports_of.inverted {
                    nest.flag(attribute::INVERT);
                }
            });
        });
    }
}
