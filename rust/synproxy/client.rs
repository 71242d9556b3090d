// SPDX-License-Identifier: GPL-2.0

//! What clients send before their connection exists.

use super::{
    announcement::{
        Agreement,
        Announcement, //
    },
    compose::{
        self,
        Fields, //
    },
    cookie::{
        self,
        Carried, //
    },
    options::{
        Options,
        Timestamps,
        MSS_DEFAULT, //
    },
    segment::{
        flags,
        Kind,
        Segment, //
    },
    servers::Endpoint,
    settings::{
        Event,
        Events,
        Settings, //
    },
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
        sockets,
        transmit::NewPacket, //
    },
    packet::{
        Packet,
        Transport,
        IPPROTO_TCP, //
    },
};
/// Where a rule sees packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Before connection tracking does.
    BeforeConntrack,
    /// After connection tracking, and after routing.
    Filter,
}

/// What becomes of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reaction {
    /// It is none of SYNPROXY's concern, and goes on with the next rule.
    Pass,
    /// It goes on to where it was going.
    Accept,
    /// It goes no further.
    Drop,
    /// It was turned into an answer.
    SendBack,
}

/// What a client has agreed on when it returns a valid cookie.
struct Proof {
    mss: u16,
    agreement: Agreement,
    /// Sequence number of its SYN.
    initial_sequence: u32,
    timestamps: Option<Timestamps>,
}

impl Synproxy {
    /// Looks at a segment that a rule with these settings matches.
    #[inline]
    pub(crate) fn receive(
        &self,
        settings: &Settings,
        events: &Events,
        place: Place,
        packet: &Packet<'_>,
    ) -> Reaction {
        let offset = match packet.transport() {
            Transport::Header {
                protocol: IPPROTO_TCP,
                offset,
            } => offset,
            // A fragment of what nobody put together. Rules are for TCP, so that there is nothing else.
            _ => return Reaction::Drop,
        };
        let skb = packet.skb();
        if self.is_of_others(place, packet) {
            return Reaction::Pass;
        }
        let Some(segment) = Segment::read(skb, offset) else {
            return Reaction::Drop;
        };
        let incoming = Incoming {
            synproxy: self,
            settings,
            events,
            place,
            packet,
            segment,
        };
        match segment.kind() {
            Kind::Syn => incoming.syn(),
            kind => incoming.others(kind),
        }
    }

    /// Whether the packet has a connection, or had one before it came round by the loopback interface.
    #[inline]
    fn is_of_others(&self, place: Place, packet: &Packet<'_>) -> bool {
        let skb = packet.skb();
        let Some(connection) = skb.tracked() else {
            return false;
        };
        // Without a rule that leaves SYNs untracked, they are new connections here.
        place == Place::BeforeConntrack
            || connection.proxy().is_some()
            || skb.tracking().state != TrackingState::New
    }
}

/// A segment of a client, and what is to be done with such.
struct Incoming<'a> {
    synproxy: &'a Synproxy,
    settings: &'a Settings,
    events: &'a Events,
    place: Place,
    packet: &'a Packet<'a>,
    segment: Segment,
}

