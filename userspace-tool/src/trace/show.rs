// SPDX-License-Identifier: GPL-2.0

//! Showing traces, as text and as JSON.

use std::net::{IpAddr, SocketAddr};

use serde_json::{Value, json};

use super::step::{Step, TracedPacket};
use crate::{
    lists::show_time,
    netlink::spec::TraceOutcome,
    rules::{protocol_name, specification},
    text::printable,
};

/// Flags of TCP, from the lowest bit on.
const TCP_FLAGS: [&str; 8] = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"];

/// What is printed if steps were lost.
pub(super) const LOST_JSON: &str = "{\"lost\":true}\n";

/// Text, in which the steps of a packet stand below what it is.
#[derive(Default)]
pub(super) struct Text {
    /// What stands above the last step.
    above: Option<(u32, TracedPacket)>,
}

impl Text {
    /// The lines of a step.
    pub(super) fn step(&mut self, step: &Step) -> String {
        let mut lines = String::new();
        // Steps of packets on several CPUs come in turns, and the packet changes on its way.
        let above = Some((step.id, step.packet.clone()));
        if self.above != above {
            let (time, packet) = (show_time(step.time), packet(&step.packet));
            lines += &printable(&format!("{time} packet {:08x}: {packet}", step.id));
            lines += "\n";
            self.above = above;
        }
        lines + "    " + &printable(&sentence(step)) + "\n"
    }

    /// The line that says that steps were lost.
    pub(super) fn lost(&mut self) -> String {
        self.above = None;
        "steps were lost: they came faster than they were read\n".to_owned()
    }
}

fn sentence(step: &Step) -> String {
    let what = match (step.position, &step.rule) {
        (Some(position), Some(rule)) => {
            format!(" rule {position}:{}", specification(rule, false))
        }
        (Some(position), None) => format!(" rule {position}, which is too long to be told"),
        (None, _) if step.outcome == TraceOutcome::Return => " ends".to_owned(),
        (None, _) => " policy".to_owned(),
    };
    let to = step.destination.as_deref().unwrap_or("?");
    let outcome = match step.outcome {
        TraceOutcome::Continue => "goes on".to_owned(),
        TraceOutcome::Accept => "accepted".to_owned(),
        TraceOutcome::Drop => "dropped".to_owned(),
        TraceOutcome::Answer => "answered".to_owned(),
        TraceOutcome::Return => "returns".to_owned(),
        TraceOutcome::Jump => format!("goes to {to}"),
        TraceOutcome::Goto => format!("goes to {to}, not to return here"),
        TraceOutcome::Malformed => "dropped, since it is malformed".to_owned(),
    };
    format!("{} {}{what} => {outcome}", step.table, step.chain)
}

/// What a packet is, in a line.
fn packet(packet: &TracedPacket) -> String {
    let end = |address: Option<IpAddr>, port: Option<u16>| match (address, port) {
        (Some(address), Some(port)) => SocketAddr::new(address, port).to_string(),
        (Some(address), None) => address.to_string(),
        (None, _) => "?".to_owned(),
    };
    let mut words = format!(
        "{} > {}",
        end(packet.source, packet.source_port),
        end(packet.destination, packet.destination_port)
    );
    words += &match packet.protocol {
        Some(protocol) => format!(" {}", protocol_name(protocol)),
        None => " with malformed headers".to_owned(),
    };
    if let Some(flags) = packet.tcp_flags {
        words += &format!(" {}", tcp_flags(flags));
    }
    if let (Some(number), Some(code)) = (packet.icmp_type, packet.icmp_code) {
        words += &format!(" type {number} code {code}");
    }
    if let Some(position) = packet.fragment {
        words += &format!(", fragment at {position}");
    }
    words += &format!(", length {}, ttl {}", packet.length, packet.time_to_live);
    if packet.mark != 0 {
        words += &format!(", mark {:#x}", packet.mark);
    }
    for (way, interface) in [("in", &packet.in_interface), ("out", &packet.out_interface)] {
        if let Some(interface) = interface {
            words += &format!(", {way} {interface}");
        }
    }
    words
}

fn tcp_flags(flags: u8) -> String {
    let set = |(bit, name): (usize, &'static str)| ((flags >> bit) & 1 != 0).then_some(name);
    let names: Vec<_> = TCP_FLAGS.into_iter().enumerate().filter_map(set).collect();
    match names.as_slice() {
        [] => "NONE".to_owned(),
        names => names.join(","),
    }
}

/// The JSON of a step, whose names are those of the netlink specification. What is absent is null.
pub(super) fn json(step: &Step) -> Value {
    let packet = &step.packet;
    let rule = step.rule.as_ref();
    json!({
        "time": step.time,
        "id": step.id,
        "table": step.table.to_string(),
        "chain-name": step.chain,
        "position": step.position,
        "rule": rule.map(|rule| specification(rule, false).trim_start().to_owned()),
        "outcome": step.outcome.to_string(),
        "destination-chain": step.destination,
        "packet": {
            "in-interface": packet.in_interface,
            "out-interface": packet.out_interface,
            "source": packet.source.map(|address| address.to_string()),
            "destination": packet.destination.map(|address| address.to_string()),
            "length": packet.length,
            "time-to-live": packet.time_to_live,
            "mark": packet.mark,
            "protocol": packet.protocol,
            "fragment": packet.fragment,
            "source-port": packet.source_port,
            "destination-port": packet.destination_port,
            "tcp-flags": packet.tcp_flags,
            "icmp-type": packet.icmp_type,
            "icmp-code": packet.icmp_code,
        },
    })
}
