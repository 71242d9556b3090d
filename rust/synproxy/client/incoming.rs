// SPDX-License-Identifier: GPL-2.0

//! Segments of clients before their connection exists.

use super::opening::Proof;
use crate::{
    content,
    kernel_api::{
        net::{
            listeners::Offer,
            route::RouteLimits,
            way_back::{
                NoAnswer,
                WayBack, //
            },
        },
        time::{
            jiffies32,
            tcp_milliseconds, //
        },
    },
    synproxy::{
        connection::established::EstablishedMark,
        cookie::announcement::Announcement,
        prelude::*,
        server::servers::{
            Known,
            ServerOptions, //
        },
        settings::{
            Events,
            SynproxySettings, //
        },
    },
};

/// The window of clients that have to say something before there is a server, in bytes: what rules look
/// at. What there is no memory for comes again.
const SAYABLE: u16 = content::LENGTH_MAX as u16;

/// Where a rule sees packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Before connection tracking.
    BeforeConntrack,
    /// After connection tracking and routing.
    Filter,
}

impl Synproxy {
    /// Handles a segment that matches a rule with these settings. `None` if it does not concern
    /// SYNPROXY and goes on to the next rule.
    #[inline]
    pub(crate) fn receive(
        &self,
        settings: &SynproxySettings,
        events: &Events,
        stage: Stage,
        packet: &mut Packet<'_>,
    ) -> Option<Verdict> {
        let offset = match packet.transport() {
            Transport::Header {
                protocol: IPPROTO_TCP,
                offset,
            } => offset,
            // A fragment that nobody reassembled: the rules match TCP only.
            _ => return Some(Verdict::Drop),
        };
        if self.is_tracked(stage, packet) {
            return None;
        }
        let Some(segment) = Segment::read(packet.skb(), offset) else {
            return Some(Verdict::Drop);
        };
        let mut incoming = Incoming {
            synproxy: self,
            settings,
            events,
            stage,
            endpoints: segment.endpoints(packet),
            packet,
            segment,
        };
        match segment.kind() {
            Kind::Syn => incoming.syn(),
            kind => incoming.others(kind),
        }
    }

    /// Whether the packet has a connection, or had one before it came back over loopback.
    #[inline]
    fn is_tracked(&self, stage: Stage, packet: &Packet<'_>) -> bool {
        let skb = packet.skb();
        let Some(connection) = skb.tracked() else {
            return false;
        };
        // Without a rule that leaves SYNs untracked, they are new connections here.
        stage == Stage::BeforeConntrack
            || ProxyState::of(&connection).is_some()
            || skb.tracking().state != TrackingState::New
    }
}

/// A client's segment, and how to handle it.
pub(crate) struct Incoming<'a, 'p> {
    pub(crate) synproxy: &'a Synproxy,
    settings: &'a SynproxySettings,
    events: &'a Events,
    pub(crate) stage: Stage,
    pub(crate) packet: &'a mut Packet<'p>,
    pub(crate) segment: Segment,
    /// Its addresses and ports, which are needed several times.
    pub(crate) endpoints: Endpoints,
}

impl Incoming<'_, '_> {
    pub(crate) fn count(&self, event: Event) {
        self.events.count(event as usize);
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint::of_client(&self.endpoints)
    }

    pub(crate) fn has_right_checksum(&self) -> bool {
        let (skb, context) = (self.packet.skb(), self.packet.context());
        skb.has_right_checksum(context, self.segment.offset, IPPROTO_TCP)
    }

    /// The route of an answer between these endpoints, if there may be one.
    #[inline]
    pub(crate) fn way_back(&mut self, answer: &Endpoints) -> Result<WayBack, NoAnswer> {
        let packet = &mut *self.packet;
        if packet.has_refused_options(self.segment.offset) {
            return Err(NoAnswer::Forbidden);
        }
        let (context, family) = (*packet.context(), packet.family);
        let own = &self.synproxy.own_addresses;
        context.way_back(packet.skb_mut(), family, answer.port_word(), own)
    }

