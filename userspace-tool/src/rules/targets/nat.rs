// SPDX-License-Identifier: GPL-2.0

//! `-j DNAT` and `-j SNAT`: translate the destination or the source of a connection.

use std::{fmt, net::IpAddr};

use serde_json::{Map, Value, json};

use super::to_ports::{ToPorts, parse_port};
use crate::{
    error::Error,
    fields::{Fields, Plain, nest},
    netlink::{Nest, Writer, spec::attribute::target},
    rules::model::{
        address::AddressRange,
        extension::{Extension, ExtensionType, RuleContext},
        family::Family,
        names::Names,
        options::{Given, is, options},
    },
};

/// The target `DNAT`.
pub(super) static DNAT: ExtensionType = ExtensionType {
    about: "send the connection to another address or port",
    options: options!(Dnat {
        [] "to-destination": "[ADDR[-ADDR]][:PORT[-PORT[/BASE]]]" => to: To::given,
            "to this address or one of these, at this port or one of these; with a BASE \
             to the first port from port BASE, to the second from the next one, and so on; \
             an IPv6 address before a port has brackets";
        [] "random" => random: is(true), "to a port of these that is chosen at random";
        [] "persistent" => persistent: is(true),
            "a client is sent to the same address of these whatever it connects to";
    }),
    required: Some("to"),
    notes: "\
The target is for PREROUTING and OUTPUT of the table nat (-t nat). The rule is for the IP version of the
addresses; ports need -p tcp or another protocol that has ports. Of several addresses each client gets one
that follows from its own and from the one that it connects to.
",
    examples: &[
        "-t nat -A PREROUTING -i eth0 -p tcp --dport 80 -j DNAT --to-destination 10.0.0.2:8080",
        "-t nat -A PREROUTING -p tcp --dport 443 -j DNAT --to-destination 10.0.0.2-10.0.0.5 --persistent",
        "-t nat -A PREROUTING -p tcp --dport 80 -j DNAT --to-destination [2001:db8::2]:8080",
    ],
    ..ExtensionType::nested::<Dnat>("DNAT", target::DNAT)
};

/// The target `SNAT`.
pub(super) static SNAT: ExtensionType = ExtensionType {
    about: "have the connection come from another address or port",
    options: options!(Snat {
        [] "to-source": "[ADDR[-ADDR]][:PORT[-PORT]]" => to: To::source,
            "from this address or one of these, at this port or one of these; an IPv6 \
             address before a port has brackets";
        [] "random" => random: is(true), "from a port that is chosen at random";
        [] "random-fully" => random_fully: is(true), "the same";
        [] "persistent" => persistent: is(true),
            "a client has the same address of these whatever it connects to";
    }),
    required: Some("to"),
    notes: "\
The target is for POSTROUTING and INPUT of the table nat (-t nat). The rule is for the IP version of the
addresses; ports need -p tcp or another protocol that has ports. Without ports a connection keeps its own
if that is free. Where the address changes, use -j MASQUERADE.
",
    examples: &["-t nat -A POSTROUTING -o eth0 -s 10.0.0.0/24 -j SNAT --to-source 192.0.2.1"],
    ..ExtensionType::nested::<Snat>("SNAT", target::SNAT)
};

nest! {
    struct Dnat: nat {
        to: To = (ADDRESS_FIRST, ADDRESS_LAST, PORT_FIRST, PORT_LAST, PORT_BASE)
            => "--to-destination";
        random: bool = RANDOM => "--random";
        persistent: bool = PERSISTENT => "--persistent";
    }
}

nest! {
    struct Snat: nat {
        to: To = (ADDRESS_FIRST, ADDRESS_LAST, PORT_FIRST, PORT_LAST, PORT_BASE)
            => "--to-source";
        random: bool = RANDOM => "--random";
        random_fully: bool = RANDOM_FULLY => "--random-fully";
        persistent: bool = PERSISTENT => "--persistent";
    }
}

/// Where connections go to or come from.
#[derive(Clone, Copy, Debug, Default)]
struct To {
    addresses: Option<AddressRange>,
    ports: ToPorts,
    /// The original port that becomes the first of the ports.
    base: Option<u16>,
}

/// How iptables writes it, for the message about something else.
const FORMS: &str =
    "this is such as 192.0.2.1, 192.0.2.1:80, 192.0.2.1-192.0.2.9, :8000-8010 or [2001:db8::1]:80";

impl To {
    fn given(given: &Given<'_>) -> Result<Self, String> {
        let (addresses, ports) = split(given.value())?;
        let (ports, base) = match ports {
            Some(text) => parse_ports(text, given.names)?,
            None => (ToPorts::default(), None),
        };
        Ok(Self {
            addresses: addresses.map(parse_addresses).transpose()?,
            ports,
            base,
        })
    }

    fn source(given: &Given<'_>) -> Result<Self, String> {
        let to = Self::given(given)?;
        match to.base {
            Some(_) => Err("only DNAT counts ports from another one".to_owned()),
            None => Ok(to),
        }
    }

