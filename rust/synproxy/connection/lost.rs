// SPDX-License-Identifier: GPL-2.0

//! Segments of connections that connection tracking has lost, through a flush or a timeout.
//!
//! The sequence number offset is lost with the connection, which therefore cannot go on. Both sides
//! are reset, with numbers of the segment itself, as in RFC 9293 (section 3.10.7.1). So such
//! segments reveal nobody's sequence numbers, and cause nothing that their sender could not have
//! sent itself.

use crate::{
    kernel_api::net::sockets::{
        self,
        Socket, //
    },
    synproxy::prelude::*, //
};

/// How many segments are answered with resets.
pub(crate) const RESETS: Rate = Rate::new(1000, 1, 1000);

/// The verdict on a segment that may belong to a connection that connection tracking has lost: it
/// knows no connection for the segment, or takes it for a new one.
pub(crate) fn judge(
    synproxy: &Synproxy,
    packet: &Packet<'_>,
    segment: &Segment,
    endpoints: &Endpoints,
) -> Verdict {
    let Some(mark) = synproxy
        .established
        .mark(endpoints)
        .filter(|mark| mark.is_own())
    else {
        return Verdict::Accept;
    };
    mark.clear();
    if sockets::find(packet.context(), packet.skb(), endpoints)
        .is_some_and(|socket| fits(&socket, segment))
    {
        return Verdict::Accept;
    }
    reset_both(synproxy, packet, segment, endpoints);
    Verdict::Drop
}

/// Whether a segment belongs to a socket's connection, by its numbers.
pub(crate) fn fits(socket: &Socket, segment: &Segment) -> bool {
    let acknowledgement = (segment.flags & flags::ACK != 0).then_some(segment.acknowledgement);
    socket.fits(acknowledgement)
}

/// Resets both sides of a lost connection, by a segment of the client.
#[cold]
#[inline(never)]
pub(crate) fn reset_both(
    synproxy: &Synproxy,
    packet: &Packet<'_>,
    segment: &Segment,
    endpoints: &Endpoints,
) {
    let has = |flag: u8| segment.flags & flag != 0;
    let (skb, context) = (packet.skb(), packet.context());
    // Our own resets come back over loopback like that.
    if has(flags::SYN)
        || !has(flags::ACK | flags::RST)
        || skb.tracking().state == TrackingState::Untracked
        || !synproxy.resets.take(&RESETS)
        || !skb.has_right_checksum(context, segment.offset, IPPROTO_TCP)
    {
        return;
    }
    let (sequence, acknowledgement) = (segment.sequence, segment.acknowledgement);
    if has(flags::ACK) && !has(flags::RST) {
        resets::send_untracked(context, &endpoints.reversed(), acknowledgement, sequence);
    }
    // The client's sequence numbers are the server's, too. Connection tracking has to see this
    // reset: it may have picked up a connection from what the server sent since.
    let time_to_live = context.initial_time_to_live(packet.family);
    if let Ok(reset) = resets::reset(endpoints, sequence, 0, time_to_live) {
        reset.send(context);
    }
}
