// SPDX-License-Identifier: GPL-2.0

//! Tests of traces: what messages say, as text and as JSON.

use serde_json::json;

use super::{
    show::{self, Text},
    step::{Step, decode},
};
use crate::netlink::{
    Writer,
    spec::{
        Table, TraceOutcome, Verdict,
        attribute::{rule, target, trace, traced_packet},
    },
};

/// 2026-11-30T12:03:04.123Z.
const TIME: u64 = 1_796_040_184_123;

/// A step of packet 0xabc in raw PREROUTING.
fn step(outcome: TraceOutcome, more: impl FnOnce(&mut Writer)) -> Step {
    let mut message = Writer::default();
    message.u64(trace::TIME, TIME);
    message.u32(trace::ID, 0xabc);
    message.u32(trace::TABLE, Table::Raw.number());
    message.string(trace::CHAIN_NAME, "PREROUTING");
    message.u32(trace::OUTCOME, outcome.number());
    more(&mut message);
    decode(message.as_bytes()).unwrap()
}

/// A SYN.
fn syn(message: &mut Writer) {
    message.nested(trace::PACKET, |packet| {
        packet.string(traced_packet::IN_INTERFACE, "eth0");
        packet.bytes(traced_packet::SOURCE, &[192, 0, 2, 1]);
        packet.bytes(traced_packet::DESTINATION, &[198, 51, 100, 1]);
        packet.u32(traced_packet::LENGTH, 60);
        packet.u8(traced_packet::TIME_TO_LIVE, 63);
        packet.u8(traced_packet::PROTOCOL, 6);
        packet.u16(traced_packet::SOURCE_PORT, 4711);
        packet.u16(traced_packet::DESTINATION_PORT, 22);
        packet.u8(traced_packet::TCP_FLAGS, 2);
    });
}

/// The second rule, which drops what is of TCP.
fn dropping(message: &mut Writer) {
    message.u32(trace::POSITION, 2);
    message.nested(trace::RULE, |nest| {
        nest.u8(rule::PROTOCOL, 6);
        nest.nested(rule::TARGET, |nest| {
            nest.u32(target::VERDICT, Verdict::Drop.number());
        });
    });
}

const HEADER: &str = "2026-11-30T12:03:04.123Z packet 00000abc: 192.0.2.1:4711 > 198.51.100.1:22 tcp SYN, \
                      length 60, ttl 63, in eth0\n";

#[test]
fn steps_of_a_packet_stand_below_it() {
    let mut text = Text::default();
    let first = step(TraceOutcome::Jump, |message| {
        message.string(trace::DESTINATION_CHAIN, "OTHER");
        message.u32(trace::POSITION, 1);
        syn(message);
    });
    let expected = "    raw PREROUTING rule 1, which is too long to be told => goes to OTHER\n";
    assert_eq!(text.step(&first), format!("{HEADER}{expected}"));
    let second = step(TraceOutcome::Drop, |message| {
        dropping(message);
        syn(message);
    });
    let expected = "    raw PREROUTING rule 2: -p tcp -j DROP => dropped\n";
    assert_eq!(text.step(&second), expected);
    // After a gap, it is said again whose they are.
    assert_eq!(
        text.lost(),
        "steps were lost: they came faster than they were read\n"
    );
    assert_eq!(text.step(&second), format!("{HEADER}{expected}"));
}

