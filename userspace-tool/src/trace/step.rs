// SPDX-License-Identifier: GPL-2.0

//! What a packet met, as netlink attributes.

use std::net::IpAddr;

use crate::{
    error::Error,
    fields::{Decode, need, nest, read},
    netlink::{
        Nest,
        spec::{Table, TraceOutcome, attribute::trace},
    },
    rules::{Rule, decode_rule},
};

/// A rule, or the end of a chain, that a packet met.
pub(super) struct Step {
    /// Milliseconds since 1970.
    pub(super) time: u64,
    /// The packet's number.
    pub(super) id: u32,
    pub(super) table: Table,
    pub(super) chain: String,
    /// The rule's position; none at the end of the chain.
    pub(super) position: Option<u32>,
    /// The rule, if it was told.
    pub(super) rule: Option<Rule>,
    pub(super) outcome: TraceOutcome,
    /// The chain that the packet goes to.
    pub(super) destination: Option<String>,
    pub(super) packet: TracedPacket,
}

nest! {
    /// What the packet is.
    #[derive(Clone, PartialEq, Eq)]
    pub(super) struct TracedPacket: traced_packet {
        pub(super) in_interface: Option<String> = IN_INTERFACE;
        pub(super) out_interface: Option<String> = OUT_INTERFACE;
        pub(super) source: Option<IpAddr> = SOURCE;
        pub(super) destination: Option<IpAddr> = DESTINATION;
        pub(super) length: u32 = LENGTH;
        pub(super) time_to_live: u8 = TIME_TO_LIVE;
        pub(super) mark: u32 = MARK;
        pub(super) protocol: Option<u8> = PROTOCOL;
        pub(super) fragment: Option<u16> = FRAGMENT;
        pub(super) source_port: Option<u16> = SOURCE_PORT;
        pub(super) destination_port: Option<u16> = DESTINATION_PORT;
        pub(super) tcp_flags: Option<u8> = TCP_FLAGS;
        pub(super) icmp_type: Option<u8> = ICMP_TYPE;
        pub(super) icmp_code: Option<u8> = ICMP_CODE;
    }
}

/// Read the attributes of trace-ntf.
pub(super) fn decode(attributes: &[u8]) -> Result<Step, Error> {
    let missing = "a step of a trace lacks its time, packet, chain or outcome";
    let nest = Nest::new(attributes)?;
    let packet = nest.get(trace::PACKET);
    let packet = packet.ok_or_else(|| Error::Answer(missing.to_owned()))?;
    let outcome = nest.get(trace::OUTCOME);
    let outcome = outcome.ok_or_else(|| Error::Answer(missing.to_owned()))?;
    Ok(Step {
        time: need(&nest, trace::TIME, missing)?,
        id: need(&nest, trace::ID, missing)?,
        table: need(&nest, trace::TABLE, missing)?,
        chain: need(&nest, trace::CHAIN_NAME, missing)?,
        position: read(&nest, trace::POSITION)?,
        rule: nest.get(trace::RULE).map(decode_rule).transpose()?,
        outcome: outcome.one_of(TraceOutcome::from_number)?,
        destination: read(&nest, trace::DESTINATION_CHAIN)?,
        packet: TracedPacket::decode(&packet.nest()?)?,
    })
}
