// SPDX-License-Identifier: GPL-2.0

//! `-m udp`: the ports of a UDP datagram.

use std::rc::Rc;

use serde_json::Value;

use super::ports::{self, Ports};
use crate::{
    netlink::{Writer, spec::attribute::r#match},
    rules::model::{
        extension::{Extension, ExtensionType, Given},
        protocol,
        rule::Negatable,
    },
};

pub(super) static TYPE: ExtensionType = ExtensionType {
    name: "udp",
    help: "\
[!] --sport, --source-port PORT[:PORT]        source port or range of ports
[!] --dport, --destination-port PORT[:PORT]   destination port or range of ports
",
    options: &[ports::SOURCE, ports::DESTINATION],
    attribute: r#match::UDP,
    new: || Box::new(Udp::default()),
    decode: |nest| {
        let ports = Ports::decode(nest)?;
        Ok(Rc::new(Udp { ports }))
    },
};

#[derive(Debug, Default)]
struct Udp {
    ports: Ports,
}

impl Extension for Udp {
    fn name(&self) -> &'static str {
        TYPE.name
    }

    fn option(&mut self, given: &Given<'_>) -> Result<(), String> {
        self.ports.option(given, TYPE.name)
    }

    fn check(&mut self, protocol: Option<&Negatable<u8>>) -> Result<(), String> {
        self.ports.simplify();
        ports::need_protocol(protocol, protocol::UDP, TYPE.name)
    }

    fn save(&self) -> String {
        self.ports.save()
    }

    fn list(&self) -> String {
        format!(" udp{}", self.ports.list())
    }

    fn json(&self) -> Value {
        self.ports.json()
    }

    fn encode(&self, request: &mut Writer) {
        request.nested(TYPE.attribute, |nest| self.ports.encode(nest));
    }
}
