// SPDX-License-Identifier: GPL-2.0

//! Translation of segments of SYNPROXY's connections on their way out, before connection tracking
//! shifts their sequence numbers.

use super::unreachable;
use crate::{
    packet::tcp::{
        options::{
            self,
            kind, //
        },
        segment::{
            CHECKSUM_OFFSET,
            LENGTH_OFFSET, //
        },
    },
    synproxy::prelude::*, //
};

/// The LOCAL_IN and POSTROUTING hook.
pub(crate) struct TranslationHook(pub(crate) Arc<Synproxy>);

impl TranslationHook {
    #[inline(never)]
    fn translate(
        &self,
        skb: &mut Skb,
        context: Context<'_>,
        connection: Connection<'_>,
        proxy_state: ProxyState<'_>,
    ) -> Verdict {
        let Some(mut packet) = Packet::of_hook(skb, context) else {
            return Verdict::Drop;
        };
        if connection.is_related {
            return unreachable::translate(&self.0, &mut packet, &connection, &proxy_state);
        }
        ProxySegment::new(&self.0, packet, connection, proxy_state)
            .map_or(Verdict::Drop, |mut proxy_segment| proxy_segment.run())
    }

    /// A server's segment may belong to a connection that connection tracking has lost and takes
    /// for a new one. It must not become one: the client then answers with the number that it
    /// expects, which both sides can be reset by.
    #[inline(never)]
    fn look_at_new(&self, skb: &mut Skb, context: Context<'_>) -> Verdict {
        let Some(packet) = Packet::of_hook(skb, context) else {
            return Verdict::Accept;
        };
        let lost = Segment::of(&packet).filter(|segment| segment.flags & flags::SYN == 0);
        let client = lost.map(|segment| segment.endpoints(&packet).reversed());
        let mark = client.and_then(|client| self.0.established.mark(&client));
        match mark {
            Some(mark) if mark.is_own() => Verdict::AcceptResetCt,
            _ => Verdict::Accept,
        }
    }
}

impl Hook for TranslationHook {
    const RESETS_CT: bool = true;

    #[inline]
    fn packet(&self, skb: &mut HookSkb, context: Context<'_>, family: Family) -> Verdict {
        let Some((connection, rest)) = skb.split() else {
            return Verdict::Accept;
        };
        let Some(words) = connection.proxy() else {
            return match rest.tracking().state {
                TrackingState::New => self.look_at_new(rest, context),
                _ => Verdict::Accept,
            };
        };
        let proxy_state = ProxyState::new(words);
        let is_open = connection.tcp_state() == TcpState::Established
            && !connection.is_related
            && proxy_state.is_open();
        if is_open && !proxy_state.is_translated()
            || rest.is_looped() && (context.is_going_out() || proxy_state.has(Flag::Opened))
        {
            return Verdict::Accept;
        }
        if is_open {
            // Of the others, [`ProxySegment::run`] knows more.
            let is_plain = |segment: &Segment| segment.flags & flags::SYN == 0;
            if let Some(segment) = Segment::of_plain(rest, family).filter(is_plain) {
                let direction = connection.direction;
                return verdict_of(translate(rest, &segment, proxy_state, direction));
            }
        }
        let verdict = self.translate(rest, context, connection, proxy_state);
        // A socket may have taken the connection over.
        if !context.is_going_out() && skb.tracking().state == TrackingState::New {
            skb.free_proxy();
        }
        verdict
    }
}

fn verdict_of(done: Result) -> Verdict {
    match done {
        Ok(()) => Verdict::Accept,
        // The sender will retransmit.
        Err(_) => Verdict::Drop,
    }
}

/// A segment of one of SYNPROXY's connections.
pub(crate) struct ProxySegment<'a> {
    pub(crate) synproxy: &'a Synproxy,
    pub(crate) packet: Packet<'a, Skb>,
    pub(crate) segment: Segment,
    pub(crate) connection: Connection<'a>,
    pub(crate) proxy_state: ProxyState<'a>,
}

impl<'a> ProxySegment<'a> {
    /// A packet's segment; `None` if the packet does not hold all of the TCP header.
    #[inline]
    pub(crate) fn new(
        synproxy: &'a Synproxy,
        packet: Packet<'a, Skb>,
        connection: Connection<'a>,
        proxy_state: ProxyState<'a>,
    ) -> Option<Self> {
        Some(Self {
            synproxy,
            segment: Segment::of(&packet)?,
            packet,
            connection,
            proxy_state,
        })
    }

    /// Handles an incoming segment.
    pub(crate) fn arrive(&self) -> Verdict {
        let kind = (self.connection.direction, self.segment.kind());
        verdict_of(match (kind, self.connection.tcp_state()) {
            ((Direction::Reply, Kind::SynAck), TcpState::SynReceived) => self.learn_from_server(),
            _ => Ok(()),
        })
    }

