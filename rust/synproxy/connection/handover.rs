// SPDX-License-Identifier: GPL-2.0

//! Connections to sockets of this host: the socket takes them over once they have passed all rules.
//!
//! The SYN that the client's acknowledgement was turned into has come to the end of LOCAL_IN. If
//! nobody has sent it elsewhere and a socket listens, it becomes the acknowledgement again, and TCP
//! makes a connection of it as it does after SYN cookies of its own: the numbers that the client was
//! told are the socket's, so that nothing is translated afterwards, and nothing is kept for that.
//! What this needs from the cookie is that it was told what the socket uses: see [`Offer`].
//!
//! Where there is no such socket, the connection is opened by the SYN, and translated.

use super::translation::ProxySegment;
use crate::{
    kernel_api::{
        conntrack::connections::Side,
        net::{
            listeners::{
                Agreed,
                AgreedTimestamps,
                Offer, //
            },
            route::RouteLimits,
            sockets, //
        },
        time::tcp_milliseconds, //
    },
    synproxy::{
        connection::syn_sent::{
            SynSentEntry,
            Wait, //
        },
        prelude::*, //
    },
};

impl ProxySegment<'_> {
    /// Has the socket take the connection over, if there is one that can. Otherwise the SYN goes on
    /// to whoever gets it.
    pub(super) fn hand_over(&mut self) -> Result {
        let client = self.connection.endpoints(Direction::Original);
        // Translated addresses stay connection tracking's to translate.
        if client != self.connection.endpoints(Direction::Reply).reversed() {
            return Ok(());
        }
        let header_end = self.segment.offset.wrapping_add(self.segment.header_length);
        let context = *self.packet.context();
        // TCP knows what to do about the last connection between the same endpoints (TIME-WAIT) when
        // it gets a SYN, but not when it is given a request.
        if sockets::find(&context, self.packet.skb(), &client).is_some() {
            return Ok(());
        }
        let Some(listener) = context.listener(self.packet.skb_mut(), &client, header_end) else {
            return Ok(());
        };
        let offer = listener.offer(&RouteLimits::default());
        let Some(offer) = offer.filter(|offer| offer.has_room) else {
            return Ok(());
        };
        let Some(entry) = self.synproxy.syn_sent.take(&client) else {
            return Ok(());
        };
        let now = tcp_milliseconds();
        let sent_at = self.synproxy.sent.time(entry.wait.cookie, now);
        let agreed = self.agreed(&entry.wait, &offer, sent_at.unwrap_or(now));
        let family = self.packet.family;
        let done = self
            .acknowledge_instead(&entry, sent_at.is_some())
            .and_then(|()| listener.take_over(self.packet.skb_mut(), family, &agreed));
        if done.is_err() {
            // The packet is lost. Whoever waits is reset, unless the client comes again before.
            self.synproxy.syn_sent.put_back(entry);
            return done;
        }
        self.establish(&entry, &agreed, offer.window(agreed.mss));
        Ok(())
    }

    /// What the client and the cookie agreed on, which was sent at `sent_at`.
    fn agreed(&self, wait: &Wait, offer: &Offer, sent_at: u32) -> Agreed {
        let proxy_state = &self.proxy_state;
        Agreed {
            mss: offer.mss_for(wait.options.mss.unwrap_or(MSS_DEFAULT)),
            scales: proxy_state
                .client_scale()
                .zip(proxy_state.advertised_wscale()),
            sack: proxy_state.has(Flag::ClientSack),
            ecn: proxy_state.has(Flag::ClientEcn),
            timestamps: (wait.options.timestamps).map(|timestamps| AgreedTimestamps {
                recent: timestamps.value,
                sent: proxy_state.stamp(),
                sent_at,
            }),
        }
    }

    /// Turns the SYN into the acknowledgement that it was.
    fn acknowledge_instead(&mut self, entry: &SynSentEntry, is_timed: bool) -> Result {
        let (wait, held) = (&entry.wait, entry.held.as_ref());
        let fields = Fields {
            sequence: wait.fields.sequence.wrapping_add(1),
            acknowledgement: wait.cookie.wrapping_add(1),
            flags: flags::ACK | held.map_or(0, |held| held.flags),
            window: wait.window,
        };
        let options = Options {
            // TCP takes the time since our stamp for the round trip (`tcp_ack_update_rtt`). If its
            // clock goes on from there only now, data will tell it.
            timestamps: wait.options.timestamps.map(|timestamps| Timestamps {
                value: timestamps.value,
                echo: if is_timed {
                    self.proxy_state.stamp()
                } else {
                    0
                },
            }),
            ..Options::default()
        };
        let data = held.map_or(&[][..], Held::bytes);
        let header = compose::tcp_header_of(&wait.endpoints, &fields, &options, data);
        let packet = &mut self.packet;
        packet.replace_segment(self.segment.offset, header.as_slice(), data)
    }

    /// Tells connection tracking, and whoever else counts connections.
    fn establish(&self, entry: &SynSentEntry, agreed: &Agreed, told: u16) {
        let synproxy = self.synproxy;
        let (wait, held) = (&entry.wait, entry.held.as_ref());
        let (client_scale, scale) = agreed.scales.unzip();
        let window = u32::from(wait.window).wrapping_shl(client_scale.unwrap_or(0).into());
        let first = wait.fields.sequence.wrapping_add(1);
        let first_of_socket = wait.cookie.wrapping_add(1);
        let length = held.map_or(0, |held| held.bytes().len() as u32);
        let has_closed = held.is_some_and(|held| held.flags & flags::FIN != 0);
        let original = Side {
            next: first.wrapping_add(length).wrapping_add(has_closed.into()),
            acknowledged: first_of_socket,
            limit: first.wrapping_add(told.max(1).into()),
            window,
            scale: client_scale,
            sack: agreed.sack,
            has_closed,
        };
        let reply = Side {
            next: first_of_socket,
            acknowledged: first,
            limit: first_of_socket.wrapping_add(window.max(1)),
            window: told.into(),
            scale,
            sack: agreed.sack,
            has_closed: false,
        };
        self.connection.become_established(&original, &reply);
        if let Some(mark) = synproxy.established.mark(&wait.endpoints) {
            mark.set(false);
        }
        let endpoint = Endpoint::of_client(&wait.endpoints);
        synproxy.servers.count(&endpoint, ConnectResult::HandedOver);
        // While connections to the server were translated, its clients were told a smaller window.
        if synproxy.servers.forget(&endpoint) {
            self.open_window(wait, agreed, original.next, told);
        }
    }

    /// Tells the client that it may send.
    #[cold]
    fn open_window(&self, wait: &Wait, agreed: &Agreed, next: u32, window: u16) {
        let scale = agreed.scales.map_or(0, |(_, scale)| scale);
        let fields = Fields {
            sequence: wait.cookie.wrapping_add(1),
            acknowledgement: next,
            flags: flags::ACK,
            window: window.wrapping_shr(scale.into()).max(1),
        };
        let options = Options {
            timestamps: agreed.timestamps.map(|stamps| Timestamps {
                value: stamps.sent,
                echo: stamps.recent,
            }),
            ..Options::default()
        };
        let context = self.packet.context();
        let time_to_live = context.initial_time_to_live(wait.endpoints.family);
        let client = wait.endpoints.reversed();
        if let Ok(mut update) = compose::packet(&client, time_to_live, &fields, &options, &[]) {
            // Connection tracking does not know the connection before the packet at hand has passed.
            update.set_untracked();
            update.send(context);
        }
    }
}
