// SPDX-License-Identifier: GPL-2.0

//! `-m tcp`: the ports and flags of a TCP segment.

use std::rc::Rc;

use serde_json::{Value, json};

use super::{
    ports::{self, Ports},
    tcp_flags::Flags,
};
use crate::{
    error::Error,
    netlink::{
        Attribute, Writer,
        spec::attribute::{r#match, tcp as attribute},
    },
    rules::model::{
        extension::{Extension, ExtensionOption, ExtensionType, Given, set_once},
        protocol,
        rule::Negatable,
    },
};

pub(super) static TYPE: ExtensionType = ExtensionType {
    name: "tcp",
    help: "\
[!] --sport, --source-port PORT[:PORT]        source port or range of ports
[!] --dport, --destination-port PORT[:PORT]   destination port or range of ports
[!] --tcp-flags FLAGS SET                     of these flags, just the second ones are set; such as
                                              SYN,ACK,FIN,RST SYN; also PSH, URG, ECE, CWR, ALL, NONE
[!] --syn                                     the same as --tcp-flags FIN,SYN,RST,ACK SYN
",
    options: &[
        ports::SOURCE,
        ports::DESTINATION,
        ExtensionOption::two_values(&["tcp-flags"]).negatable(),
        ExtensionOption::flag(&["syn"]).negatable(),
    ],
    attribute: r#match::TCP,
    new: || Box::new(Tcp::default()),
    decode: |nest| Ok(Rc::new(Tcp::decode(nest)?)),
};

#[derive(Debug, Default)]
struct Tcp {
    ports: Ports,
    flags: Option<Negatable<Flags>>,
}

impl Tcp {
    fn decode(nest: &Attribute<'_>) -> Result<Self, Error> {
        let ports = Ports::decode(nest)?;
        let (mut mask, mut set, mut inverted) = (None, 0, false);
        for attribute in nest.nested() {
            let attribute = attribute?;
            match attribute.kind {
                attribute::FLAGS_MASK => mask = Some(attribute.u8()?),
                attribute::FLAGS_SET => set = attribute.u8()?,
                attribute::FLAGS_INVERT => inverted = true,
                _ => {}
            }
        }
        let flags = mask.map(|mask| Negatable {
            inverted,
            value: Flags { mask, set },
        });
        Ok(Self { ports, flags })
    }
}

impl Extension for Tcp {
    fn name(&self) -> &'static str {
        TYPE.name
    }

    fn option(&mut self, given: &Given<'_>) -> Result<(), String> {
        let value = match (given.name, given.values) {
            ("syn", _) => Flags::SYN,
            ("tcp-flags", [mask, set]) => Flags::parse(mask, set)?,
            _ => return self.ports.option(given, TYPE.name),
        };
        let flags = Negatable {
            inverted: given.inverted,
            value,
        };
        set_once(&mut self.flags, flags)
            .map_err(|_| "--tcp-flags or --syn was given before".to_owned())
    }

    fn check(&mut self, protocol: Option<&Negatable<u8>>) -> Result<(), String> {
        self.ports.simplify();
        ports::need_protocol(protocol, protocol::TCP, TYPE.name)
    }

    fn destination_port(&self) -> Option<u16> {
        self.ports.destination_port()
    }

    fn save(&self) -> String {
        let mut text = self.ports.save();
        if let Some(flags) = &self.flags {
            text += &format!(" {}--tcp-flags {}", flags.prefix(), flags.value);
        }
        text
    }

    fn list(&self) -> String {
        let mut text = format!(" tcp{}", self.ports.list());
        if let Some(flags) = &self.flags {
            let Flags { mask, set } = flags.value;
            text += &format!(" flags:{}0x{mask:02X}/0x{set:02X}", flags.mark());
        }
        text
    }

    fn json(&self) -> Value {
        let mut json = self.ports.json();
        json["flags"] = json!(self.flags.map(|flags| {
            json!({
                "mask": flags.value.mask,
                "set": flags.value.set,
                "inverted": flags.inverted,
            })
        }));
        json
    }

    fn encode(&self, request: &mut Writer) {
        request.nested(TYPE.attribute, |nest| {
            self.ports.encode(nest);
            let Some(flags) = &self.flags else {
                return;
            };
            nest.labelled(format_args!("--tcp-flags {}", flags.value), |nest| {
                nest.u8(attribute::FLAGS_MASK, flags.value.mask);
                nest.u8(attribute::FLAGS_SET, flags.value.set);
                if flags.inverted {
                    nest.flag(attribute::FLAGS_INVERT);
                }
            });
        });
    }
}
