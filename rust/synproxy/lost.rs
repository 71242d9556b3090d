// SPDX-License-Identifier: GPL-2.0

//! Segments of connections that connection tracking has lost: somebody has flushed it, or it was not patient enough.
//!
//! How far the server's numbers were shifted is lost with it, so that the connection cannot go on; both sides are told so,
//! each by a reset with a number of the segment itself, as RFC 9293 has it (section 3.10.7.1). So nobody learns a number
//! of others by sending such segments, nor has anybody sent more than he could send himself.

use super::{
    client::Incoming,
    established::Mark,
    resets::reset,
    segment::{
        flags,
        Kind,
        Segment, //
    },
    settings::Event,
    Synproxy, //
};
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
};
use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};

/// Most segments that are answered with resets in a second.
const RATE: u32 = 1000;

/// How many segments may still be answered in this second.
pub(super) struct Limit(Atomic<i64>);

impl Limit {
    /// None was answered yet.
    pub(super) const fn new() -> Self {
        Self(Atomic::new(0))
    }

    /// Whether one more may be answered. CPUs that ask at once may count as one.
    fn admits(&self) -> bool {
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

impl Incoming<'_> {
    /// A segment of no connection that connection tracking knows. This machine may have one that is older than
    /// the rule, and than connection tracking; otherwise it goes no further.
    pub(super) fn out_of_flow(&self, mark: Option<Mark<'_>>, event: Event) -> Option<Verdict> {
        match sockets::find(self.packet.context(), self.endpoints()) {
            Some(socket) if fits(&socket, &self.segment) => return None,
            Some(_) => {
                reset_both(self.synproxy, self.packet, &self.segment, self.endpoints());
            }
            None if mark.is_some_and(|mark| mark.may_have_given_way())
                && self.may_be_answered() =>
            {
                self.count(event);
                return self.reset_sender();
            }
            None => {}
        }
        self.count(event);
        Some(Verdict::Drop)
    }

    /// Whether a segment may be answered that may be of one of SYNPROXY's connections whose mark has given way to that of
    /// another, so that nothing is known of it any more. Its sender is told what a closed port would tell; the server hears
    /// of it when it speaks next.
    #[cold]
    fn may_be_answered(&self) -> bool {
        matches!(self.segment.kind(), Kind::Ack | Kind::Fin)
            && self.synproxy.lost.admits()
            && self.has_right_checksum()
    }
}

/// What becomes of a segment behind connection tracking that may be of a connection which that has lost: it does not know
/// the segment's connection, or takes it for a new one.
pub(super) fn judge(
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
pub(super) fn fits(socket: &Socket, segment: &Segment) -> bool {
    let acknowledgement = (segment.flags & flags::ACK != 0).then_some(segment.acknowledgement);
    socket.fits(acknowledgement)
}

/// Resets both sides of a connection that one segment of the client's is left of.
#[cold]
#[inline(never)]
pub(super) fn reset_both(
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
