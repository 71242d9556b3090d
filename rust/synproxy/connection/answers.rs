// SPDX-License-Identifier: GPL-2.0

//! Servers' answers to the SYN, checked before connection tracking believes them.
//!
//! Connection tracking accepts an answer that acknowledges up to 66,000 bytes less than the SYN,
//! and a reset that acknowledges nothing. This machine answers for the client, so it is as strict
//! as a client in SYN-SENT (RFC 9293, section 3.10.7.3): without having seen the SYN, nobody can
//! refuse or accept the connection in the server's name. A server that answers for an old
//! connection gets a reset with the number that it expects, which ends that connection, and then
//! the SYN again.

use crate::synproxy::prelude::*;

/// The PREROUTING hook before connection tracking.
pub(crate) struct Answers(pub(crate) Arc<Synproxy>);

impl Hook for Answers {
    #[inline]
    fn packet(&self, skb: &mut HookSkb, context: Context<'_>, family: Family) -> Verdict {
        match self.0.syn_sent.is_idle() || !Segment::may_open_or_reset(skb, family) {
            true => Verdict::Accept,
            false => judge(&self.0, skb, context),
        }
    }
}

#[inline(never)]
fn judge(synproxy: &Synproxy, skb: &mut HookSkb, context: Context<'_>) -> Verdict {
    let Some(mut packet) = Packet::of_hook(skb, context) else {
        return Verdict::Accept;
    };
    let Some(segment) = Segment::of(&packet) else {
        return Verdict::Accept;
    };
    // No other segment changes the state of the connection, and [`ProxySegment`] drops it.
    if !matches!(segment.kind(), Kind::SynAck | Kind::Reset) {
        return Verdict::Accept;
    }
    let endpoints = segment.endpoints(&packet);
    let Some(found) = FoundConnection::look_up(context.namespace(), &endpoints) else {
        return Verdict::Accept;
    };
    let connection = found.connection();
    if connection.tcp_state() != TcpState::SynSent || ProxyState::of(&connection).is_none() {
        return Verdict::Accept;
    }
    let is_right = match connection.direction {
        Direction::Reply => answers_our_syn(&segment, &connection),
        Direction::Original if segment.kind() == Kind::Reset => {
            withdraws(synproxy, &mut packet, &segment, &connection)
        }
        Direction::Original => true,
    };
    if is_right {
        return Verdict::Accept;
    }
    if segment.kind() == Kind::SynAck {
        refuse(synproxy, &context, &segment, &connection);
    }
    Verdict::Drop
}

/// Whether a reset is by the client: connection tracking would accept many numbers, the server only
/// the first one. Gives it that number: it comes after what is held, which the server does not get any
/// more. What it acknowledges is no number of the server's, and would make it invalid.
#[cold]
fn withdraws(
    synproxy: &Synproxy,
    packet: &mut Packet<'_>,
    segment: &Segment,
    connection: &Connection<'_>,
) -> bool {
    let endpoints = segment.endpoints(packet);
    let first = connection.next_sequence(Direction::Original);
    if segment.sequence != first
        && synproxy.syn_sent.next_held(&endpoints) != Some(segment.sequence)
        || !(packet.skb()).has_right_checksum(packet.context(), segment.offset, IPPROTO_TCP)
    {
        return false;
    }
    let fields = Fields {
        sequence: first,
        acknowledgement: 0,
        flags: flags::RST,
        window: 0,
    };
    let header = compose::tcp_header(&endpoints, &fields, &Options::default());
    (packet.replace_transport(segment.offset, header.as_slice())).is_ok()
}

/// Whether a segment acknowledges exactly the SYN that the server got.
pub(crate) fn answers_our_syn(segment: &Segment, connection: &Connection<'_>) -> bool {
    segment.flags & flags::ACK != 0
        && segment.acknowledgement == connection.next_sequence(Direction::Original)
}

/// Has the server forget the connection that the segment belongs to.
pub(crate) fn reset_server(context: &Context<'_>, segment: &Segment, connection: &Connection<'_>) {
    let server = connection.endpoints(Direction::Reply).reversed();
    // If there is no memory, the server will answer again.
    resets::send_untracked(context, &server, segment.acknowledgement, 0);
}

/// The server answered something else than the SYN: it may have an old connection between the same
/// endpoints.
pub(crate) fn refuse(
    synproxy: &Synproxy,
    context: &Context<'_>,
    segment: &Segment,
    connection: &Connection<'_>,
) {
    reset_server(context, segment, connection);
    let client = connection.endpoints(Direction::Original);
    // Only once: the server might always answer like that.
    let Some(wait) = synproxy.syn_sent.hurry(&client) else {
        return;
    };
    if let Ok(syn) = wait.syn(context.initial_time_to_live(client.family)) {
        syn.send(context);
    }
}
