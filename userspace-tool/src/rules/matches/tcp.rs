// SPDX-License-Identifier: GPL-2.0

//! `-m tcp`: the ports and flags of a TCP segment.

use super::{
    port_range::{list, port_range, simplify},
    tcp_flags::{self, TcpFlags},
};
use crate::{
    fields::{Negatable, nest},
    netlink::spec::attribute::r#match,
    rules::model::{
        extension::{Extension, ExtensionType, RuleContext},
        options::{is, options},
        protocol,
        range::{Range, numbers},
    },
};

/// The match `tcp`.
pub(super) static TYPE: ExtensionType = ExtensionType {
    about: "ports and flags of a TCP segment",
    options: options!(Tcp {
        [!] "sport", "source-port": "PORT[:PORT]" => source: port_range("tcp"),
            "source port or range of ports";
        [!] "dport", "destination-port": "PORT[:PORT]" => destination: port_range("tcp"),
            "destination port or range of ports";
        [!] "tcp-flags": "FLAGS SET" => flags: TcpFlags::parse, among tcp_flags::words,
            "of these flags, just the second ones are set, such as SYN,ACK,FIN,RST SYN";
        [!] "syn" => flags: is(TcpFlags::SYN), "the same as --tcp-flags FIN,SYN,RST,ACK SYN";
    }),
    protocols: &[("tcp", protocol::TCP)],
    examples: &[
        "-A INPUT -p tcp --dport 22 --syn -j ACCEPT",
        "-A INPUT -p tcp ! --tcp-flags SYN,ACK SYN --sport 1024:65535 -j ACCEPT",
    ],
    ..ExtensionType::nested::<Tcp>("tcp", r#match::TCP)
};

nest! {
    struct Tcp: tcp {
        source: Option<Negatable<Range>> = (SOURCE_FIRST, SOURCE_LAST) ! SOURCE_INVERT
            => "--sport";
        destination: Option<Negatable<Range>> =
            (DESTINATION_FIRST, DESTINATION_LAST) ! DESTINATION_INVERT => "--dport";
        flags: Option<Negatable<TcpFlags>> = (FLAGS_MASK, FLAGS_SET) ! FLAGS_INVERT => "--tcp-flags";
    }
}

impl Extension for Tcp {
    fn kind(&self) -> &'static ExtensionType {
        &TYPE
    }

    fn check(&mut self, _rule: &RuleContext<'_>) -> Result<(), String> {
        simplify(&mut self.source);
        simplify(&mut self.destination);
        Ok(())
    }

    fn destination_ports(&self) -> Option<Vec<Range>> {
        let ports = self.destination?;
        Some(numbers(&[ports.value], ports.inverted))
    }

    fn list(&self) -> String {
        let ports = list("spt", self.source.as_ref()) + &list("dpt", self.destination.as_ref());
        let mut text = format!(" tcp{ports}");
        if let Some(flags) = &self.flags {
            let TcpFlags { mask, set } = flags.value;
            text += &format!(" flags:{}0x{mask:02X}/0x{set:02X}", flags.mark());
        }
        text
    }
}
