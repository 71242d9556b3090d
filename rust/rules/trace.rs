// SPDX-License-Identifier: GPL-2.0

//! Telling what rules a traced packet meets, and what they say.
//!
//! Packets are traced that have the kernel's mark for it, as iptables and nftables do: whoever sets it,
//! all tell. Each step is a message of its own, sent at once, so that a packet that is traced is the
//! only one that pays for it.

use super::{
    chain::RuleEntry,
    ruleset::Ruleset, //
};
use crate::{
    kernel_api::{
        hash::HashKey,
        netfilter::InterfaceName,
        netlink::multicast,
        time::realtime_milliseconds, //
    },
    packet::{
        IPPROTO_ICMP,
        IPPROTO_ICMPV6,
        IPPROTO_TCP,
        TCP_FLAGS_OFFSET, //
    },
    rules::prelude::*,
    spec::{
        attribute::{
            trace as attributes,
            traced_packet as packet_attributes, //
        },
        command,
        group,
        TraceOutcome, //
    },
};

/// What a ruleset needs to tell of packets.
pub(super) struct Tracing {
    listeners: multicast::Listeners<{ group::TRACE }>,
    /// Makes numbers of packets from where they are, which is nobody's business.
    key: HashKey,
}

impl Tracing {
    pub(super) fn new() -> Self {
        Self {
            listeners: multicast::Listeners::new(),
            key: HashKey::random(),
        }
    }

    /// For the ruleset after the one that this is of: packets keep their numbers.
    pub(super) fn next(&self) -> Self {
        Self {
            key: self.key,
            ..Self::new()
        }
    }

    /// `false` if nobody listens, by two loads and a comparison.
    #[inline(always)]
    pub(super) fn may_be_heard(&self) -> bool {
        self.listeners.may_be_there()
    }

    /// Whether the packet is traced and somebody listens.
    #[cold]
    #[inline(never)]
    pub(super) fn is_wanted(&self, packet: &Packet<'_>) -> bool {
        // In this order, so that it is noticed when nobody listens any more.
        self.listeners.are_there(packet.context().namespace()) && packet.skb().is_traced()
    }
}

/// A chain, and the rest of it, which a packet has not traversed yet.
type Place<'a> = (ChainId, &'a [RuleEntry]);

/// Applies the target of a rule that the packet matches, and tells what came of it. The rule is the one
/// before the place.
#[cold]
#[inline(never)]
pub(super) fn apply(
    ruleset: &Ruleset,
    place: Place<'_>,
    entry: &RuleEntry,
    packet: &mut Packet<'_>,
) -> Decision {
    // As it is before the target changes it.
    let traced = TracedPacket::of(packet);
    let target = entry.rule.target();
    let decision = target.map_or(Decision::Continue, |target| target.apply(packet));
    let (outcome, destination) = match &decision {
        Decision::Continue => (TraceOutcome::Continue, None),
        Decision::Return => (TraceOutcome::Return, None),
        Decision::Jump(chain) => (TraceOutcome::Jump, Some(*chain)),
        Decision::Goto(chain) => (TraceOutcome::Goto, Some(*chain)),
        Decision::Verdict(Verdict::Drop) => (TraceOutcome::Drop, None),
        Decision::Verdict(Verdict::Accept | Verdict::AcceptResetCt) => (TraceOutcome::Accept, None),
        Decision::Verdict(Verdict::Transmit(_)) => (TraceOutcome::Answer, None),
    };
    let step = Step {
        entry: Some(entry),
        outcome,
        destination,
    };
    step.tell(ruleset, place, &traced, packet);
    decision
}

/// Tells that a match of the rule before the place drops the packet, which it cannot read.
#[cold]
#[inline(never)]
pub(super) fn tell_malformed(
    ruleset: &Ruleset,
    place: Place<'_>,
    entry: &RuleEntry,
    packet: &Packet<'_>,
) {
    let step = Step {
        entry: Some(entry),
        outcome: TraceOutcome::Malformed,
        destination: None,
    };
    step.tell(ruleset, place, &TracedPacket::of(packet), packet);
}

/// Tells that the packet has come to the end of a chain, and what becomes of it there.
#[cold]
#[inline(never)]
pub(super) fn tell_end(
    ruleset: &Ruleset,
    chain: ChainId,
    outcome: TraceOutcome,
    packet: &Packet<'_>,
) {
    let step = Step {
        entry: None,
        outcome,
        destination: None,
    };
    step.tell(ruleset, (chain, &[]), &TracedPacket::of(packet), packet);
}

/// What a packet met.
struct Step<'a> {
    /// The rule; none at the end of a chain.
    entry: Option<&'a RuleEntry>,
    outcome: TraceOutcome,
    destination: Option<ChainId>,
}

