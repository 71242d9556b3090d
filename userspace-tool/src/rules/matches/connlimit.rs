// SPDX-License-Identifier: GPL-2.0

//! `-m connlimit`: how many connections a host or a network has.

use std::rc::Rc;

use serde_json::{Value, json};

use crate::{
    error::Error,
    netlink::{
        Attribute, Writer,
        spec::attribute::{connlimit as attribute, r#match},
    },
    rules::model::{
        extension::{Extension, ExtensionOption, ExtensionType, Given, set_once},
        rule::{Family, Negatable},
    },
};

pub(super) static TYPE: ExtensionType = ExtensionType {
    name: "connlimit",
    help: "\
[!] --connlimit-above N     match if there are more connections than N, this one included
[!] --connlimit-upto N      match if there are N connections or fewer
    --connlimit-mask BITS   count the connections of a network with such a prefix together, those of
                            an address if not given; BITS from 0 to 32 make the rule one for IPv4 if
                            nothing else says which it is for, greater ones one for IPv6
    --connlimit-saddr       count by source address (the default)
    --connlimit-daddr       count by destination address
",
    options: &[
        ExtensionOption::value(&["connlimit-above"]).negatable(),
        ExtensionOption::value(&["connlimit-upto"]).negatable(),
        ExtensionOption::value(&["connlimit-mask"]),
        ExtensionOption::flag(&["connlimit-saddr"]),
        ExtensionOption::flag(&["connlimit-daddr"]),
    ],
    attribute: r#match::CONNLIMIT,
    new: || Box::new(Connlimit::default()),
    decode: |nest| Ok(Rc::new(Connlimit::decode(nest)?)),
};

/// The most bits of a prefix in IPv4.
const IPV4_BITS: u8 = 32;

#[derive(Debug, Default)]
struct Connlimit {
    /// There are more connections; inverted, there are not.
    connections: Option<Negatable<u32>>,
    prefix_length: Option<u8>,
    by_destination: Option<bool>,
}

impl Connlimit {
    fn decode(nest: &Attribute<'_>) -> Result<Self, Error> {
        let mut connlimit = Self {
            by_destination: Some(false),
            ..Self::default()
        };
        let (mut value, mut inverted) = (0, false);
        for attribute in nest.nested() {
            let attribute = attribute?;
            match attribute.kind {
                attribute::CONNECTIONS => value = attribute.u32()?,
                attribute::INVERT => inverted = true,
                attribute::PREFIX_LENGTH => connlimit.prefix_length = Some(attribute.u8()?),
                attribute::DESTINATION => connlimit.by_destination = Some(true),
                _ => {}
            }
        }
        connlimit.connections = Some(Negatable { inverted, value });
        Ok(connlimit)
    }

    fn connections(&self) -> Negatable<u32> {
        self.connections.unwrap_or(Negatable {
            inverted: false,
            value: 0,
        })
    }

    fn by_destination(&self) -> bool {
        self.by_destination.unwrap_or(false)
    }

    fn limit(&self) -> String {
        let Negatable { inverted, value } = self.connections();
        let option = if inverted { "upto" } else { "above" };
        format!("--connlimit-{option} {value}")
    }
}

fn parse_number(text: &str, most: u32) -> Result<u32, String> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(number) if digits && number <= most => Ok(number),
        _ => Err(format!("this has to be a number from 0 to {most}")),
    }
}

impl Extension for Connlimit {
    fn name(&self) -> &'static str {
        TYPE.name
    }

    fn option(&mut self, given: &Given<'_>) -> Result<(), String> {
        match given.name {
            "connlimit-above" | "connlimit-upto" => {
                let connections = Negatable {
                    inverted: given.inverted != (given.name == "connlimit-upto"),
                    value: parse_number(given.value(), u32::MAX)?,
                };
                set_once(&mut self.connections, connections).map_err(|_| {
                    "--connlimit-above or --connlimit-upto was given before".to_owned()
                })
            }
            "connlimit-mask" => {
                let bits = parse_number(given.value(), 128)? as u8;
                set_once(&mut self.prefix_length, bits)
            }
            side => set_once(&mut self.by_destination, side == "connlimit-daddr")
                .map_err(|_| "--connlimit-saddr or --connlimit-daddr was given before".to_owned()),
        }
    }

    fn check(&mut self, _protocol: Option<&Negatable<u8>>) -> Result<(), String> {
        match self.connections {
            Some(_) => Ok(()),
            None => Err("needs --connlimit-above or --connlimit-upto".to_owned()),
        }
    }

    fn family(&self) -> Option<Family> {
        (self.prefix_length? > IPV4_BITS).then_some(Family::Ipv6)
    }

    fn default_family(&self) -> Option<Family> {
        (self.prefix_length? <= IPV4_BITS).then_some(Family::Ipv4)
    }

    fn save(&self) -> String {
        let mut text = format!(" {}", self.limit());
        if let Some(bits) = self.prefix_length {
            text += &format!(" --connlimit-mask {bits}");
        }
        let side = if self.by_destination() {
            "daddr"
        } else {
            "saddr"
        };
        text + &format!(" --connlimit-{side}")
    }

    fn list(&self) -> String {
        let Negatable { inverted, value } = self.connections();
        let side = if self.by_destination() { "dst" } else { "src" };
        let mask = self.prefix_length.map(|bits| format!("/{bits}"));
        let sign = if inverted { "<=" } else { ">" };
        format!(" #conn {side}{} {sign} {value}", mask.unwrap_or_default())
    }

    fn json(&self) -> Value {
        let Negatable { inverted, value } = self.connections();
        json!({
            "connections": value,
            "inverted": inverted,
            "prefix_length": self.prefix_length,
            "by": if self.by_destination() { "destination" } else { "source" },
        })
    }

    fn encode(&self, request: &mut Writer) {
        let Negatable { inverted, value } = self.connections();
        request.nested(TYPE.attribute, |nest| {
            nest.labelled(self.limit(), |nest| {
                nest.u32(attribute::CONNECTIONS, value);
                if inverted {
                    nest.flag(attribute::INVERT);
                }
            });
            if let Some(bits) = self.prefix_length {
                nest.labelled(format_args!("--connlimit-mask {bits}"), |nest| {
                    nest.u8(attribute::PREFIX_LENGTH, bits);
                });
            }
            if self.by_destination() {
                nest.labelled("--connlimit-daddr", |nest| {
                    nest.flag(attribute::DESTINATION)
                });
            }
        });
    }
}