    pub(crate) fn look_up(&self, endpoints: &Endpoints) -> Option<FoundConnection> {
        FoundConnection::look_up(self.packet.context().namespace(), endpoints)
    }

    /// What is known of the server, whose options the client is told. `None` if it is a socket of
    /// this host that has no room for another connection.
    #[inline]
    fn server(&mut self, endpoint: &Endpoint, way: &WayBack) -> Option<Known> {
        let (servers, now) = (&self.synproxy.servers, jiffies32());
        let has_no_limits = way.limits == RouteLimits::default();
        let offer = match servers.known(endpoint, now) {
            Known::Server(options) => {
                return Some(Known::Server(ServerOptions {
                    // What the client sends meanwhile has to be held.
                    window: options.window.min(self.synproxy.memory.room()),
                    ..options
                }));
            }
            _ if !way.is_from_here => None,
            Known::Listener(offer) if has_no_limits => Some(offer),
            _ => self.listener_offer(&way.limits).inspect(|offer| {
                if has_no_limits {
                    servers.remember(endpoint, offer, now);
                }
            }),
        };
        match offer {
            Some(offer) => offer.has_room.then_some(Known::Listener(offer)),
            None => Some(Known::Nothing),
        }
    }

    /// What the socket of this host says that may take the connection over, on a route with these
    /// limits.
    #[cold]
    fn listener_offer(&mut self, limits: &RouteLimits) -> Option<Offer> {
        let header_end = self.segment.offset.wrapping_add(self.segment.header_length);
        let context = *self.packet.context();
        let skb = self.packet.skb_mut();
        let listener = context.listener(skb, &self.endpoints, header_end)?;
        listener.offer(limits)
    }

    /// Answers a SYN with a cookie, unless it may pass.
    #[inline]
    fn syn(&mut self) -> Option<Verdict> {
        if !self.has_right_checksum() {
            return Some(Verdict::Drop);
        }
        self.count(Event::Syn);
        if self.may_have_connection() && self.is_of_open_connection() {
            return None;
        }
        if self.open_socket().is_some() {
            return self.pass_to_socket();
        }
        let endpoint = self.endpoint();
        if let Some(threshold) = &self.settings.threshold {
            if self.synproxy.admits(&endpoint, threshold) {
                self.forget_last();
                return None;
            }
            // A retransmission goes to whoever got the first SYN.
            if self.is_underway() {
                return None;
            }
        }
        let Some(client) = Options::read(self.packet.skb(), &self.segment) else {
            return Some(Verdict::Drop);
        };
        // Answer only where this host's own TCP, or routing, would have.
        let endpoints = self.endpoints.reversed();
        let way = match self.way_back(&endpoints) {
            Ok(way) => way,
            Err(NoAnswer::Forbidden) => return Some(Verdict::Drop),
            Err(NoAnswer::NoRoute) => return None,
        };
        let Some(server) = self.server(&endpoint, &way) else {
            return Some(Verdict::Drop);
        };
        let (packet, segment) = (&*self.packet, &self.segment);
        let mut announcement = Announcement::new(
            self.settings,
            packet.family,
            segment,
            &client,
            &server,
            way.mss.min(self.synproxy.servers.clamps.limit(way.device)),
        );
        if let Some(stamps) = &mut announcement.options.timestamps {
            let offset = self.synproxy.clocks.offset(&self.endpoints);
            stamps.value = stamps.value.wrapping_add(offset);
        }
        let options = &announcement.options;
        let cookie = self.synproxy.cookies.make(
            &self.endpoints,
            segment.sequence,
            client.mss.unwrap_or(MSS_DEFAULT),
            announcement.carried,
        );
        // Of other servers, nothing is learned from it.
        if options.timestamps.is_some() && matches!(server, Known::Listener(_)) {
            self.synproxy.sent.note(cookie, tcp_milliseconds());
        }
        let fields = Fields {
            sequence: cookie,
            acknowledgement: segment.sequence.wrapping_add(1),
            flags: announcement.flags,
            window: self.window(announcement.window),
        };
        let time_to_live = packet.context().initial_time_to_live(packet.family);
        let answer = compose::headers(&endpoints, time_to_live, &fields, options, &[]);
        let Ok(rewritten) = self.packet.replace(answer.as_slice()) else {
            return Some(Verdict::Drop);
        };
        self.count(Event::CookieSent);
        Some(Verdict::Transmit(rewritten.by(way)))
    }

