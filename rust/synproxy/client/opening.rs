// SPDX-License-Identifier: GPL-2.0

//! Clients that return a cookie: what it proves, and the SYN that their server gets.

use super::incoming::Incoming;
use crate::{
    kernel_api::conntrack::{
        connections::ProxyWords,
        proxy_template::NotOpened, //
    },
    synproxy::{
        connection::{
            held,
            syn_sent::Wait, //
        },
        cookie::{
            announcement::Agreement,
            CookieOptions, //
        },
        prelude::*, //
    },
};

/// What a valid cookie proves.
pub(crate) struct Proof {
    mss: u16,
    agreement: Agreement,
    /// Sequence number of the client's SYN.
    pub(crate) initial_sequence: u32,
    timestamps: Option<Timestamps>,
    /// Whether the segment is a keep-alive, whose data does not count.
    is_keep_alive: bool,
}

/// What a client's connection is opened with.
pub(crate) struct Opening {
    pub(crate) wait: Wait,
    pub(crate) agreement: Agreement,
}

impl Incoming<'_, '_> {
    /// What the segment's cookie proves; `None` if it is not valid.
    #[inline]
    pub(crate) fn proof(&self) -> Option<Proof> {
        let (skb, segment) = (self.packet.skb(), &self.segment);
        let options = Options::read(skb, segment)?;
        let returned = self.synproxy.cookies.check(
            &self.endpoints,
            segment.sequence,
            segment.acknowledgement,
            options.timestamps.is_some(),
        )?;
        // Last, since floods of ACKs do not get this far. A corrupt segment must not become a valid
        // SYN.
        if !self.has_right_checksum() {
            return None;
        }
        let next = u32::from(!returned.is_keep_alive);
        Some(Proof {
            mss: returned.mss,
            agreement: match (returned.carried, options.timestamps) {
                (CookieOptions::Options { scale, sack }, _) => Agreement::from_cookie(scale, sack),
                (CookieOptions::Nothing, Some(timestamps)) => {
                    Agreement::from_stamp(timestamps.echo)
                }
                (CookieOptions::Nothing, None) => return None,
            },
            initial_sequence: segment.sequence.wrapping_sub(next),
            timestamps: options.timestamps,
            is_keep_alive: returned.is_keep_alive,
        })
    }

    /// The data of the segment.
    fn held(&self, proof: &Proof) -> Option<Held> {
        if proof.is_keep_alive {
            return None;
        }
        let (skb, segment) = (self.packet.skb(), &self.segment);
        let held = Held::of(&self.synproxy.memory, 0, skb, segment);
        if held.is_none() && held::length(skb, segment).is_some() {
            self.synproxy.servers.count_dropped(&self.endpoint());
        }
        held
    }

    /// What the server is asked, by a SYN with the contents of the client's.
    pub(crate) fn opening(&self, proof: &Proof) -> Opening {
        let segment = &self.segment;
        let scale = proof.agreement.client_scale();
        let window = u32::from(segment.window).wrapping_shl(scale.unwrap_or(0).into());
        let fields = Fields {
            sequence: proof.initial_sequence,
            acknowledgement: 0,
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
            timestamps: proof.timestamps.map(|timestamps| Timestamps {
                value: timestamps.value,
                echo: 0,
            }),
            ..Options::default()
        };
        let wait = Wait {
            endpoints: self.endpoints,
            cookie: self.segment.acknowledgement.wrapping_sub(1),
            fields,
            options,
            window: segment.window,
            stamp: proof.timestamps.map(|timestamps| timestamps.echo),
            domain: self.packet.context().routing_domain(),
        };
        Opening {
            wait,
            agreement: proof.agreement,
        }
    }

    /// Turns the segment into a SYN, which takes the segment's path: through NAT, routing and all
    /// rules.
    pub(crate) fn open_in_place(&mut self, proof: &Proof) -> Option<Verdict> {
        let held = self.held(proof);
        self.open(&self.opening(proof), held, false)
    }

    /// As [`Self::open_in_place`], with this data. If it `is_shown`, the SYN carries it through the
    /// rules.
    pub(crate) fn open(
        &mut self,
        opening: &Opening,
        held: Option<Held>,
        is_shown: bool,
    ) -> Option<Verdict> {
        let (wait, synproxy) = (&opening.wait, self.synproxy);
        let syn = compose::tcp_header(&self.endpoints, &wait.fields, &wait.options);
        let packet = &mut *self.packet;
        if packet
            .replace_transport(self.segment.offset, syn.as_slice())
            .is_err()
        {
            return Some(Verdict::Drop);
        }
        let context = *packet.context();
        let opened = synproxy
            .template
            .open(packet.hook_skb(), &context)
            .and_then(|opened| start(synproxy, opened, opening));
        if opened.is_err() {
            return self.reset_client();
        }
        // Connection tracking has seen the SYN without data.
        let shown = held.as_ref().filter(|_| is_shown);
        let done = shown.map_or(Ok(()), |held| self.show(opening, held));
        synproxy.wait(wait, held);
        Some(match done {
            Ok(()) => Verdict::Accept,
            // The client sends its data again.
            Err(_) => Verdict::Drop,
        })
    }

    /// Sends a new SYN in the client's name, as with iptables.
    pub(crate) fn open_new(&self, proof: &Proof) -> Option<Verdict> {
        let (packet, synproxy) = (&*self.packet, self.synproxy);
        let opening = self.opening(proof);
        let wait = &opening.wait;
        let Ok(mut syn) = wait.syn(packet.context().initial_time_to_live(packet.family)) else {
            return Some(Verdict::Drop);
        };
        let opened = syn
            .open(&synproxy.template, packet.context())
            .and_then(|opened| start(synproxy, opened, &opening));
        if opened.is_err() {
            return self.reset_client();
        }
        synproxy.wait(wait, self.held(proof));
        syn.send(packet.context());
        // The new SYN replaces the segment.
        Some(Verdict::Drop)
    }

    /// Resets a client whose connection, which it considers open, cannot be opened: connection
    /// tracking has no room for it.
    #[cold]
    fn reset_client(&self) -> Option<Verdict> {
        let (client, segment) = (self.endpoints.reversed(), &self.segment);
        let (next, received) = (segment.acknowledgement, segment.sequence);
        resets::send_untracked(self.packet.context(), &client, next, received);
        Some(Verdict::Drop)
    }
}

/// Initializes the state of a connection.
fn start(
    synproxy: &Synproxy,
    (connection, words): (Connection<'_>, &ProxyWords),
    Opening { wait, agreement }: &Opening,
) -> Result<(), NotOpened> {
    if connection.tcp_state() != TcpState::SynSent {
        return Err(NotOpened::Taken);
    }
    ProxyState::new(words).start(wait.cookie, wait.stamp, agreement);
    if let Some(mark) = synproxy.established.mark(&wait.endpoints) {
        mark.occupy();
    }
    Ok(())
}
