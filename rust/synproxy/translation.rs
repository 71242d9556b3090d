// SPDX-License-Identifier: GPL-2.0

//! What is done with the segments of SYNPROXY's connections on their way out, before connection tracking
//! shifts their sequence numbers.

use super::{
    announcement::Agreement,
    compose::{
        self,
        Fields, //
    },
    cookie::NO_SCALE,
    options::{
        self,
        kind,
        Options,
        Timestamps,
        Walk, //
    },
    proxied::{
        Proxied,
        Trait, //
    },
    segment::{
        flags,
        Kind,
        Segment,
        ACKNOWLEDGEMENT_OFFSET,
        CHECKSUM_OFFSET,
        WINDOW_OFFSET, //
    },
    servers::{
        Attempt,
        Endpoint, //
    },
    unreachable,
    waiting::Wait,
    Synproxy, //
};
use crate::{
    kernel_api::{
        connections::{
            Connection,
            Direction,
            Endpoints,
            FoundConnection,
            TcpState, //
        },
        conntrack::TrackingState,
        netfilter::{
            Context,
            Fate,
            Hook, //
        },
        skb::Skb,
        transmit::NewPacket, //
    },
    packet::{
        Packet,
        Transport,
        IPPROTO_TCP,
        TCP_HEADER_LENGTH, //
    },
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// Sees the packets of SYNPROXY's connections where they leave the stack: in LOCAL_IN and POSTROUTING.
pub(crate) struct Translation(Arc<Synproxy>);

impl Translation {
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
        proxied: Proxied<'_>,
    ) -> Fate {
        let Some(family) = context.family() else {
            return Fate::Drop;
        };
        let Some(packet) = Packet::parse(skb, context, family) else {
            return Fate::Drop;
        };
        if connection.is_related {
            return unreachable::translate(&self.0, &packet, &connection, &proxied);
        }
        let Transport::Header {
            protocol: IPPROTO_TCP,
            offset,
        } = packet.transport()
        else {
            return Fate::Accept;
        };
        let Some(segment) = Segment::read(skb, offset) else {
            return Fate::Drop;
        };
        let passage = Passage {
            synproxy: &self.0,
            packet: &packet,
            segment,
            connection,
            proxied,
        };
        passage.run()
    }
}

impl Hook for Translation {
    #[inline(always)]
    fn packet(&self, skb: &Skb, context: Context<'_>) -> Fate {
        let Some(connection) = skb.tracked() else {
            return Fate::Accept;
        };
        let Some(words) = connection.proxy() else {
            return Fate::Accept;
        };
        let proxied = Proxied::new(words);
        let is_open = connection.tcp_state() == TcpState::Established;
        if is_open && !connection.is_related && !proxied.is_translated() || skb.is_looped() {
            return Fate::Accept;
        }
        self.translate(skb, context, connection, proxied)
    }
}

/// A segment of one of SYNPROXY's connections.
struct Passage<'a> {
    synproxy: &'a Synproxy,
    packet: &'a Packet<'a>,
    segment: Segment,
    connection: Connection<'a>,
    proxied: Proxied<'a>,
}

