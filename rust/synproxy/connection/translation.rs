// SPDX-License-Identifier: GPL-2.0

//! What is done with the segments of SYNPROXY's connections on their way out, before connection tracking
//! shifts their sequence numbers.

use super::{
    proxy_state::{
        Flag,
        ProxyState, //
    },
    unreachable, //
};
use crate::{
    kernel_api::{
        conntrack::{
            connections::{
                Connection,
                Direction,
                TcpState, //
            },
            TrackingState, //
        },
        net::skb::Skb,
        netfilter::{
            Context,
            Family,
            Hook,
            Verdict, //
        },
    },
    packet::{
        Packet,
        TCP_HEADER_LENGTH, //
    },
    synproxy::{
        tcp::{
            options::{
                self,
                kind,
                Walk, //
            },
            segment::{
                flags,
                Kind,
                Segment,
                CHECKSUM_OFFSET,
                WINDOW_OFFSET, //
            },
        },
        Synproxy, //
    },
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// Sees the packets of SYNPROXY's connections where they leave the stack: in LOCAL_IN and POSTROUTING.
pub(crate) struct TranslationHook(Arc<Synproxy>);

impl TranslationHook {
    /// Of the connections of a namespace.
    pub(crate) fn new(synproxy: Arc<Synproxy>) -> Self {
        Self(synproxy)
    }

    #[inline(never)]
    fn translate(
        &self,
        skb: &Skb,
        context: Context<'_>,
        connection: Connection<'_>,
        proxy_state: ProxyState<'_>,
    ) -> Verdict {
        let Some(packet) = Packet::of_hook(skb, context) else {
            return Verdict::Drop;
        };
        if connection.is_related {
            return unreachable::translate(&self.0, &packet, &connection, &proxy_state);
        }
        ProxySegment::new(&self.0, &packet, connection, proxy_state)
            .map_or(Verdict::Drop, |proxy_segment| proxy_segment.run())
    }
}

impl TranslationHook {
    /// What a server sends may be of a connection that connection tracking has lost, and takes for a new one. The client
    /// answers with the number that it expects, which is what both can be reset by; so there may be no connection.
    #[inline(never)]
    fn look_at_new(&self, skb: &Skb, context: Context<'_>) -> Verdict {
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

    #[inline(always)]
    fn packet(&self, skb: &Skb, context: Context<'_>, _: Family) -> Verdict {
        let Some(connection) = skb.tracked() else {
            return Verdict::Accept;
        };
        let Some(words) = connection.proxy() else {
            return match skb.tracking().state {
                TrackingState::New => self.look_at_new(skb, context),
                _ => Verdict::Accept,
            };
        };
        let proxy_state = ProxyState::new(words);
        let is_open = connection.tcp_state() == TcpState::Established;
        if is_open && !connection.is_related && proxy_state.is_open_as_it_is() || skb.is_looped() {
            return Verdict::Accept;
        }
        self.translate(skb, context, connection, proxy_state)
    }
}

fn fate_of(done: Result) -> Verdict {
    match done {
        Ok(()) => Verdict::Accept,
        // The sender will try again.
        Err(_) => Verdict::Drop,
    }
}

/// A segment of one of SYNPROXY's connections.
pub(in crate::synproxy) struct ProxySegment<'a> {
    pub(in crate::synproxy) synproxy: &'a Synproxy,
    pub(in crate::synproxy) packet: &'a Packet<'a>,
    pub(in crate::synproxy) segment: Segment,
    pub(in crate::synproxy) connection: Connection<'a>,
    pub(in crate::synproxy) proxy_state: ProxyState<'a>,
}

impl<'a> ProxySegment<'a> {
    /// Of a packet, unless that holds no whole TCP header.
    #[inline]
    pub(in crate::synproxy) fn new(
        synproxy: &'a Synproxy,
        packet: &'a Packet<'a>,
        connection: Connection<'a>,
        proxy_state: ProxyState<'a>,
    ) -> Option<Self> {
        Some(Self {
            synproxy,
            packet,
            segment: Segment::of(packet)?,
            connection,
            proxy_state,
        })
    }

    /// It has come in.
    pub(in crate::synproxy) fn arrive(&self) -> Verdict {
        let kind = (self.connection.direction, self.segment.kind());
        fate_of(match (kind, self.connection.tcp_state()) {
            ((Direction::Reply, Kind::SynAck), TcpState::SynReceived) => self.learn_from_server(),
            _ => Ok(()),
        })
    }

    /// It goes out.
    fn run(&self) -> Verdict {
        let is_opened = self.proxy_state.has(Flag::Opened);
        let kind = (self.connection.direction, self.segment.kind());
        fate_of(match (kind, self.connection.tcp_state()) {
            ((Direction::Original, Kind::Syn), TcpState::Over) => self.forget(),
            // A client that knows nothing of its open connection any more, or somebody else: the server asks back.
            ((Direction::Original, Kind::Syn), _) => Ok(()),
            ((Direction::Original, Kind::Ack), TcpState::SynSent) => self.keep_alive(),
            // The client has gone, or somebody says so who knows its numbers: there is nobody to be told anything.
            ((Direction::Original, Kind::Reset), TcpState::Over) if !is_opened => self.withdraw(),
            // Once more where the acknowledgement was lost: a client that has to send nothing never will.
            ((Direction::Reply, Kind::SynAck), TcpState::SynReceived | TcpState::Established) => {
                self.syn_ack()
            }
            ((Direction::Reply, Kind::Reset), _) if !is_opened => self.refused(),
            ((Direction::Reply, _), TcpState::SynSent) => self.answer_of_another(),
            _ => self.established(),
        })
    }

    /// A SYN that connection tracking takes for one of a connection that was reset, since the server has done so. What
    /// was kept of that must not be applied to the next one: it begins when the SYN is sent again.
    fn forget(&self) -> Result {
        if let Some(connection) = self.connection.confirmed() {
            connection.end();
        }
        Err(EAGAIN)
    }

    /// The client's own reset ends what the server has not answered.
    fn withdraw(&self) -> Result {
        let client = self.connection.endpoints(Direction::Original);
        self.synproxy.syn_sent.end(&client);
        Ok(())
    }

    fn checksum(&self) -> u32 {
        self.segment.offset.wrapping_add(CHECKSUM_OFFSET)
    }

    /// Overwrites a word of the header, at an offset from its begin.
    pub(in crate::synproxy) fn amend(&self, offset: u32, bytes: [u8; 4]) -> Result {
        let place = self.segment.offset.wrapping_add(offset);
        self.packet.skb().amend(self.checksum(), place, bytes)
    }

    /// A segment of an open connection.
    fn established(&self) -> Result {
        if !self.proxy_state.is_translated() {
            return Ok(());
        }
        if self.proxy_state.has(Flag::Rescale) {
            self.rescale()?;
        }
        const OPTIONS: [Flag; 3] = [Flag::ShiftTimestamps, Flag::HideTimestamps, Flag::HideSack];
        if OPTIONS.iter().any(|one| self.proxy_state.has(*one)) {
            self.translate_options()?;
        }
        Ok(())
    }

    /// The window, as the receiver understands it.
    fn rescale(&self) -> Result {
        let (segment, proxy_state) = (&self.segment, &self.proxy_state);
        // In a SYN it is not scaled.
        if segment.flags & flags::SYN != 0 {
            return Ok(());
        }
        let client = proxy_state.client_scale().unwrap_or(0);
        let (from, to) = match self.connection.direction {
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
        // It must not seem to be closed when it is only smaller than what can be said.
        let window = window.max(segment.window.min(1));
        if window == segment.window {
            return Ok(());
        }
        let place = segment.offset.wrapping_add(WINDOW_OFFSET).wrapping_sub(2);
        let [a, b, _, _] = self.packet.skb().read::<4>(place).ok_or(EINVAL)?;
        let [c, d] = window.to_be_bytes();
        self.packet
            .skb()
            .amend(self.checksum(), place, [a, b, c, d])
    }

    fn translate_options(&self) -> Result {
        let mut bytes = [0; options::LENGTH_MAX];
        let bytes = options::raw(self.packet.skb(), &self.segment, &mut bytes).ok_or(EINVAL)?;
        let is_to_server = self.connection.direction == Direction::Original;
        for (kind, place, body) in Walk::new(bytes) {
            let place = place.wrapping_add(TCP_HEADER_LENGTH as u32);
            match (kind, body) {
                (kind::TIMESTAMPS, &[a, b, c, d, e, f, g, h]) => {
                    if self.proxy_state.has(Flag::HideTimestamps) {
                        self.hide(place, body.len(), is_to_server)?;
                    } else if self.proxy_state.has(Flag::ShiftTimestamps) {
                        let ahead = self.proxy_state.stamp();
                        if is_to_server {
                            let echo = u32::from_be_bytes([e, f, g, h]).wrapping_add(ahead);
                            self.amend(place.wrapping_add(4), echo.to_be_bytes())?;
                        } else {
                            let value = u32::from_be_bytes([a, b, c, d]).wrapping_sub(ahead);
                            self.amend(place, value.to_be_bytes())?;
                        }
                    }
                }
                (kind::SACK, _) if self.proxy_state.has(Flag::HideSack) => {
                    self.hide(place, body.len(), is_to_server)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Puts nothing in place of an option that the server does not know. Those who wrote it aligned it to
    /// words with two bytes before, or else it stays: servers pass over what they did not agree on.
    fn hide(&self, place: u32, length: usize, is_to_server: bool) -> Result {
        let begin = place.wrapping_sub(2);
        let bytes = length.wrapping_add(2);
        if !is_to_server {
            return Ok(());
        }
        // Words of four bytes as far as they go, and the last one again where two bytes are left.
        for step in 0..bytes / 4 {
            let offset = (step as u32).wrapping_mul(4);
            self.amend(begin.wrapping_add(offset), [kind::NOTHING; 4])?;
        }
        if bytes % 4 != 0 && bytes >= 4 {
            let end = begin.wrapping_add(bytes as u32);
            self.amend(end.wrapping_sub(4), [kind::NOTHING; 4])?;
        }
        Ok(())
    }
}
