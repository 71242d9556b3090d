// SPDX-License-Identifier: GPL-2.0

//! Segments of clients while connection tracking knows a connection between the same endpoints.
//!
//! Nobody may end or replace a connection by knowing its endpoints. A SYN for an open connection
//! goes on to the server, which sends a challenge ACK (RFC 5961, section 4): a client that has
//! forgotten its connection answers with a reset that has the right number, which ends the
//! connection, and retransmits its SYN at once. A cookie has no effect on an open connection, valid
//! or not.
//!
//! A server on this machine may have a connection that connection tracking does not know: it was
//! not in use when the connection was opened, or was flushed since. So sockets are looked up as
//! well, and their connections protected alike.

use super::{
    incoming::Incoming,
    opening::Proof,
    Stage, //
};
use crate::{
    kernel_api::{
        conntrack::connections::ConfirmedConnection,
        net::sockets::{
            self,
            Socket, //
        },
    },
    synproxy::{
        connection::lost,
        prelude::*, //
    },
};

/// How far back a segment of a connection may be, in bytes.
const RECENT: i32 = 1 << 20;

/// The furthest that the number a client expects can be from what it was sent last, in bytes: data
/// in flight.
const IN_FLIGHT: u32 = 1 << 26;

impl Incoming<'_, '_> {
    /// Whether there may be a connection between the same endpoints. Most SYNs belong to none, and
    /// need no lookup.
    #[inline]
    pub(crate) fn may_have_connection(&self) -> bool {
        let mark = self.synproxy.established.mark(&self.endpoints);
        self.stage == Stage::Filter || mark.is_none_or(|mark| mark.was_used())
    }

    /// Whether a SYN belongs to an open connection. A closed one is forgotten: its state must not
    /// be applied to the next one, and the ACK that follows must not be taken for part of it.
    #[cold]
    #[inline(never)]
    pub(crate) fn is_of_open_connection(&self) -> bool {
        let state = self.look_up(&self.endpoints).map(|found| {
            let connection = found.connection();
            let state = connection.tcp_state();
            if state == TcpState::Over {
                connection.end();
            } else if let Some(proxy_state) = ProxyState::of(&connection) {
                proxy_state.challenge(self.segment.sequence);
            }
            state
        });
        match state {
            Some(TcpState::SynReceived | TcpState::Established | TcpState::Other) => true,
            Some(TcpState::SynSent | TcpState::Over) | None => {
                if let Some(mark) = self.synproxy.established.mark(&self.endpoints) {
                    mark.clear();
                }
                false
            }
        }
    }

    /// Any segment but a SYN, of a connection that connection tracking knows.
    pub(crate) fn of_connection(
        &mut self,
        kind: Kind,
        connection: &ConfirmedConnection<'_>,
    ) -> Option<Verdict> {
        let may_open = matches!(kind, Kind::Ack | Kind::Fin);
        if !may_open || connection.direction != Direction::Original {
            return None;
        }
        match (connection.tcp_state(), ProxyState::of(connection)) {
            // A handshake that passed is complete.
            (TcpState::SynReceived, None) => {
                self.prove();
                None
            }
            // What the client sends before the server has answered.
            (TcpState::SynSent | TcpState::SynReceived, Some(proxy_state))
                if self.hold(&proxy_state) =>
            {
                Some(Verdict::Drop)
            }
            // The SYN to the server was lost, or its answer.
            (TcpState::SynSent, Some(proxy_state)) => match self.proof() {
                Some(proof) if self.is_waiting(&proof, connection, &proxy_state) => {
                    self.open_in_place(&proof)
                }
                Some(_) => self.reset_cookie_holder(connection),
                None => Some(Verdict::Drop),
            },
            // It may open the next connection, or belong to the last one: if that sent as much as
            // it received, its ACKs carry a valid cookie, too. After a SYN the last one is
            // forgotten, unless it was not known then.
            (TcpState::Over, _) if !(0..=RECENT).contains(&self.age(connection)) => {
                match self.proof() {
                    Some(proof) => {
                        // After a reset by the server, connection tracking would not take a SYN for
                        // the start of another connection.
                        connection.end();
                        self.begin(&proof)
                    }
                    None => None,
                }
            }
            (TcpState::Established | TcpState::Other, _)
                if self.age(connection).unsigned_abs() > RECENT as u32 =>
            {
                match self.proof() {
                    Some(_) => self.reset_cookie_holder(connection),
                    None => None,
                }
            }
            _ => None,
        }
    }

    /// As [`Incoming::of_connection`], for a segment that connection tracking calls invalid; opens
    /// a connection if there is none.
    pub(crate) fn open_behind_conntrack(&mut self, proof: &Proof) -> Option<Verdict> {
        if let Some(found) = self.look_up(&self.endpoints) {
            let connection = found.connection();
            match (connection.tcp_state(), ProxyState::of(&connection)) {
                (TcpState::Over, _) => connection.end(),
                (TcpState::SynSent, Some(proxy_state)) if self.hold(&proxy_state) => {
                    return Some(Verdict::Drop);
                }
                (TcpState::SynSent, Some(proxy_state))
                    if self.is_waiting(proof, &connection, &proxy_state) => {}
                _ => return self.reset_cookie_holder(&connection),
            }
        } else if let Some(socket) = self.open_socket() {
            return self.of_socket(&socket);
        }
        self.count(Event::CookieValid);
        self.open_new(proof)
    }