#[test]
fn each_outcome_has_its_words() {
    for (outcome, expected) in [
        (TraceOutcome::Continue, "rule 2: -p tcp -j DROP => goes on"),
        (TraceOutcome::Accept, "rule 2: -p tcp -j DROP => accepted"),
        (TraceOutcome::Answer, "rule 2: -p tcp -j DROP => answered"),
        (TraceOutcome::Return, "rule 2: -p tcp -j DROP => returns"),
        (
            TraceOutcome::Goto,
            "rule 2: -p tcp -j DROP => goes to ?, not to return here",
        ),
        (
            TraceOutcome::Malformed,
            "rule 2: -p tcp -j DROP => dropped, since it is malformed",
        ),
    ] {
        let step = step(outcome, |message| {
            dropping(message);
            syn(message);
        });
        let text = Text::default().step(&step);
        let line = format!("{HEADER}    raw PREROUTING {expected}\n");
        assert_eq!(text, line);
    }
    for (outcome, expected) in [
        (TraceOutcome::Accept, "policy => accepted"),
        (TraceOutcome::Drop, "policy => dropped"),
        (TraceOutcome::Return, "ends => returns"),
    ] {
        let text = Text::default().step(&step(outcome, syn));
        assert_eq!(text, format!("{HEADER}    raw PREROUTING {expected}\n"));
    }
}

#[test]
fn packets_are_told_as_they_are() {
    let of = |fill: &dyn Fn(&mut Writer)| {
        let step = step(TraceOutcome::Accept, |message| {
            message.nested(trace::PACKET, |packet| fill(packet));
        });
        let text = Text::default().step(&step);
        let line = text.lines().next().unwrap();
        line.split_once("00000abc: ").unwrap().1.to_owned()
    };
    let echo = |packet: &mut Writer| {
        packet.string(traced_packet::OUT_INTERFACE, "wg0\u{1b}");
        let mut address = [0; 16];
        address[15] = 1;
        packet.bytes(traced_packet::SOURCE, &address);
        packet.bytes(traced_packet::DESTINATION, &address);
        packet.u32(traced_packet::LENGTH, 84);
        packet.u8(traced_packet::TIME_TO_LIVE, 64);
        packet.u32(traced_packet::MARK, 0x17);
        packet.u8(traced_packet::PROTOCOL, 58);
        packet.u8(traced_packet::ICMP_TYPE, 128);
        packet.u8(traced_packet::ICMP_CODE, 0);
    };
    let expected = "::1 > ::1 ipv6-icmp type 128 code 0, length 84, ttl 64, mark 0x17, out wg0?";
    assert_eq!(of(&echo), expected);
    let fragment = |packet: &mut Writer| {
        packet.bytes(traced_packet::SOURCE, &[192, 0, 2, 1]);
        packet.bytes(traced_packet::DESTINATION, &[192, 0, 2, 2]);
        packet.u8(traced_packet::PROTOCOL, 17);
        packet.u16(traced_packet::FRAGMENT, 1480);
    };
    let expected = "192.0.2.1 > 192.0.2.2 udp, fragment at 1480, length 0, ttl 0";
    assert_eq!(of(&fragment), expected);
    let expected = "? > ? with malformed headers, length 0, ttl 0";
    assert_eq!(of(&|_| {}), expected);
}

#[test]
fn json_has_the_names_of_the_specification() {
    let dropped = step(TraceOutcome::Drop, |message| {
        dropping(message);
        syn(message);
    });
    let expected = json!({
        "time": TIME,
        "id": 0xabc,
        "table": "raw",
        "chain-name": "PREROUTING",
        "position": 2,
        "rule": "-p tcp -j DROP",
        "outcome": "drop",
        "destination-chain": null,
        "packet": {
            "in-interface": "eth0",
            "out-interface": null,
            "source": "192.0.2.1",
            "destination": "198.51.100.1",
            "length": 60,
            "time-to-live": 63,
            "mark": 0,
            "protocol": 6,
            "fragment": null,
            "source-port": 4711,
            "destination-port": 22,
            "tcp-flags": 2,
            "icmp-type": null,
            "icmp-code": null,
        },
    });
    assert_eq!(show::json(&dropped), expected);
}

#[test]
fn what_is_incomplete_is_refused() {
    let mut message = Writer::default();
    message.u64(trace::TIME, TIME);
    assert!(decode(message.as_bytes()).is_err());
}
