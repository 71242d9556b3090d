// SPDX-License-Identifier: GPL-2.0

//! ICMP errors about segments of SYNPROXY's connections.

use crate::{
    packet::tcp::segment::{
        CHECKSUM_OFFSET,
        SEQUENCE_OFFSET, //
    },
    synproxy::prelude::*, //
};

/// IPPROTO_ICMP and IPPROTO_ICMPV6.
const PROTOCOLS: [u8; 2] = [1, 58];

/// Length of an ICMP error's header, before the embedded packet, in bytes.
const HEADER_LENGTH: u32 = 8;

/// Offset of its checksum.
const ICMP_CHECKSUM_OFFSET: u32 = 2;

/// Destination unreachable, in ICMP and ICMPv6.
const UNREACHABLE: [u8; 2] = [3, 1];

/// "Fragmentation needed", which is no reason to give up.
const FRAGMENTATION_NEEDED: u8 = 4;

/// Translates an error for its receiver.
///
/// The server only believes an error with its own sequence number in it, and path MTU discovery
/// depends on that. Connection tracking would adjust the error's own header as if it were TCP, so
/// it must not see a connection. A client whose server is not reached is reset: to the client, the
/// connection is open, and only a reset ends it.
pub(crate) fn translate(
    synproxy: &Synproxy,
    packet: &mut Packet<'_, Skb>,
    connection: &Connection<'_>,
    proxy_state: &ProxyState<'_>,
) -> Verdict {
    let Transport::Header { protocol, offset } = packet.transport() else {
        return Verdict::Accept;
    };
    let is_over = proxy_state.has(Flag::Opened) || proxy_state.has(Flag::GivenUp);
    if protocol == IPPROTO_TCP && connection.direction == Direction::Reply && !is_over {
        return match rejected(synproxy, packet, connection, proxy_state) {
            Ok(()) => Verdict::Accept,
            Err(_) => Verdict::Drop,
        };
    }
    if !PROTOCOLS.contains(&protocol) {
        return Verdict::Accept;
    }
    match connection.direction {
        Direction::Original => match correct(packet, connection, offset) {
            Ok(()) => Verdict::AcceptResetCt,
            Err(_) => Verdict::Drop,
        },
        Direction::Reply => {
            if !is_over && is_final(packet, offset) {
                give_up(synproxy, packet, connection, proxy_state, offset);
            }
            Verdict::Accept
        }
    }
}

/// A rule resets the client in answer to its SYN (`REJECT --reject-with tcp-reset`). To the client,
/// the connection is open: it only accepts a reset with the next sequence number.
fn rejected(
    synproxy: &Synproxy,
    packet: &mut Packet<'_, Skb>,
    connection: &Connection<'_>,
    proxy_state: &ProxyState<'_>,
) -> Result {
    let Some(segment) = Segment::of(packet).filter(|segment| segment.kind() == Kind::Reset) else {
        return Ok(());
    };
    proxy_state.add(&[(true, Flag::GivenUp)], None);
    let client = connection.endpoints(Direction::Original);
    synproxy
        .servers
        .count(&Endpoint::of_client(&client), ConnectResult::Refused);
    synproxy.syn_sent.end(&client);
    let next = proxy_state.cookie().wrapping_add(1).to_be_bytes();
    let at = |offset: u32| segment.offset.wrapping_add(offset);
    packet
        .skb_mut()
        .amend(at(CHECKSUM_OFFSET), at(SEQUENCE_OFFSET), next)
}

/// Puts the server's sequence number into an error about one of its segments.
fn correct(packet: &mut Packet<'_, Skb>, connection: &Connection<'_>, offset: u32) -> Result {
    let inner = inner_segment(packet, offset).ok_or(EINVAL)?;
    let offset_of_sequence = inner.wrapping_add(SEQUENCE_OFFSET);
    let sequence = u32::from_be_bytes(packet.read::<4>(offset_of_sequence).ok_or(EINVAL)?);
    let shift = connection.sequence_shift(Direction::Reply, sequence);
    let shifted_back = sequence.wrapping_sub(shift);
    // A segment too large for this host to forward has not been translated yet.
    let next = connection.next_sequence(Direction::Reply);
    let age = |number: u32| (next.wrapping_sub(number) as i32).unsigned_abs();
    if age(sequence) <= age(shifted_back) {
        return Ok(());
    }
    let bytes = shifted_back.to_be_bytes();
    packet.skb_mut().amend(
        offset.wrapping_add(ICMP_CHECKSUM_OFFSET),
        offset_of_sequence,
        bytes,
    )
}

/// Offset of the TCP header in the embedded packet.
fn inner_segment(packet: &Packet<'_, Skb>, offset: u32) -> Option<u32> {
    let start = offset.wrapping_add(HEADER_LENGTH);
    match packet.family {
        Family::Ipv4 => {
            let [first] = packet.read::<1>(start)?;
            let length = u32::from(first & 0x0f).wrapping_mul(4);
            Some(start.wrapping_add(length))
        }
        // Connection tracking only finds the connection of segments without extension headers, and
        // a server's segments normally have none.
        Family::Ipv6 => Some(start.wrapping_add(40)),
    }
}

/// Whether the error says that the server cannot be reached at all.
fn is_final(packet: &Packet<'_, Skb>, offset: u32) -> bool {
    let Some([kind, code]) = packet.read::<2>(offset) else {
        return false;
    };
    match packet.family {
        Family::Ipv4 => kind == UNREACHABLE[0] && code != FRAGMENTATION_NEEDED,
        Family::Ipv6 => kind == UNREACHABLE[1],
    }
}

/// Resets the client, and has connection tracking forget the connection.
fn give_up(
    synproxy: &Synproxy,
    packet: &Packet<'_, Skb>,
    connection: &Connection<'_>,
    proxy_state: &ProxyState<'_>,
    offset: u32,
) {
    let sequence = inner_segment(packet, offset)
        .and_then(|offset| packet.read::<4>(offset.wrapping_add(SEQUENCE_OFFSET)))
        .map(u32::from_be_bytes);
    // It has to be about the SYN, or somebody has guessed.
    let next_to_server = connection.next_sequence(Direction::Original);
    let Some(sequence) = sequence.filter(|one| one.wrapping_add(1) == next_to_server) else {
        return;
    };
    proxy_state.add(&[(true, Flag::GivenUp)], None);
    let client = connection.endpoints(Direction::Original);
    let next = proxy_state.cookie().wrapping_add(1);
    synproxy
        .servers
        .count(&Endpoint::of_client(&client), ConnectResult::Unanswered);
    synproxy.syn_sent.end(&client);
    // If the SYN itself is rejected, connection tracking has not confirmed the connection yet, and
    // frees it with the packet.
    if let Some(connection) = connection.confirmed() {
        connection.end();
    }
    let received = sequence.wrapping_add(1);
    resets::send_untracked(packet.context(), &client.reversed(), next, received);
}
