// SPDX-License-Identifier: GPL-2.0

//! Segments of connections that connection tracking has lost: somebody has flushed it, or it was not patient enough.
//!
//! How far the server's numbers were shifted is lost with it, so that the connection cannot go on; both sides are told so,
//! each by a reset with a number of the segment itself, as RFC 9293 has it (section 3.10.7.1). So nobody learns a number
//! of others by sending such segments, nor has anybody sent more than he could send himself.

use super::resets::reset;
use crate::{
    kernel_api::{
        conntrack::{
            connections::Endpoints,
            TrackingState, //
        },
        net::sockets::{
            self,
            Socket, //
        },
        netfilter::Verdict,
        time::{
            jiffies32,
            JIFFIES_PER_SECOND, //
        },
    },
    packet::{
        Packet,
        IPPROTO_TCP, //
    },
    synproxy::{
        tcp::segment::{
            flags,
            Segment, //
        },
        Synproxy, //
    },
};
use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};

/// Most segments that are answered with resets in a second.
const RATE: u32 = 1000;

/// How many segments may still be answered in this second.
pub(in crate::synproxy) struct ResetLimit(Atomic<i64>);

impl ResetLimit {
    /// None was answered yet.
    pub(in crate::synproxy) const fn new() -> Self {
        Self(Atomic::new(0))
    }

    /// Whether one more may be answered. CPUs that ask at once may count as one.
    pub(in crate::synproxy) fn admits(&self) -> bool {
        let second = jiffies32() / JIFFIES_PER_SECOND;
        let (then, count) = {
            let before = self.0.load(Relaxed) as u64;
            ((before >> 32) as u32, before as u32)
        };
        let count = if then == second { count } else { 0 };
        if count >= RATE {
            return false;
        }
        let after = u64::from(second) << 32 | u64::from(count.wrapping_add(1));
        self.0.store(after as i64, Relaxed);
        true
    }
}

/// What becomes of a segment behind connection tracking that may be of a connection which that has lost: it does not know
/// the segment's connection, or takes it for a new one.
pub(in crate::synproxy) fn judge(
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
    if sockets::find(packet.context(), endpoints).is_some_and(|socket| fits(&socket, segment)) {
        return Verdict::Accept;
    }
    reset_both(synproxy, packet, segment, endpoints);
    Verdict::Drop
}

/// Whether a segment is of a socket's connection, as the segment's numbers say.
pub(in crate::synproxy) fn fits(socket: &Socket, segment: &Segment) -> bool {
    let acknowledgement = (segment.flags & flags::ACK != 0).then_some(segment.acknowledgement);
    socket.fits(acknowledgement)
}

/// Resets both sides of a connection that one segment of the client's is left of.
#[cold]
#[inline(never)]
pub(in crate::synproxy) fn reset_both(
    synproxy: &Synproxy,
    packet: &Packet<'_>,
    segment: &Segment,
    endpoints: &Endpoints,
) {
    let has = |flag: u8| segment.flags & flag != 0;
    let (skb, context) = (packet.skb(), packet.context());
    // Resets of our own come round by the loopback interface like that.
    if has(flags::SYN)
        || !has(flags::ACK | flags::RST)
        || skb.tracking().state == TrackingState::Untracked
        || !synproxy.lost.admits()
        || !skb.has_right_checksum(context, segment.offset, IPPROTO_TCP)
    {
        return;
    }
    let time_to_live = context.initial_time_to_live(packet.family);
    let (sequence, acknowledgement) = (segment.sequence, segment.acknowledgement);
    if has(flags::ACK) && !has(flags::RST) {
        let client = endpoints.reversed();
        if let Ok(reset) = reset(&client, acknowledgement, sequence, time_to_live) {
            reset.set_untracked();
            reset.send(context);
        }
    }
    // The client's numbers are the server's. Connection tracking may have taken what the server has sent since for a
    // connection: it is to see the end of that.
    if let Ok(reset) = reset(endpoints, sequence, 0, time_to_live) {
        reset.send(context);
    }
}
