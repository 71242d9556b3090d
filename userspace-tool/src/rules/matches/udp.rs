// SPDX-License-Identifier: GPL-2.0

//! `-m udp`: the ports of a UDP datagram.

use super::port_range::{list, port_range, simplify};
use crate::{
    fields::{Negatable, nest},
    netlink::spec::attribute::r#match,
    rules::model::{
        extension::{Extension, ExtensionType, RuleContext},
        options::options,
        protocol,
        range::Range,
    },
};

/// The match `udp`.
pub(super) static TYPE: ExtensionType = ExtensionType {
    about: "ports of a UDP datagram",
    options: options!(Udp {
        [!] "sport", "source-port": "PORT[:PORT]" => source: port_range("udp"),
            "source port or range of ports";
        [!] "dport", "destination-port": "PORT[:PORT]" => destination: port_range("udp"),
            "destination port or range of ports";
    }),
    protocols: &[("udp", protocol::UDP)],
    examples: &["-A INPUT -p udp ! --dport 53:60 -j ACCEPT"],
    ..ExtensionType::nested::<Udp>("udp", r#match::UDP)
};

nest! {
    struct Udp: ports {
        source: Option<Negatable<Range>> = (SOURCE_FIRST, SOURCE_LAST) ! SOURCE_INVERT
            => "--sport";
        destination: Option<Negatable<Range>> =
            (DESTINATION_FIRST, DESTINATION_LAST) ! DESTINATION_INVERT => "--dport";
    }
}

impl Extension for Udp {
    fn kind(&self) -> &'static ExtensionType {
        &TYPE
    }

    fn check(&mut self, _rule: &RuleContext<'_>) -> Result<(), String> {
        simplify(&mut self.source);
        simplify(&mut self.destination);
        Ok(())
    }

    fn list(&self) -> String {
        let ports = list("spt", self.source.as_ref()) + &list("dpt", self.destination.as_ref());
        format!(" udp{ports}")
    }
}
