// SPDX-License-Identifier: GPL-2.0

//! SYNPROXY's segments in PREROUTING, after connection tracking.

use super::{
    lost,
    translation::ProxySegment, //
};
use crate::synproxy::prelude::*;

/// The PREROUTING hook. Segments that connection tracking calls invalid but that match one of
/// SYNPROXY's connections are dropped: they would go on untranslated. If connection tracking has
/// lost the connection, it is reset, see [`lost`].
pub(crate) struct PreRoutingHook(pub(crate) Arc<Synproxy>);

impl PreRoutingHook {
    /// Looks at the server's SYN-ACK before rules may change it.
    #[inline]
    fn look_at_answer(&self, skb: &mut HookSkb, context: Context<'_>) -> Verdict {
        let Some((connection, skb)) = skb.split() else {
            return Verdict::Accept;
        };
        match connection.proxy().map(ProxyState::new) {
            Some(proxy_state) if !proxy_state.has(Flag::Opened) && !skb.is_looped() => {
                self.open(skb, context, connection, proxy_state)
            }
            _ => Verdict::Accept,
        }
    }

    #[inline(never)]
    fn open(
        &self,
        skb: &mut Skb,
        context: Context<'_>,
        connection: Connection<'_>,
        proxy_state: ProxyState<'_>,
    ) -> Verdict {
        let Some(packet) = Packet::of_hook(skb, context) else {
            return Verdict::Drop;
        };
        ProxySegment::new(&self.0, packet, connection, proxy_state)
            .map_or(Verdict::Drop, |proxy_segment| proxy_segment.arrive())
    }
}

impl Hook for PreRoutingHook {
    #[inline]
    fn packet(&self, skb: &mut HookSkb, context: Context<'_>, _: Family) -> Verdict {
        match skb.tracking().state {
            TrackingState::Invalid => judge_invalid(&self.0, skb, context),
            TrackingState::New => judge_new(&self.0, skb, context),
            TrackingState::Established => self.look_at_answer(skb, context),
            _ => Verdict::Accept,
        }
    }
}

/// Connection tracking picks up a connection mid-stream from a segment without SYN.
#[inline(never)]
fn judge_new(synproxy: &Synproxy, skb: &mut HookSkb, context: Context<'_>) -> Verdict {
    let Some(packet) = Packet::of_hook(skb, context) else {
        return Verdict::Accept;
    };
    match Segment::of(&packet) {
        Some(segment) if segment.flags & flags::SYN == 0 => {
            let endpoints = segment.endpoints(&packet);
            lost::judge(synproxy, &packet, &segment, &endpoints)
        }
        _ => Verdict::Accept,
    }
}

#[cold]
#[inline(never)]
fn judge_invalid(synproxy: &Synproxy, skb: &mut HookSkb, context: Context<'_>) -> Verdict {
    let Some(packet) = Packet::of_hook(skb, context) else {
        return Verdict::Accept;
    };
    let Some(segment) = Segment::of(&packet) else {
        return Verdict::Accept;
    };
    let endpoints = segment.endpoints(&packet);
    let Some(found) = FoundConnection::look_up(packet.context().namespace(), &endpoints) else {
        return lost::judge(synproxy, &packet, &segment, &endpoints);
    };
    let connection = found.connection();
    let is_waiting = matches!(segment.kind(), Kind::Ack | Kind::Fin)
        && connection.direction == Direction::Original
        && matches!(
            connection.tcp_state(),
            TcpState::SynSent | TcpState::SynReceived
        );
    let proxy_state = ProxyState::of(&connection);
    if let Some(proxy_state) = proxy_state.filter(|_| is_waiting) {
        // Before any rule drops what connection tracking calls invalid.
        if (synproxy.syn_sent).hold(&packet, &segment, &endpoints, &proxy_state) {
            return Verdict::Drop;
        }
    }
    // A client that waited for the server, or comes again, is up to the rules.
    let is_asking = matches!(segment.kind(), Kind::Ack | Kind::Fin)
        && connection.direction == Direction::Original
        && matches!(connection.tcp_state(), TcpState::SynSent | TcpState::Over);
    match proxy_state {
        Some(_) if !is_asking => Verdict::Drop,
        Some(_) => Verdict::Accept,
        // Connection tracking has lost one of ours, and picked up another from what the server sent
        // since.
        None if connection.direction == Direction::Reply
            && synproxy
                .servers
                .options(&Endpoint::of_client(&endpoints))
                .is_some() =>
        {
            lost::reset_both(synproxy, &packet, &segment, &endpoints);
            Verdict::Drop
        }
        None => Verdict::Accept,
    }
}
