// SPDX-License-Identifier: GPL-2.0

//! The server's part of a handshake: its answers to the SYN.

use super::{
    answers,
    translation::ProxySegment, //
};
use crate::synproxy::prelude::*;

impl ProxySegment<'_> {
    /// The client's address and port, and the server's.
    fn client(&self) -> Endpoints {
        self.connection.endpoints(Direction::Original)
    }

    /// The server's address and port as the client knows them.
    fn endpoint(&self) -> Endpoint {
        Endpoint::of_client(&self.client())
    }

    /// The client probes the connection before the server has answered: turns the segment into
    /// another SYN.
    pub(crate) fn keep_alive(&mut self) -> Result {
        let wait = self.synproxy.syn_sent.find(&self.client()).ok_or(ENOENT)?;
        let endpoints = self.segment.endpoints(&self.packet);
        let syn = compose::tcp_header(&endpoints, &wait.fields, &wait.options);
        let packet = &mut self.packet;
        packet.replace_transport(self.segment.offset, syn.as_slice())
    }

    /// The server's SYN-ACK: acknowledges it, and turns it into a window update for the client.
    pub(crate) fn syn_ack(&mut self) -> Result {
        let (segment, proxy_state) = (&self.segment, &self.proxy_state);
        if proxy_state.has(Flag::Opened) && !self.is_repeated() {
            // Anybody may send a SYN-ACK, but only the server has seen the SYN.
            let expected = proxy_state.challenge_syn().map(|syn| syn.wrapping_add(1));
            return match expected == Some(segment.acknowledgement) {
                true => self.forgotten(),
                false => Err(EAGAIN),
            };
        }
        let announced = Options::read(self.packet.skb(), segment).ok_or(EINVAL)?;
        let mut held = None;
        if !proxy_state.has(Flag::Opened) {
            if !proxy_state.try_start_opening() {
                return Err(EAGAIN);
            }
            held = self.open(&announced);
        }
        let ahead = proxy_state.stamp();
        let stamps = announced
            .timestamps
            .filter(|_| proxy_state.has(Flag::ShiftTimestamps));
        self.acknowledge(stamps, ahead, announced.mss, held.as_ref())?;
        let window = segment
            .window
            .wrapping_shr(proxy_state.advertised_wscale().unwrap_or(0).into())
            .max(segment.window.min(1));
        let fields = Fields {
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
        let header = compose::tcp_header(&segment.endpoints(&self.packet), &fields, &options);
        let packet = &mut self.packet;
        packet.replace_transport(segment.offset, header.as_slice())
    }

    /// Learns from the SYN-ACK of a server behind this machine, before any rule could change it.
    pub(crate) fn learn_from_server(&self) -> Result {
        let announced = Options::read(self.packet.skb(), &self.segment).ok_or(EINVAL)?;
        let mtu = self.packet.context().in_mtu(self.packet.family);
        let announced = Options {
            // Larger segments do not fit the ingress interface.
            mss: announced.mss.map(|mss| mss.min(mtu)),
            ..announced
        };
        self.learn(&announced, false);
        Ok(())
    }

    /// Records the options that the server announced.
    fn learn(&self, announced: &Options, is_local: bool) {
        let (segment, proxy_state) = (&self.segment, &self.proxy_state);
        let asked = Options {
            mss: None,
            scale: proxy_state.client_scale(),
            sack: proxy_state.has(Flag::ClientSack),
            timestamps: proxy_state
                .has(Flag::ClientTimestamps)
                .then_some(Timestamps { value: 0, echo: 0 }),
        };
        let ecn = proxy_state
            .has(Flag::ClientEcn)
            .then_some(segment.flags & flags::ECE != 0);
        let servers = &self.synproxy.servers;
        servers.learn(&self.endpoint(), &asked, announced, ecn, is_local);
    }

    /// Records what rules left of the MSS that the server announced.
    fn learn_clamp(&self, endpoint: &Endpoint, announced: &Options, is_local: bool) {
        let (packet, servers) = (&self.packet, &self.synproxy.servers);
        let way = packet.context().egress_route(packet.skb(), packet.family);
        let server = servers.options(endpoint);
        if let (Some(way), Some(server), Some(left)) = (way, server, announced.mss) {
            let expected = match is_local {
                true => way.mss,
                false => way.mss.min(server.mss),
            };
            servers.clamps.learn(way.device, expected, left);
        }
    }

    /// Compares what the server announced with what the client was told. Returns the data that the
    /// client sent meanwhile.
    fn open(&self, announced: &Options) -> Option<Held> {
        let (segment, proxy_state) = (&self.segment, &self.proxy_state);
        let has_timestamps = proxy_state.has(Flag::ClientTimestamps);
        let has_sack = proxy_state.has(Flag::ClientSack);
        let endpoint = self.endpoint();
        let is_local = !self.packet.skb().was_received();
        if is_local {
            self.learn(announced, true);
        }
        self.learn_clamp(&endpoint, announced, is_local);
        self.synproxy
            .servers
            .count(&endpoint, ConnectResult::Opened);
        let held = self.synproxy.syn_sent.end(&self.client());

        let shift = proxy_state.cookie().wrapping_sub(segment.sequence);
        self.connection.shift_sequence(Direction::Reply, shift);
        // Both sides scale windows, or none does (RFC 7323, section 2.2).
        let server_scale = announced
            .scale
            .filter(|_| proxy_state.client_scale().is_some());
        // Connection tracking sees windows as their sender scaled them.
        self.connection.set_window_scales(
            proxy_state.client_scale().unwrap_or(0),
            server_scale.unwrap_or(0),
        );
        let is_rescaled = proxy_state.advertised_wscale() != server_scale
            && proxy_state.advertised_wscale().is_some();
        let shifted = announced.timestamps.filter(|_| has_timestamps);
        if let Some(stamps) = shifted {
            proxy_state.set_stamp(stamps.value.wrapping_sub(proxy_state.stamp()));
        }
        let flags = [
            (true, Flag::Opened),
            (shifted.is_some(), Flag::ShiftTimestamps),
            (has_timestamps && shifted.is_none(), Flag::HideTimestamps),
            (has_sack && !announced.sack, Flag::HideSack),
            (is_rescaled, Flag::Rescale),
        ];
        proxy_state.add(&flags, server_scale);
        // Set the mark here too: the client may be silent for long, and rules at `Stage::Filter`
        // never set it. If connection tracking loses the connection, the mark is all that is left.
        if let Some(mark) = self.synproxy.established.mark(&self.client()) {
            mark.set(true);
        }
        held
    }

    /// Acknowledges the server's SYN in the client's name, with the numbers that the client knows:
    /// the ACK is translated like the client's segments. It carries the data that the client sent
    /// meanwhile, if the server takes that much.
    fn acknowledge(
        &self,
        stamps: Option<Timestamps>,
        ahead: u32,
        mss: Option<u16>,
        held: Option<&Held>,
    ) -> Result {
        let (packet, segment) = (&self.packet, &self.segment);
        let size = if stamps.is_some() { 12 } else { 0 };
        let (data, more) = held
            .and_then(|held| {
                let data = held.fitting(segment.window, mss.unwrap_or(MSS_DEFAULT), size)?;
                Some((data, held.flags))
            })
            .unwrap_or_default();
        let fields = Fields {
            sequence: segment.acknowledgement,
            acknowledgement: self.proxy_state.cookie().wrapping_add(1),
            flags: flags::ACK | more,
            window: self.client_window(),
        };
        let options = Options {
            timestamps: stamps.map(|stamps| Timestamps {
                value: stamps.echo,
                echo: stamps.value.wrapping_sub(ahead),
            }),
            ..Options::default()
        };
        let context = packet.context();
        let endpoints = segment.endpoints(packet).reversed();
        let time_to_live = context.initial_time_to_live(packet.family);
        compose::packet(&endpoints, time_to_live, &fields, &options, data)?.send(context);
        Ok(())
    }

    /// The window of the client's SYN, in the client's scale.
    fn client_window(&self) -> u16 {
        let window = self.connection.largest_window();
        let scaled = window.wrapping_shr(self.proxy_state.client_scale().unwrap_or(0).into());
        u16::try_from(scaled).unwrap_or(u16::MAX)
    }

    /// Whether this is a retransmission of the SYN-ACK that opened the connection.
    fn is_repeated(&self) -> bool {
        let sequence = self.segment.sequence;
        let shift = self.connection.sequence_shift(Direction::Reply, sequence);
        self.proxy_state.challenge_syn().is_none()
            && sequence.wrapping_add(shift) == self.proxy_state.cookie()
    }

    /// The server has forgotten the connection, and answers a SYN that passed as the first of a new
    /// one. Resets the server. The client, if the SYN is its own, has to send it again at once, to
    /// get a cookie: it does so on an ACK with a wrong acknowledgement number.
    #[cold]
    fn forgotten(&mut self) -> Result {
        let segment = &self.segment;
        answers::reset_server(self.packet.context(), segment, &self.connection);
        if let Some(connection) = self.connection.confirmed() {
            connection.end();
        }
        // Both sides are told, so nothing is lost.
        if let Some(mark) = self.synproxy.established.mark(&self.client()) {
            mark.clear();
        }
        let fields = Fields {
            sequence: segment.sequence,
            acknowledgement: segment.acknowledgement.wrapping_sub(1),
            flags: flags::ACK,
            window: segment.window,
        };
        let endpoints = segment.endpoints(&self.packet);
        let header = compose::tcp_header(&endpoints, &fields, &Options::default());
        let packet = &mut self.packet;
        packet.replace_transport(segment.offset, header.as_slice())
    }

    /// The server answers with something else than a SYN-ACK: it has an old connection between the
    /// same endpoints, or somebody else answers.
    #[cold]
    pub(crate) fn answer_of_another(&self) -> Result {
        if !answers::answers_our_syn(&self.segment, &self.connection) {
            let context = self.packet.context();
            answers::refuse(self.synproxy, context, &self.segment, &self.connection);
        }
        Err(EAGAIN)
    }

    /// The server resets a connection that is not open: gives the reset the sequence number that
    /// the client expects.
    pub(crate) fn refused(&self) -> Result {
        // A sender that has not seen the SYN is not the server.
        if !answers::answers_our_syn(&self.segment, &self.connection) {
            return Err(EAGAIN);
        }
        let next = self.proxy_state.cookie().wrapping_add(1);
        let shift = next.wrapping_sub(self.segment.sequence);
        self.connection.shift_sequence(Direction::Reply, shift);
        let endpoint = self.endpoint();
        self.synproxy
            .servers
            .count(&endpoint, ConnectResult::Refused);
        self.synproxy.syn_sent.end(&self.client());
        Ok(())
    }
}