    fn family(&self) -> Option<Family> {
        Some(self.addresses?.family())
    }
}

/// Take addresses and ports apart.
fn split(text: &str) -> Result<(Option<&str>, Option<&str>), String> {
    if let Some(rest) = text.strip_prefix('[') {
        return match rest.split_once(']') {
            Some((addresses, "")) if addresses.contains(':') => Ok((Some(addresses), None)),
            Some((addresses, ports)) if addresses.contains(':') => {
                let ports = ports.strip_prefix(':').ok_or(FORMS)?;
                Ok((Some(addresses), Some(ports)))
            }
            Some(_) => Err("brackets are for IPv6 addresses".to_owned()),
            None => Err("the ] behind the address is missing".to_owned()),
        };
    }
    let (first, last) = ends(text);
    if first.parse::<IpAddr>().is_ok() && last.parse::<IpAddr>().is_ok() {
        return Ok((Some(text), None));
    }
    match text.split_once(':') {
        None => Ok((Some(text), None)),
        Some((addresses, ports)) if addresses.contains('.') && ports.contains(':') => {
            Err("a range of ports has a hyphen, as in :8000-8010".to_owned())
        }
        Some((_, ports)) if ports.contains(':') => Err(FORMS.to_owned()),
        Some(("", ports)) => Ok((None, Some(ports))),
        Some((addresses, ports)) => Ok((Some(addresses), Some(ports))),
    }
}

/// The ends of a range of addresses.
fn ends(text: &str) -> (&str, &str) {
    text.split_once('-').unwrap_or((text, text))
}

fn parse_addresses(text: &str) -> Result<AddressRange, String> {
    let (first, last) = ends(text);
    let address = |text: &str| text.parse::<IpAddr>().map_err(|_| FORMS);
    AddressRange::new(address(first)?, address(last)?)
}

/// Ports, and the one that they are counted from.
fn parse_ports(text: &str, names: &dyn Names) -> Result<(ToPorts, Option<u16>), String> {
    let (ports, base) = match text.split_once('/') {
        Some((ports, base)) => (ports, Some(parse_port(base, names)?)),
        None => (text, None),
    };
    Ok((ToPorts::parse(ports, names)?, base))
}

impl fmt::Display for To {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(AddressRange { first, last }) = self.addresses {
            let has_brackets = first.is_ipv6() && self.ports.0.is_some();
            let (open, close) = if has_brackets { ("[", "]") } else { ("", "") };
            match first == last {
                true => write!(out, "{open}{first}{close}")?,
                false => write!(out, "{open}{first}-{last}{close}")?,
            }
        }
        if self.ports.0.is_some() {
            write!(out, ":{}", self.ports)?;
        }
        match self.base {
            Some(base) => write!(out, "/{base}"),
            None => Ok(()),
        }
    }
}

impl Plain for To {
    type Kinds = (u16, u16, u16, u16, u16);

    fn read(
        nest: &Nest<'_>,
        (first, last, first_port, last_port, base): Self::Kinds,
    ) -> Result<Option<Self>, Error> {
        Ok(Some(Self {
            addresses: AddressRange::read(nest, (first, last))?,
            ports: ToPorts::read(nest, (first_port, last_port))?.unwrap_or_default(),
            base: Plain::read(nest, base)?,
        }))
    }

    fn write(&self, (first, last, first_port, last_port, base): Self::Kinds, nest: &mut Writer) {
        if let Some(addresses) = self.addresses {
            addresses.write((first, last), nest);
        }
        self.ports.write((first_port, last_port), nest);
        if let Some(port) = self.base {
            nest.u16(base, port);
        }
    }

    fn json(&self, key: &str, object: &mut Map<String, Value>) {
        let addresses = self.addresses;
        let (first, last) = addresses.map(|range| (range.first, range.last)).unzip();
        object.insert("first_address".to_owned(), json!(first));
        object.insert("last_address".to_owned(), json!(last));
        self.ports.json(key, object);
        object.insert("base_port".to_owned(), json!(self.base));
    }
}

impl Extension for Dnat {
    fn kind(&self) -> &'static ExtensionType {
        &DNAT
    }

    fn check(&mut self, rule: &RuleContext<'_>) -> Result<(), String> {
        (self.to.ports).check("--to-destination with a port", rule)
    }

    fn family(&self) -> Option<Family> {
        self.to.family()
    }

    fn list(&self) -> String {
        self.save()
            .replace("--to-destination ", "to:")
            .replace(" --", " ")
    }
}

impl Extension for Snat {
    fn kind(&self) -> &'static ExtensionType {
        &SNAT
    }

    fn check(&mut self, rule: &RuleContext<'_>) -> Result<(), String> {
        self.to.ports.check("--to-source with a port", rule)
    }

    fn family(&self) -> Option<Family> {
        self.to.family()
    }

    fn list(&self) -> String {
        self.save()
            .replace("--to-source ", "to:")
            .replace(" --", " ")
    }
}