    /// Whether the segment is held for a server that has not answered.
    fn hold(&self, proxy_state: &ProxyState<'_>) -> bool {
        let (packet, endpoints) = (&*self.packet, &self.endpoints);
        (self.synproxy.syn_sent).hold(packet, &self.segment, endpoints, proxy_state)
    }

    /// How far the segment is behind what the client sent last.
    fn age(&self, connection: &Connection<'_>) -> i32 {
        let next = connection.next_sequence(Direction::Original);
        next.wrapping_sub(self.segment.sequence) as i32
    }

    /// Whether the sender is the client that waits for the server, by both its numbers.
    fn is_waiting(
        &self,
        proof: &Proof,
        connection: &Connection<'_>,
        proxy_state: &ProxyState<'_>,
    ) -> bool {
        proof.initial_sequence.wrapping_add(1) == connection.next_sequence(Direction::Original)
            && self.segment.acknowledgement == proxy_state.cookie().wrapping_add(1)
    }

    /// The socket on this machine with an open connection between the same endpoints.
    #[inline]
    pub(crate) fn open_socket(&self) -> Option<Socket> {
        let socket = sockets::find(self.packet.context(), self.packet.skb(), &self.endpoints);
        socket.filter(|socket| socket.is_open)
    }

    /// A SYN for a connection that connection tracking does not know goes on to the socket, which
    /// sends a challenge ACK. Connection tracking must not take the SYN for a new connection: it
    /// would call the client's next segments invalid.
    #[cold]
    pub(crate) fn pass_to_socket(&mut self) -> Option<Verdict> {
        self.packet.skb_mut().set_untracked();
        None
    }

    /// A cookie for a connection that connection tracking does not know.
    #[cold]
    pub(crate) fn of_socket(&mut self, socket: &Socket) -> Option<Verdict> {
        match socket.next {
            _ if lost::fits(socket, &self.segment) => self.belongs_to_socket(),
            Some(next) => self.reset_unless_in_window(next),
            None => Some(Verdict::Drop),
        }
    }

    /// The verdict on a segment of a socket's connection that connection tracking does not know. The
    /// rules of howtos drop what is invalid after SYNPROXY has seen it.
    #[cold]
    pub(crate) fn belongs_to_socket(&self) -> Option<Verdict> {
        match self.stage {
            Stage::BeforeConntrack => None,
            Stage::Filter => Some(Verdict::Accept),
        }
    }

    /// Resets the holder of a cookie for endpoints whose connection is another one.
    #[cold]
    fn reset_cookie_holder(&mut self, connection: &Connection<'_>) -> Option<Verdict> {
        self.reset_unless_in_window(match (connection.tcp_state(), ProxyState::of(connection)) {
            (TcpState::SynSent, Some(proxy_state)) => proxy_state.cookie().wrapping_add(1),
            _ => {
                let next = connection.next_sequence(Direction::Reply);
                next.wrapping_add(connection.sequence_shift(Direction::Reply, next))
            }
        })
    }

    /// Resets the holder of a cookie who takes a connection for open that cannot be: there is
    /// another one, whose client expects the number `expected`. That client may have sent nothing
    /// of this and must not be deceived, so no reset is sent that it could take for its own.
    #[cold]
    fn reset_unless_in_window(&mut self, expected: u32) -> Option<Verdict> {
        let distance = self.segment.acknowledgement.wrapping_sub(expected) as i32;
        if distance.unsigned_abs() <= IN_FLIGHT {
            return Some(Verdict::Drop);
        }
        self.reset_sender()
    }

    /// Resets the sender of a segment, by the numbers of the segment itself, if it may be answered:
    /// so nobody learns another's numbers, or causes a reset that they could not send themselves.
    #[cold]
    pub(crate) fn reset_sender(&mut self) -> Option<Verdict> {
        let answer = self.endpoints.reversed();
        if self.way_back(&answer).is_err() {
            return Some(Verdict::Drop);
        }
        let fields = Fields {
            sequence: self.segment.acknowledgement,
            acknowledgement: 0,
            flags: flags::RST,
            window: 0,
        };
        let context = self.packet.context();
        let time_to_live = context.initial_time_to_live(answer.family);
        // A packet of its own: the segment may have a route already, which does not lead back.
        let reset = compose::packet(&answer, time_to_live, &fields, &Options::default(), &[]);
        if let Ok(mut reset) = reset {
            // Connection tracking would take it for part of the other connection.
            reset.set_untracked();
            reset.send(context);
        }
        Some(Verdict::Drop)
    }
}