impl Passage<'_> {
    fn run(&self) -> Fate {
        let state = self.connection.tcp_state();
        let done = match (self.connection.direction, self.segment.kind(), state) {
            (Direction::Original, Kind::Syn, TcpState::SynSent) => self.syn(),
            (Direction::Original, Kind::Ack, TcpState::SynSent) => self.keep_alive(),
            (Direction::Reply, Kind::SynAck, TcpState::SynReceived) => self.syn_ack(),
            (Direction::Reply, Kind::Reset, _) if !self.proxied.has(Trait::Opened) => {
                self.refused();
                Ok(())
            }
            _ => self.established(),
        };
        match done {
            Ok(()) => Fate::Accept,
            // The sender will try again.
            Err(_) => Fate::Drop,
        }
    }

    fn checksum(&self) -> u32 {
        self.segment.offset.wrapping_add(CHECKSUM_OFFSET)
    }

    /// Overwrites a word of the header, at an offset from its begin.
    fn amend(&self, offset: u32, bytes: [u8; 4]) -> Result {
        let place = self.segment.offset.wrapping_add(offset);
        self.packet.skb().amend(self.checksum(), place, bytes)
    }

    /// Whom the client's packets are from and for.
    fn client(&self) -> Endpoints {
        self.connection.endpoints(Direction::Original)
    }

    /// The server as the client knows it.
    fn endpoint(&self) -> Endpoint {
        Endpoint::of_client(&self.client())
    }

    /// The SYN to the server. It brings along what the client has got.
    fn syn(&self) -> Result {
        let skb = self.packet.skb();
        let options = Options::read(skb, &self.segment).ok_or(EINVAL)?;
        // A retransmission by somebody else brings nothing along.
        if self.segment.acknowledgement == 0 {
            return Ok(());
        }
        let agreement = match options.timestamps {
            Some(timestamps) => Agreement::from_stamp(timestamps.echo),
            None => Agreement::from_cookie(options.scale.unwrap_or(NO_SCALE), options.sack),
        };
        let stamp = options.timestamps.map(|timestamps| timestamps.echo);
        self.proxied
            .start(self.segment.acknowledgement, stamp, &agreement);
        self.amend(ACKNOWLEDGEMENT_OFFSET, [0; 4])?;
        if let Some(place) = self.place_of(kind::TIMESTAMPS) {
            self.amend(place.wrapping_add(4), [0; 4])?;
        }
        self.synproxy.wait(&Wait {
            endpoints: self.client(),
            cookie: self.segment.acknowledgement,
            fields: Fields {
                ports: self.client().port_word(),
                sequence: self.segment.sequence,
                acknowledgement: 0,
                flags: self.segment.flags,
                window: self.segment.window,
            },
            options: Options {
                timestamps: options.timestamps.map(|timestamps| Timestamps {
                    value: timestamps.value,
                    echo: 0,
                }),
                ..options
            },
        });
        Ok(())
    }

    /// The client's patience ends before the server has answered: the server gets the SYN once more.
    fn keep_alive(&self) -> Result {
        let packet = self.packet;
        let wait = self.synproxy.waiting.find(&self.client()).ok_or(ENOENT)?;
        let fields = Fields {
            ports: self.segment.ports(),
            ..wait.fields
        };
        let syn = compose::tcp_header(&fields, &wait.options, &packet.source, &packet.destination);
        packet.replace_transport(self.segment.offset, syn.as_slice())
    }

    /// Where the body of an option is, from the begin of the header.
    fn place_of(&self, wanted: u8) -> Option<u32> {
        let mut bytes = [0; options::LENGTH_MAX];
        let bytes = options::raw(self.packet.skb(), &self.segment, &mut bytes)?;
        let (_, place, _) = Walk::new(bytes).find(|(kind, _, _)| *kind == wanted)?;
        Some(place.wrapping_add(TCP_HEADER_LENGTH as u32))
    }

    /// The server accepts: it gets its acknowledgement, and the client gets to know the window.
    fn syn_ack(&self) -> Result {
        let (packet, segment, proxied) = (self.packet, &self.segment, &self.proxied);
        let announced = Options::read(packet.skb(), segment).ok_or(EINVAL)?;
        if !proxied.has(Trait::Opened) {
            self.open(&announced);
        }
        let ahead = proxied.stamp();
        let stamps = announced
            .timestamps
            .filter(|_| proxied.has(Trait::ShiftTimestamps));
        self.acknowledge(stamps, ahead)?;
        let window = segment
            .window
            .wrapping_shr(proxied.told_scale().unwrap_or(0).into());
        let fields = Fields {
            ports: segment.ports(),
            sequence: segment.sequence.wrapping_add(1),
            acknowledgement: segment.acknowledgement,
            flags: flags::ACK,
            window,
        };
        let options = Options {
            timestamps: stamps.map(|stamps| Timestamps {
                value: stamps.value.wrapping_sub(ahead),
                echo: stamps.echo,
            }),
            ..Options::default()
        };
        let header = compose::tcp_header(&fields, &options, &packet.source, &packet.destination);
        packet.replace_transport(segment.offset, header.as_slice())
    }

    /// Compares what the server announces with what the client was told.
    fn open(&self, announced: &Options) {
        let (segment, proxied) = (&self.segment, &self.proxied);
        let has_timestamps = proxied.has(Trait::ClientTimestamps);
        let has_sack = proxied.has(Trait::ClientSack);
        let endpoint = self.endpoint();
        let asked = Options {
            mss: None,
            scale: proxied.client_scale(),
            sack: has_sack,
            timestamps: has_timestamps.then_some(Timestamps { value: 0, echo: 0 }),
        };
        let ecn = proxied
            .has(Trait::ClientEcn)
            .then_some(segment.flags & flags::ECE != 0);
        self.synproxy
            .servers
            .learn(&endpoint, &asked, announced, ecn);
        self.synproxy.servers.count(&endpoint, Attempt::Opened);
        self.synproxy.waiting.end(&self.client());

        let shift = proxied.cookie().wrapping_sub(segment.sequence);
        self.connection.shift_sequence(Direction::Reply, shift);
        // Where one side does not scale windows, neither does the other (RFC 7323, section 2.2).
        let server_scale = announced.scale.filter(|_| proxied.client_scale().is_some());
        // Connection tracking sees windows as they are sent.
        self.connection.set_window_scales(
            proxied.client_scale().unwrap_or(0),
            server_scale.unwrap_or(0),
        );
        let is_rescaled = proxied.told_scale() != server_scale && proxied.told_scale().is_some();
        let shifted = announced.timestamps.filter(|_| has_timestamps);
        if let Some(stamps) = shifted {
            proxied.set_stamp(stamps.value.wrapping_sub(proxied.stamp()));
        }
        let traits = [
            (true, Trait::Opened),
            (shifted.is_some(), Trait::ShiftTimestamps),
            (has_timestamps && shifted.is_none(), Trait::HideTimestamps),
            (has_sack && !announced.sack, Trait::HideSack),
            (is_rescaled, Trait::Rescale),
        ];
        proxied.add(&traits, server_scale);
    }

    /// Acknowledges the server's SYN in the client's name: as the client would, with the numbers that the
    /// client knows, so that it is translated as anything that the client sends.
    fn acknowledge(&self, stamps: Option<Timestamps>, ahead: u32) -> Result {
        let (packet, segment) = (self.packet, &self.segment);
        let fields = Fields {
            ports: segment.ports_of_answer(),
            sequence: segment.acknowledgement,
            acknowledgement: self.proxied.cookie().wrapping_add(1),
            flags: flags::ACK,
            window: self.client_window(),
        };
        let options = Options {
            timestamps: stamps.map(|stamps| Timestamps {
                value: stamps.echo,
                echo: stamps.value.wrapping_sub(ahead),
            }),
            ..Options::default()
        };
        let acknowledgement = compose::packet(
            packet.family,
            packet.context().initial_time_to_live(packet.family),
            &fields,
            &options,
            &packet.destination,
            &packet.source,
        );
        NewPacket::new(packet.family, acknowledgement.as_slice())?.send(packet.context());
        Ok(())
    }

    /// The window of the client's SYN, as the client scales it.
    fn client_window(&self) -> u16 {
        let window = self.connection.largest_window();
        let scaled = window.wrapping_shr(self.proxied.client_scale().unwrap_or(0).into());
        u16::try_from(scaled).unwrap_or(u16::MAX)
    }

    /// The server resets what is not open: the client has to take it for what comes next.
    fn refused(&self) {
        let next = self.proxied.cookie().wrapping_add(1);
        let shift = next.wrapping_sub(self.segment.sequence);
        self.connection.shift_sequence(Direction::Reply, shift);
        let endpoint = self.endpoint();
        self.synproxy.servers.count(&endpoint, Attempt::Refused);
        self.synproxy.waiting.end(&self.client());
    }

    /// A segment of an open connection.
    fn established(&self) -> Result {
        if !self.proxied.is_translated() {
            return Ok(());
        }
        if self.proxied.has(Trait::Rescale) {
            self.rescale()?;
        }
        const OPTIONS: [Trait; 3] = [
            Trait::ShiftTimestamps,
            Trait::HideTimestamps,
            Trait::HideSack,
        ];
        if OPTIONS.iter().any(|one| self.proxied.has(*one)) {
            self.translate_options()?;
        }
        Ok(())
    }

    /// The window, as the receiver understands it.
    fn rescale(&self) -> Result {
        let (segment, proxied) = (&self.segment, &self.proxied);
        // In a SYN it is not scaled.
        if segment.flags & flags::SYN != 0 {
            return Ok(());
        }
        let client = proxied.client_scale().unwrap_or(0);
        let (from, to) = match self.connection.direction {
            Direction::Original => (client, proxied.server_scale().map_or(0, |_| client)),
            Direction::Reply => (
                proxied.server_scale().unwrap_or(0),
                proxied.told_scale().unwrap_or(0),
            ),
        };
        let window = u32::from(segment.window)
            .wrapping_shl(from.into())
            .wrapping_shr(to.into());
        let window = u16::try_from(window).unwrap_or(u16::MAX);
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
                    if self.proxied.has(Trait::HideTimestamps) {
                        self.hide(place, body.len(), is_to_server)?;
                    } else if self.proxied.has(Trait::ShiftTimestamps) {
                        let ahead = self.proxied.stamp();
                        if is_to_server {
                            let echo = u32::from_be_bytes([e, f, g, h]).wrapping_add(ahead);
                            self.amend(place.wrapping_add(4), echo.to_be_bytes())?;
                        } else {
                            let value = u32::from_be_bytes([a, b, c, d]).wrapping_sub(ahead);
                            self.amend(place, value.to_be_bytes())?;
                        }
                    }
                }
                (kind::SACK, _) if self.proxied.has(Trait::HideSack) => {
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

/// Drops what connection tracking takes for invalid but that has the addresses of one of SYNPROXY's
/// connections: it would go on untranslated. In PREROUTING, behind connection tracking.
pub(crate) struct OutOfFlow;

impl Hook for OutOfFlow {
    #[inline(always)]
    fn packet(&self, skb: &Skb, context: Context<'_>) -> Fate {
        match skb.tracking().state {
            TrackingState::Invalid => judge_invalid(skb, context),
            _ => Fate::Accept,
        }
    }
}

#[cold]
#[inline(never)]
fn judge_invalid(skb: &Skb, context: Context<'_>) -> Fate {
    let packet = context
        .family()
        .and_then(|family| Packet::parse(skb, context, family));
    let Some(packet) = packet else {
        return Fate::Accept;
    };
    let Transport::Header {
        protocol: IPPROTO_TCP,
        offset,
    } = packet.transport()
    else {
        return Fate::Accept;
    };
    let Some(segment) = Segment::read(skb, offset) else {
        return Fate::Accept;
    };
    let endpoints = segment.endpoints(&packet);
    let Some(found) = FoundConnection::look_up(packet.context().namespace(), &endpoints) else {
        return Fate::Accept;
    };
    let connection = found.connection();
    // A client that has waited for the server, or comes again, is for the rules to judge.
    let is_asking = segment.kind() == Kind::Ack
        && connection.direction == Direction::Original
        && matches!(connection.tcp_state(), TcpState::SynSent | TcpState::Over);
    match connection.proxy() {
        Some(_) if !is_asking => Fate::Drop,
        _ => Fate::Accept,
    }
}