impl Incoming<'_> {
    fn count(&self, event: Event) {
        self.events.count(event as usize);
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint {
            family: self.packet.family,
            address: self.packet.destination,
            port: self.segment.destination_port(),
        }
    }

    fn cookie_client(&self) -> cookie::Client<'_> {
        cookie::Client {
            family: self.packet.family,
            source: &self.packet.source,
            destination: &self.packet.destination,
            ports: self.segment.ports(),
        }
    }

    fn has_right_checksum(&self) -> bool {
        let (skb, context) = (self.packet.skb(), self.packet.context());
        skb.has_right_checksum(context, self.segment.offset, IPPROTO_TCP)
    }

    fn endpoints(&self) -> Endpoints {
        self.segment.endpoints(self.packet)
    }

    fn look_up(&self, endpoints: &Endpoints) -> Option<FoundConnection> {
        FoundConnection::look_up(self.packet.context().namespace(), endpoints)
    }

    /// A SYN is answered with a cookie, unless it may pass.
    #[inline]
    fn syn(&self) -> Reaction {
        let (packet, segment) = (self.packet, &self.segment);
        if !self.has_right_checksum() {
            return Reaction::Drop;
        }
        self.count(Event::Syn);
        if self.place == Place::BeforeConntrack {
            if let Some(mark) = self.synproxy.known.mark(&self.endpoints()) {
                mark.clear();
            }
        }
        let endpoint = self.endpoint();
        if let Some(threshold) = &self.settings.threshold {
            // One that was sent again is for who has got the first.
            let servers = &self.synproxy.servers;
            if servers.admits(&endpoint, &threshold.limit()) || self.is_underway() {
                return Reaction::Pass;
            }
        }
        let Some(client) = Options::read(packet.skb(), segment) else {
            return Reaction::Drop;
        };
        let server = self.synproxy.servers.options(&endpoint);
        let announcement = Announcement::new(
            self.settings,
            packet.family,
            segment,
            &client,
            server.as_ref(),
        );
        let cookie = self.synproxy.cookies.make(
            &self.cookie_client(),
            segment.sequence,
            client.mss.unwrap_or(MSS_DEFAULT),
            announcement.carried,
        );
        let fields = Fields {
            ports: segment.ports_of_answer(),
            sequence: cookie,
            acknowledgement: segment.sequence.wrapping_add(1),
            flags: announcement.flags,
            // The client is to wait until the server is there.
            window: 0,
        };
        let answer = compose::packet(
            packet.family,
            packet.context().initial_time_to_live(packet.family),
            &fields,
            &announcement.options,
            &packet.destination,
            &packet.source,
        );
        if packet.replace(answer.as_slice()).is_err() {
            return Reaction::Drop;
        }
        self.count(Event::CookieSent);
        Reaction::SendBack
    }

    /// Whether the server has got a SYN of this connection already, and the connection is none of ours.
    #[cold]
    fn is_underway(&self) -> bool {
        let is_early = |connection: &Connection<'_>| {
            connection.direction == Direction::Original
                && connection.proxy().is_none()
                && matches!(
                    connection.tcp_state(),
                    TcpState::SynSent | TcpState::SynReceived
                )
        };
        self.look_up(&self.endpoints())
            .is_some_and(|found| is_early(&found.connection()))
    }

    /// Anything but a SYN.
    #[inline]
    fn others(&self, kind: Kind) -> Reaction {
        if self.place == Place::BeforeConntrack {
            let endpoints = self.endpoints();
            let mark = self.synproxy.known.mark(&endpoints);
            if mark.is_some_and(|mark| mark.is_set()) {
                return Reaction::Pass;
            }
            if let Some(found) = self.look_up(&endpoints) {
                let connection = found.connection();
                if let (Some(mark), TcpState::Established) = (mark, connection.tcp_state()) {
                    mark.set();
                }
                return self.of_connection(kind, &connection);
            }
        }
        match kind {
            Kind::Ack => self.acknowledgement(),
            _ => match self.place {
                Place::BeforeConntrack => self.stray(Event::OutOfFlow),
                // As with iptables, which leaves them to the next rule.
                Place::Filter => {
                    self.count(Event::OutOfFlow);
                    Reaction::Pass
                }
            },
        }
    }

    /// A segment of no connection that connection tracking knows. This machine may have one that is older than
    /// the rule, and than connection tracking; otherwise it is dropped.
    fn stray(&self, event: Event) -> Reaction {
        if sockets::is_connected(self.packet.context(), &self.endpoints()) {
            return Reaction::Pass;
        }
        self.count(event);
        Reaction::Drop
    }

    /// A segment of a connection that connection tracking knows.
    fn of_connection(&self, kind: Kind, connection: &Connection<'_>) -> Reaction {
        if kind != Kind::Ack || connection.direction != Direction::Original {
            return Reaction::Pass;
        }
        match connection.tcp_state() {
            // The SYN to the server was lost, or its answer. Connection tracking knows that state of a client
            // from keep-alives alone; of anything else it would say that it is invalid.
            TcpState::SynSent if connection.proxy().is_some() => match self.proof() {
                Some(proof) => self.open_in_place(&proof),
                None => Reaction::Drop,
            },
            // It may open the next one, or belong to the last.
            TcpState::Over => match self.proof() {
                Some(proof) => {
                    self.count(Event::CookieValid);
                    self.open_in_place(&proof)
                }
                None => Reaction::Pass,
            },
            _ => Reaction::Pass,
        }
    }

    /// An acknowledgement of no connection opens one, if its cookie is valid.
    #[inline]
    fn acknowledgement(&self) -> Reaction {
        let Some(proof) = self.proof() else {
            return self.stray(Event::CookieInvalid);
        };
        self.count(Event::CookieValid);
        match self.place {
            Place::BeforeConntrack => self.open_in_place(&proof),
            Place::Filter => self.open_anew(&proof),
        }
    }

    /// What the segment proves with its cookie.
    #[inline]
    fn proof(&self) -> Option<Proof> {
        let (skb, segment) = (self.packet.skb(), &self.segment);
        let options = Options::read(skb, segment)?;
        let returned = self.synproxy.cookies.check(
            &self.cookie_client(),
            segment.sequence,
            segment.acknowledgement,
            options.timestamps.is_some(),
        )?;
        // Last, since floods of acknowledgements do not come so far. A segment that is wrong must not become a
        // SYN that is right.
        if !self.has_right_checksum() {
            return None;
        }
        let next = u32::from(!returned.is_keep_alive);
        Some(Proof {
            mss: returned.mss,
            agreement: match (returned.carried, options.timestamps) {
                (Carried::Options { scale, sack }, _) => Agreement::from_cookie(scale, sack),
                (Carried::Nothing, Some(timestamps)) => Agreement::from_stamp(timestamps.echo),
                (Carried::Nothing, None) => return None,
            },
            initial_sequence: segment.sequence.wrapping_sub(next),
            timestamps: options.timestamps,
        })
    }

    /// The SYN that the server gets: it says what the client's said. What acknowledges nothing says here what
    /// the sequence numbers and timestamps were that the client has got; [`super::translation`] takes that out.
    fn server_syn(&self, proof: &Proof) -> (Fields, Options) {
        let segment = &self.segment;
        let scale = proof.agreement.client_scale();
        let window = u32::from(segment.window).wrapping_shl(scale.unwrap_or(0).into());
        let fields = Fields {
            ports: segment.ports(),
            sequence: proof.initial_sequence,
            acknowledgement: segment.acknowledgement.wrapping_sub(1),
            flags: match proof.agreement.ecn {
                true => flags::SYN | flags::ECE | flags::CWR,
                false => flags::SYN,
            },
            window: u16::try_from(window).unwrap_or(u16::MAX),
        };
        let options = Options {
            mss: Some(proof.mss),
            scale,
            sack: proof.agreement.sack,
            timestamps: proof.timestamps,
        };
        (fields, options)
    }

    /// The segment becomes a SYN, and goes the way that it would have gone: through connection tracking,
    /// address translation, routing and all rules.
    fn open_in_place(&self, proof: &Proof) -> Reaction {
        let packet = self.packet;
        let (fields, options) = self.server_syn(proof);
        let syn = compose::tcp_header(&fields, &options, &packet.source, &packet.destination);
        if packet
            .replace_transport(self.segment.offset, syn.as_slice())
            .is_err()
        {
            return Reaction::Drop;
        }
        self.synproxy.template.apply(packet.skb());
        Reaction::Accept
    }

    /// This machine sends a SYN in the client's name, as with iptables.
    fn open_anew(&self, proof: &Proof) -> Reaction {
        let packet = self.packet;
        let (fields, options) = self.server_syn(proof);
        let syn = compose::packet(
            packet.family,
            packet.context().initial_time_to_live(packet.family),
            &fields,
            &options,
            &packet.source,
            &packet.destination,
        );
        if let Ok(syn) = NewPacket::new(packet.family, syn.as_slice()) {
            syn.open(&self.synproxy.template);
            syn.send(packet.context());
        }
        // It has become that.
        Reaction::Drop
    }
}