    /// The window that a client is told. One that has to say something has to be able to.
    #[inline]
    fn window(&self, announced: u16) -> u16 {
        match self.settings.patience {
            None => announced,
            Some(_) => announced.max(SAYABLE.min(self.settings.window.unwrap_or(u16::MAX))),
        }
    }

    /// A client whose SYN passed completed its handshake.
    pub(crate) fn prove(&self) {
        if self.settings.threshold.is_some() {
            self.synproxy.servers.prove(&self.endpoint());
        }
    }

    /// Whether the server has got a SYN of this connection already, and SYNPROXY has no part in it.
    #[cold]
    fn is_underway(&self) -> bool {
        let is_early = |connection: &Connection<'_>| {
            connection.direction == Direction::Original
                && ProxyState::of(connection).is_none()
                && matches!(
                    connection.tcp_state(),
                    TcpState::SynSent | TcpState::SynReceived
                )
        };
        self.look_up(&self.endpoints)
            .is_some_and(|found| is_early(&found.connection()))
    }

    /// Forgets a closed connection between the same endpoints: its state must not be applied to the
    /// next one.
    #[cold]
    pub(crate) fn forget_last(&self) {
        if let Some(found) = self.look_up(&self.endpoints) {
            let last = found.connection();
            if last.tcp_state() == TcpState::Over {
                last.end();
            }
        }
    }

    /// Any segment but a SYN.
    #[inline]
    fn others(&mut self, kind: Kind) -> Option<Verdict> {
        let endpoints = &self.endpoints;
        let mark = self.synproxy.established.mark(endpoints);
        if self.stage == Stage::BeforeConntrack {
            if mark.is_some_and(|mark| mark.is_set()) {
                return None;
            }
            if let Some(found) = self.look_up(endpoints) {
                let connection = found.connection();
                if let (Some(mark), TcpState::Established) = (mark, connection.tcp_state()) {
                    mark.set(ProxyState::of(&connection).is_some());
                }
                return self.of_connection(kind, &connection);
            }
        }
        match kind {
            Kind::Ack | Kind::Fin => self.acknowledgement(mark),
            _ => match self.stage {
                Stage::BeforeConntrack => self.out_of_flow(mark, Event::OutOfFlow),
                // As with iptables, which leaves them to the next rule.
                Stage::Filter => {
                    self.count(Event::OutOfFlow);
                    None
                }
            },
        }
    }

    /// A client has returned its cookie.
    #[inline]
    pub(crate) fn begin(&mut self, proof: &Proof) -> Option<Verdict> {
        if let Some(patience) = self.settings.patience {
            return self.wait_for_data(proof, patience);
        }
        self.count(Event::CookieValid);
        self.open_in_place(proof)
    }

    /// An ACK out of flow opens a connection if its cookie is valid.
    #[inline]
    fn acknowledgement(&mut self, mark: Option<EstablishedMark<'_>>) -> Option<Verdict> {
        let Some(proof) = self.proof() else {
            let more = self.settings.patience.and_then(|_| self.more_data());
            return more.or_else(|| self.out_of_flow(mark, Event::CookieInvalid));
        };
        match self.stage {
            Stage::BeforeConntrack => match self.open_socket() {
                Some(socket) => self.of_socket(&socket),
                None => self.begin(&proof),
            },
            Stage::Filter => self.open_behind_conntrack(&proof),
        }
    }
}
