// SPDX-License-Identifier: GPL-2.0

//! The server's part of a handshake: its answers to the SYN.

use super::{
    answers,
    translation::ProxySegment, //
};
use crate::synproxy::{
    prelude::*,
    server::servers::Said, //
};

/// The maximum number of segments that a server gets with its handshake: all of what is held, if it
/// takes 512 bytes in each.
const EARLY_SEGMENTS_MAX: usize = 128;

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

    /// The server's SYN-ACK: turns it into a window update for the client, and has the server
    /// repeat it. The repeated one is acknowledged.
    pub(crate) fn syn_ack(&mut self) -> Result {
        let (segment, proxy_state) = (&self.segment, &self.proxy_state);
        let is_first = !proxy_state.has(Flag::Opened);
        if !is_first && !self.is_repeated() {
            // Anybody may send a SYN-ACK, but only the server has seen the SYN.
            let expected = proxy_state.challenge_syn().map(|syn| syn.wrapping_add(1));
            return match expected == Some(segment.acknowledgement) {
                true => self.forgotten(),
                false => Err(EAGAIN),
            };
        }
        let announced = Options::read(self.packet.skb(), segment).ok_or(EINVAL)?;
        if is_first {
            if !proxy_state.try_start_opening() {
                return Err(EAGAIN);
            }
            self.open(&announced);
        }
        // Connection tracking sees windows as their sender scaled them.
        self.connection.set_window_scales(
            proxy_state.client_scale().unwrap_or(0),
            proxy_state.server_scale().unwrap_or(0),
        );
        let ahead = proxy_state.stamp();
        let stamps = announced
            .timestamps
            .filter(|_| proxy_state.has(Flag::ShiftTimestamps));
        if !is_first || self.ask_again().is_err() {
            self.acknowledge(&announced, stamps, ahead, is_first)?;
        }
        // A socket of this machine would not count what is dropped as sent (`tcp_rtx_synack`).
        if !is_first && self.packet.skb().was_received() {
            return Err(EAGAIN);
        }
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
            ..Options::default()
        };
        let ecn = proxy_state
            .has(Flag::ClientEcn)
            .then_some(segment.flags & flags::ECE != 0);
        let said = Said {
            options: announced,
            ecn,
            window: segment.window,
            is_local,
            was_chosen: self.was_chosen(),
        };
        let endpoint = self.endpoint();
        let learned = self.synproxy.servers.learn(&endpoint, &asked, &said);
        if let Some(options) = learned {
            self.synproxy.tell_learned(&endpoint, &options);
        }
    }

    /// Whether the client knows the server by another address or port.
    fn was_chosen(&self) -> bool {
        let (client, server) = (
            self.client(),
            self.connection.endpoints(Direction::Reply).reversed(),
        );
        (client.addresses.1, client.ports.1) != (server.addresses.1, server.ports.1)
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

    /// Sends the server the SYN once more, and leaves its first SYN-ACK without an answer. From how
    /// soon that is acknowledged the server would learn how far this machine is, and take it for
    /// the client's round trip. A SYN-ACK that was repeated tells it nothing (RFC 6298, section 3;
    /// `tcp_synack_rtt_meas`), and what it measures first is data, all the way. With timestamps
    /// that takes an echo of none as well, see [`Self::acknowledge`].
    ///
    /// Fails if the SYN was retransmitted before: the server may not answer another one so soon
    /// (`tcp_oow_rate_limited`).
    fn ask_again(&self) -> Result {
        let client = self.client();
        let mut wait = self.synproxy.syn_sent.find_first(&client).ok_or(ENOENT)?;
        // A server whose answer has it all the same has remembered the first SYN.
        match wait.options.sack {
            true => wait.options.sack = false,
            false => wait.options.scale = None,
        }
        let context = self.packet.context();
        let time_to_live = context.initial_time_to_live(client.family);
        wait.syn(time_to_live)?.send(context);
        self.connection.forget_syn();
        Ok(())
    }

    /// Holds what the client sends until the server has repeated its SYN-ACK: anything of it would
    /// acknowledge the first one.
    #[cold]
    pub(crate) fn hold(&mut self) -> Result {
        let (client, syn_sent) = (self.client(), &self.synproxy.syn_sent);
        let (packet, segment) = (&self.packet, &self.segment);
        if syn_sent.hold(packet, segment, &client, &self.proxy_state)
            || syn_sent.find(&client).is_some()
        {
            return Err(EAGAIN);
        }
        // It has given way to others.
        self.proxy_state.set_acknowledged();
        self.established()
    }

    /// Compares what the server announced with what the client was told.
    fn open(&self, announced: &Options) {
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

        let shift = proxy_state.cookie().wrapping_sub(segment.sequence);
        self.connection.shift_sequence(Direction::Reply, shift);
        // Both sides scale windows, or none does (RFC 7323, section 2.2).
        let server_scale = announced
            .scale
            .filter(|_| proxy_state.client_scale().is_some());
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
    }

    /// Acknowledges the server's SYN in the client's name, with the numbers that the client knows:
    /// the ACK is translated like the client's segments. It carries what the client sent meanwhile,
    /// and so do more segments, as far as the server takes them.
    ///
    /// They echo no timestamp to a server that has remembered the SYN and repeated its SYN-ACK, and
    /// would measure the time since (`tcp_ack_update_rtt`). One that has not keeps there what it
    /// has to know of the first SYN (`cookie_timestamp_decode`).
    fn acknowledge(
        &self,
        announced: &Options,
        stamps: Option<Timestamps>,
        ahead: u32,
        is_first: bool,
    ) -> Result {
        let (packet, segment) = (&self.packet, &self.segment);
        let entry = self.synproxy.syn_sent.take(&self.client());
        let size = self.early_size(announced.mss, stamps.is_some());
        let has_remembered = match self.proxy_state.has(Flag::ClientSack) {
            true => announced.sack,
            false => announced.scale.is_some(),
        };
        let echo = |value: u32| match has_remembered && !is_first {
            true => 0u32.wrapping_sub(ahead),
            false => entry
                .as_ref()
                .and_then(|entry| entry.wait.stamp)
                .unwrap_or(value.wrapping_sub(ahead)),
        };
        let mut fields = Fields {
            sequence: segment.acknowledgement,
            acknowledgement: self.proxy_state.cookie().wrapping_add(1),
            flags: flags::ACK,
            window: self.client_window(),
        };
        let options = Options {
            timestamps: stamps.map(|stamps| Timestamps {
                value: stamps.echo,
                echo: echo(stamps.value),
            }),
            ..Options::default()
        };
        self.proxy_state.set_acknowledged();
        let context = packet.context();
        let endpoints = segment.endpoints(packet).reversed();
        let time_to_live = context.initial_time_to_live(packet.family);
        let held = entry.as_ref().and_then(|entry| entry.held.as_ref());
        let mut sent = 0_usize;
        let mut done = Ok(());
        for number in 0..EARLY_SEGMENTS_MAX {
            let (data, more) = held.map_or((&[][..], 0), |held| {
                held.segment(sent, segment.window, size) //
            });
            if number > 0 && data.is_empty() {
                break;
            }
            fields.flags = flags::ACK | more;
            match compose::packet(&endpoints, time_to_live, &fields, &options, data) {
                Ok(early) => early.send(context),
                Err(error) => {
                    // Without an ACK, the server sends its SYN-ACK again.
                    if number == 0 {
                        done = Err(error);
                    }
                    break;
                }
            }
            fields.sequence = fields.sequence.wrapping_add(data.len() as u32);
            sent = sent.saturating_add(data.len());
        }
        if held.is_some_and(|held| held.has_more_than(sent)) {
            self.synproxy.servers.count_dropped(&self.endpoint());
        }
        done
    }

    /// How much data fits into a segment to the server, which announced this MSS.
    fn early_size(&self, mss: Option<u16>, has_timestamps: bool) -> usize {
        // What was learned fits the interface, too.
        let learned = self.synproxy.servers.options(&self.endpoint());
        let mss = mss
            .unwrap_or(MSS_DEFAULT)
            .min(learned.map_or(u16::MAX, |learned| learned.mss));
        usize::from(mss).saturating_sub(if has_timestamps { 12 } else { 0 })
    }

    /// The window of the client's SYN, in the client's scale.
    fn client_window(&self) -> u16 {
        let window = self.connection.largest_window();
        let scaled = window.wrapping_shr(self.proxy_state.client_scale().unwrap_or(0).into());
        u16::try_from(scaled).unwrap_or(u16::MAX)
    }

    /// Whether this is a retransmission of the SYN-ACK that opened the connection. Before one is
    /// acknowledged, that of a server that remembers nothing may have another number.
    fn is_repeated(&self) -> bool {
        if self.proxy_state.challenge_syn().is_some() {
            return false;
        }
        if !self.proxy_state.has(Flag::Acknowledged) {
            let wait = self.synproxy.syn_sent.find(&self.client());
            return wait.is_some_and(|wait| {
                self.segment.acknowledgement == wait.fields.sequence.wrapping_add(1)
            });
        }
        let sequence = self.segment.sequence;
        let shift = self.connection.sequence_shift(Direction::Reply, sequence);
        sequence.wrapping_add(shift) == self.proxy_state.cookie()
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