impl Step<'_> {
    /// Sends it. A step for which there is no memory is not told.
    fn tell(
        &self,
        ruleset: &Ruleset,
        (chain, rest): Place<'_>,
        traced: &TracedPacket,
        packet: &Packet<'_>,
    ) {
        let Some(chain) = ruleset.chain(chain) else {
            return;
        };
        let context = packet.context();
        let _ = multicast::send_from_hook(context, group::TRACE, command::TRACE_NTF, |message| {
            message.put_u64(attributes::TIME, realtime_milliseconds())?;
            let (low, high) = (traced.place as u32, (traced.place >> 32) as u32);
            message.put_u32(attributes::ID, ruleset.tracing.key.hash_pair(low, high))?;
            message.put_u32(attributes::TABLE, chain.table.number())?;
            message.put_string(attributes::CHAIN_NAME, chain.name.as_bytes())?;
            message.put_u32(attributes::OUTCOME, self.outcome.number())?;
            let destination = self.destination.and_then(|id| ruleset.name_of(id));
            if let Some(name) = destination {
                message.put_string(attributes::DESTINATION_CHAIN, name.as_bytes())?;
            }
            message.nest(attributes::PACKET, |message| traced.encode(message))?;
            let Some(entry) = self.entry else {
                return Ok(());
            };
            let position = chain.rules.len().saturating_sub(rest.len());
            message.put_u32(attributes::POSITION, position as u32)?;
            // The last one, which may be too long.
            let _ = message.nest(attributes::RULE, |message| {
                entry.rule.encode(entry.family(), ruleset, message)
            });
            Ok(())
        });
    }
}

/// What is told of a packet.
struct TracedPacket {
    /// Where it is in memory.
    place: u64,
    in_interface: InterfaceName,
    out_interface: InterfaceName,
    family: Family,
    source: Address,
    destination: Address,
    length: u32,
    time_to_live: u8,
    mark: u32,
    transport: Transport,
    ports: Option<(u16, u16)>,
    tcp_flags: Option<u8>,
    icmp: Option<[u8; 2]>,
}

impl TracedPacket {
    fn of(packet: &Packet<'_>) -> Self {
        let transport = packet.transport();
        let header = |wanted: u8| match transport {
            Transport::Header { protocol, offset } => (protocol == wanted).then_some(offset),
            _ => None,
        };
        let flags = header(IPPROTO_TCP)
            .and_then(|offset| packet.read::<1>(offset.wrapping_add(TCP_FLAGS_OFFSET as u32)));
        let icmp = header(match packet.family {
            Family::Ipv4 => IPPROTO_ICMP,
            Family::Ipv6 => IPPROTO_ICMPV6,
        });
        Self {
            place: packet.skb().place(),
            in_interface: packet.in_interface(),
            out_interface: packet.out_interface(),
            family: packet.family,
            source: packet.source(),
            destination: packet.destination(),
            length: packet.len(),
            time_to_live: packet.time_to_live,
            mark: packet.skb().mark(),
            transport,
            ports: packet.ports(),
            tcp_flags: flags.map(|[flags]| flags),
            icmp: icmp.and_then(|offset| packet.read(offset)),
        }
    }

    fn encode(&self, message: &mut Message<'_>) -> Result {
        use packet_attributes::*;
        put_interface(IN_INTERFACE, self.in_interface, message)?;
        put_interface(OUT_INTERFACE, self.out_interface, message)?;
        (self.family, self.source).write(SOURCE, message)?;
        (self.family, self.destination).write(DESTINATION, message)?;
        message.put_u32(LENGTH, self.length)?;
        message.put_u8(TIME_TO_LIVE, self.time_to_live)?;
        if self.mark != 0 {
            message.put_u32(MARK, self.mark)?;
        }
        match self.transport {
            Transport::Header { protocol, .. } => message.put_u8(PROTOCOL, protocol)?,
            Transport::Fragment { protocol, position } => {
                message.put_u8(PROTOCOL, protocol)?;
                message.put_u16(FRAGMENT, position)?;
            }
            Transport::Malformed => {}
        }
        if let Some((source, destination)) = self.ports {
            message.put_u16(SOURCE_PORT, source)?;
            message.put_u16(DESTINATION_PORT, destination)?;
        }
        if let Some(flags) = self.tcp_flags {
            message.put_u8(TCP_FLAGS, flags)?;
        }
        if let Some([number, code]) = self.icmp {
            message.put_u8(ICMP_TYPE, number)?;
            message.put_u8(ICMP_CODE, code)?;
        }
        Ok(())
    }
}

/// Puts the name of an interface, if there is one.
fn put_interface(kind: u16, name: InterfaceName, message: &mut Message<'_>) -> Result {
    if name == InterfaceName::default() {
        return Ok(());
    }
    message.put_padded(kind, name.map(u64::to_ne_bytes).as_flattened())
}
