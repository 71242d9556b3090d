// SPDX-License-Identifier: GPL-2.0

//! `-m connlimit`: how many connections a host or a network has.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::{
    error::Error,
    fields::{Plain, nest},
    netlink::{Nest, Writer, spec::attribute::r#match},
    rules::model::{
        extension::{Extension, ExtensionType},
        family::Family,
        options::{Given, is, number, options, parse_number},
    },
};

/// The match `connlimit`.
pub(super) static TYPE: ExtensionType = ExtensionType {
    about: "how many connections an address or a network has",
    options: options!(Connlimit {
        [!] "connlimit-above": "N" => connections: above,
            "match if there are more connections than N, this one included";
        [!] "connlimit-upto": "N" => connections: upto,
            "match if there are N connections or fewer";
        [] "connlimit-mask": "BITS" => prefix_length: number(0, 128),
            "count the connections of a network with such a prefix together, those of \
             an address if not given; BITS from 0 to 32 make the rule one for IPv4 if \
             nothing else says which it is for, greater ones one for IPv6";
        [] "connlimit-saddr" => by: is(Side::Source), "count by source address (the default)";
        [] "connlimit-daddr" => by: is(Side::Destination), "count by destination address";
    }),
    required: Some("connections"),
    examples: &[
        "-A INPUT -p tcp --syn -m connlimit --connlimit-above 20 --connlimit-mask 24 -j DROP",
    ],
    ..ExtensionType::nested::<Connlimit>("connlimit", r#match::CONNLIMIT)
};

/// The most bits of a prefix in IPv4.
const IPV4_BITS: u8 = 32;

nest! {
    struct Connlimit: connlimit {
        connections: Connections = (CONNECTIONS, INVERT);
        prefix_length: Option<u8> = PREFIX_LENGTH => "--connlimit-mask";
        by: Side = DESTINATION;
    }
}

/// How many connections there are.
#[derive(Clone, Copy, Debug, Default)]
struct Connections {
    number: u32,
    /// Match up to that number, rather than above it.
    is_upto: bool,
}

fn above(given: &Given<'_>) -> Result<Connections, String> {
    Ok(Connections {
        number: parse_number(given.value(), 0, u32::MAX)?,
        is_upto: given.inverted,
    })
}

fn upto(given: &Given<'_>) -> Result<Connections, String> {
    above(given).map(|connections| Connections {
        is_upto: !given.inverted,
        ..connections
    })
}

impl fmt::Display for Connections {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let option = if self.is_upto { "upto" } else { "above" };
        write!(out, "--connlimit-{option} {}", self.number)
    }
}

impl Plain for Connections {
    type Kinds = (u16, u16);

    fn read(nest: &Nest<'_>, (number, invert): Self::Kinds) -> Result<Option<Self>, Error> {
        let is_upto = nest.has(invert);
        Ok(Plain::read(nest, number)?.map(|number| Self { number, is_upto }))
    }

    fn write(&self, (number, invert): Self::Kinds, nest: &mut Writer) {
        nest.u32(number, self.number);
        nest.flag_if(invert, self.is_upto);
    }

    fn json(&self, key: &str, object: &mut Map<String, Value>) {
        object.insert(key.to_owned(), json!(self.number));
        object.insert("inverted".to_owned(), json!(self.is_upto));
    }
}

/// Whose connections are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Side {
    #[default]
    Source,
    Destination,
}

impl fmt::Display for Side {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Source => "--connlimit-saddr",
            Self::Destination => "--connlimit-daddr",
        })
    }
}

impl Plain for Side {
    type Kinds = u16;

    fn read(nest: &Nest<'_>, destination: u16) -> Result<Option<Self>, Error> {
        Ok(nest.has(destination).then_some(Self::Destination))
    }

    fn write(&self, destination: u16, nest: &mut Writer) {
        nest.flag_if(destination, *self == Self::Destination);
    }

    fn json(&self, key: &str, object: &mut Map<String, Value>) {
        let side = match self {
            Self::Source => "source",
            Self::Destination => "destination",
        };
        object.insert(key.to_owned(), json!(side));
    }
}

impl Extension for Connlimit {
    fn kind(&self) -> &'static ExtensionType {
        &TYPE
    }

    fn family(&self) -> Option<Family> {
        (self.prefix_length? > IPV4_BITS).then_some(Family::Ipv6)
    }

    fn default_family(&self) -> Option<Family> {
        (self.prefix_length? <= IPV4_BITS).then_some(Family::Ipv4)
    }

    fn list(&self) -> String {
        let Connections { number, is_upto } = self.connections;
        let side = match self.by {
            Side::Source => "src",
            Side::Destination => "dst",
        };
        let mask = self.prefix_length.map(|bits| format!("/{bits}"));
        let sign = if is_upto { "<=" } else { ">" };
        format!(" #conn {side}{} {sign} {number}", mask.unwrap_or_default())
    }
}
