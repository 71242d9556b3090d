// SPDX-License-Identifier: GPL-2.0

//! `-m multiport`: several ports at once.

use std::fmt;

use serde_json::{Map, Value, json};

use super::port_range::parse;
use crate::{
    error::Error,
    fields::{Field, Negatable, Plain, need, nest},
    netlink::{
        Nest, Writer,
        spec::{
            PORT_RANGES_MAX, PortsOf,
            attribute::{r#match, port_range},
        },
    },
    rules::model::{
        extension::{Extension, ExtensionType, RuleContext},
        options::{Given, options},
        protocol::WITH_PORTS,
        range::{self, Range, numbers},
    },
    text::quote,
};

/// The match `multiport`.
pub(super) static TYPE: ExtensionType = ExtensionType {
    about: "one of several ports and ranges of ports",
    options: options!(Multiport {
        [!] "sports", "source-ports": "PORT[:PORT],.." => ports: ports_of(PortsOf::Source),
            "one of these is the source port";
        [!] "dports", "destination-ports": "PORT[:PORT],.." => ports: ports_of(PortsOf::Destination),
            "one of these is the destination port";
        [!] "ports": "PORT[:PORT],.." => ports: ports_of(PortsOf::Either),
            "one of these is the source or the destination port; \
             at most 15 ports or ranges, of -p tcp, udp, udplite, sctp or dccp";
    }),
    required: Some("ports"),
    protocols: &WITH_PORTS,
    examples: &["-A INPUT -p tcp -m multiport --dports 22,80,443,8000:8010 -j ACCEPT"],
    ..ExtensionType::nested::<Multiport>("multiport", r#match::MULTIPORT)
};

nest! {
    struct Multiport: multiport {
        ports: Negatable<Ports> = (PORTS_OF, RANGE) ! INVERT, or Negatable::plain(Ports::default());
    }
}

#[derive(Clone, Debug)]
struct Ports {
    of: PortsOf,
    ranges: Vec<Range>,
    /// The ranges as they were given: which numbers their names stand for depends on the protocol.
    text: String,
}

impl Default for Ports {
    fn default() -> Self {
        Self {
            of: PortsOf::Either,
            ranges: Vec::new(),
            text: String::new(),
        }
    }
}

fn ports_of(of: PortsOf) -> impl Fn(&Given<'_>) -> Result<Ports, String> {
    move |given| {
        Ok(Ports {
            of,
            text: given.value().to_owned(),
            ..Ports::default()
        })
    }
}

impl Ports {
    fn option(&self) -> &'static str {
        match self.of {
            PortsOf::Source => "sports",
            PortsOf::Destination => "dports",
            PortsOf::Either => "ports",
        }
    }

    fn parse(&self, rule: &RuleContext<'_>) -> Result<Vec<Range>, String> {
        let count = self.text.split(',').count();
        if count > PORT_RANGES_MAX as usize {
            return Err(format!(
                "at most {PORT_RANGES_MAX} ports or ranges fit in, these are {count}: use a second \
                 rule"
            ));
        }
        let number = rule.only_protocol();
        let mut transports = WITH_PORTS.iter();
        let transport = transports.find(|(_, known)| Some(*known) == number);
        let (transport, _) = transport.copied().unwrap_or_default();
        let ports = self.text.split(',');
        ports
            .map(|port| parse(port, transport, rule.names))
            .collect()
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "--{} {}", self.option(), range::list(&self.ranges))
    }
}

impl Plain for Ports {
    type Kinds = (u16, u16);

    fn read(nest: &Nest<'_>, (of, range): Self::Kinds) -> Result<Option<Self>, Error> {
        let ranges = nest.all(range).map(|range| {
            let ends = (port_range::FIRST, port_range::LAST);
            need(&range.nest()?, ends, "a range lacks its ports")
        });
        Ok(Some(Self {
            of: Plain::read(nest, of)?.unwrap_or(PortsOf::Either),
            ranges: ranges.collect::<Result<_, _>>()?,
            text: String::new(),
        }))
    }

    fn write(&self, (of, range): Self::Kinds, nest: &mut Writer) {
        Plain::write(&self.of, of, nest);
        for one in &self.ranges {
            nest.nested(range, |nest| {
                Plain::write(one, (port_range::FIRST, port_range::LAST), nest);
            });
        }
    }

    fn json(&self, _key: &str, object: &mut Map<String, Value>) {
        let ranges: Value = self.ranges.iter().map(Field::value).collect();
        object.insert("ports_of".to_owned(), json!(self.of.to_string()));
        object.insert("ranges".to_owned(), ranges);
    }
}

impl Extension for Multiport {
    fn kind(&self) -> &'static ExtensionType {
        &TYPE
    }

    fn check(&mut self, rule: &RuleContext<'_>) -> Result<(), String> {
        let ports = &mut self.ports.value;
        ports.ranges = ports
            .parse(rule)
            .map_err(|reason| format!("--{} {}: {reason}", ports.option(), quote(&ports.text)))?;
        Ok(())
    }

    fn destination_ports(&self) -> Option<Vec<Range>> {
        let ports = &self.ports.value;
        (ports.of == PortsOf::Destination).then(|| numbers(&ports.ranges, self.ports.inverted))
    }

    fn list(&self) -> String {
        let (ports, mark) = (&self.ports.value, self.ports.mark());
        format!(
            " multiport {} {mark}{}",
            ports.option(),
            range::list(&ports.ranges)
        )
    }
}