    /// Handles an outgoing segment.
    fn run(&mut self) -> Verdict {
        let is_first = self.connection.direction == Direction::Original
            && self.segment.kind() == Kind::Syn
            && self.connection.tcp_state() == TcpState::SynSent
            && !self.proxy_state.has(Flag::Opened);
        if is_first {
            let hidden = self.take_data_off();
            return verdict_of(match self.packet.context().is_going_out() {
                true => hidden,
                false => hidden.and_then(|()| self.hand_over()),
            });
        }
        if self.packet.skb().is_looped() {
            return Verdict::Accept;
        }
        let is_opened = self.proxy_state.has(Flag::Opened);
        let kind = (self.connection.direction, self.segment.kind());
        verdict_of(match (kind, self.connection.tcp_state()) {
            ((Direction::Original, Kind::Syn), TcpState::Over) => self.forget(),
            // A client that has forgotten its connection, or somebody else: the server sends a
            // challenge ACK.
            ((Direction::Original, Kind::Syn), _) => Ok(()),
            ((Direction::Original, Kind::Ack), TcpState::SynSent) => self.keep_alive(),
            ((Direction::Original, Kind::Ack | Kind::Fin), _)
                if is_opened && !self.proxy_state.has(Flag::Acknowledged) =>
            {
                self.hold()
            }
            // The client is gone, or somebody knows its numbers: there is nobody left to tell.
            ((Direction::Original, Kind::Reset), TcpState::Over) if !is_opened => self.withdraw(),
            // Also a retransmission, after our ACK was lost: a client with nothing to send never
            // sends one.
            ((Direction::Reply, Kind::SynAck), TcpState::SynReceived | TcpState::Established) => {
                self.syn_ack()
            }
            ((Direction::Reply, Kind::Reset), _) if !is_opened => self.refused(),
            ((Direction::Reply, _), TcpState::SynSent) => self.answer_of_another(),
            _ => self.established(),
        })
    }

    /// A SYN that connection tracking takes for part of a connection that the server has reset. The
    /// old state must not be applied to the new connection, which starts when the SYN is
    /// retransmitted.
    fn forget(&self) -> Result {
        if let Some(connection) = self.connection.confirmed() {
            connection.end();
        }
        Err(EAGAIN)
    }

    /// The client resets a connection that the server has not answered.
    fn withdraw(&self) -> Result {
        let client = self.connection.endpoints(Direction::Original);
        self.synproxy.syn_sent.end(&client);
        Ok(())
    }

    /// A segment of an open connection.
    pub(crate) fn established(&mut self) -> Result {
        let (proxy_state, direction) = (self.proxy_state, self.connection.direction);
        if !proxy_state.is_translated() {
            return Ok(());
        }
        translate(self.packet.skb_mut(), &self.segment, proxy_state, direction)
    }
}

/// Translates a segment of an open connection.
#[inline]
fn translate(
    skb: &mut Skb,
    segment: &Segment,
    proxy_state: ProxyState<'_>,
    direction: Direction,
) -> Result {
    let window = rescaled_window(segment, proxy_state, direction);
    let checksum = segment.offset.wrapping_add(CHECKSUM_OFFSET);
    // Nothing before that is changed here.
    let start = segment.offset.wrapping_add(LENGTH_OFFSET);
    let end = segment.offset.wrapping_add(segment.header_length);
    skb.amend_with(checksum, start..end, |header| {
        if let [_, _, high, low, _, _, _, _, options @ ..] = header {
            [*high, *low] = window.to_be_bytes();
            translate_options(proxy_state, direction, options);
        }
    })
}

/// The window in the scale that the receiver expects.
#[inline]
fn rescaled_window(segment: &Segment, proxy_state: ProxyState<'_>, direction: Direction) -> u16 {
    // The window of a SYN is not scaled.
    if !proxy_state.has(Flag::Rescale) || segment.flags & flags::SYN != 0 {
        return segment.window;
    }
    let client = proxy_state.client_scale().unwrap_or(0);
    let (from, to) = match direction {
        Direction::Original => (client, proxy_state.server_scale().map_or(0, |_| client)),
        Direction::Reply => (
            proxy_state.server_scale().unwrap_or(0),
            proxy_state.advertised_wscale().unwrap_or(0),
        ),
    };
    let window = u32::from(segment.window)
        .wrapping_shl(from.into())
        .wrapping_shr(to.into());
    let window = u16::try_from(window).unwrap_or(u16::MAX);
    // Rounding down must not close the window.
    window.max(segment.window.min(1))
}

/// Shifts timestamps, and overwrites options that the server does not use with NOPs.
fn translate_options(proxy_state: ProxyState<'_>, direction: Direction, options: &mut [u8]) {
    const OPTIONS: [Flag; 3] = [Flag::ShiftTimestamps, Flag::HideTimestamps, Flag::HideSack];
    if !OPTIONS.iter().any(|one| proxy_state.has(*one)) {
        return;
    }
    let is_to_server = direction == Direction::Original;
    let mut position = 0;
    while let Some((kind, body)) = options::next(options, position) {
        position = body.end;
        let is_hidden = match kind {
            kind::TIMESTAMPS => proxy_state.has(Flag::HideTimestamps),
            kind::SACK => proxy_state.has(Flag::HideSack),
            _ => false,
        };
        if is_hidden {
            let whole = body.start.wrapping_sub(2)..body.end;
            // Segments to the client are left alone.
            if let Some(option) = options.get_mut(whole).filter(|_| is_to_server) {
                option.fill(kind::NOTHING);
            }
        } else if kind == kind::TIMESTAMPS && proxy_state.has(Flag::ShiftTimestamps) {
            let Some([a, b, c, d, e, f, g, h]) = options.get_mut(body) else {
                continue;
            };
            let ahead = proxy_state.stamp();
            if is_to_server {
                let echo = u32::from_be_bytes([*e, *f, *g, *h]).wrapping_add(ahead);
                [*e, *f, *g, *h] = echo.to_be_bytes();
            } else {
                let value = u32::from_be_bytes([*a, *b, *c, *d]).wrapping_sub(ahead);
                [*a, *b, *c, *d] = value.to_be_bytes();
            }
        }
    }
}
