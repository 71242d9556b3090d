// SPDX-License-Identifier: GPL-2.0

//! Clients that return a cookie: what it proves, and the SYN that their server gets.

use super::{
    announcement::Agreement,
    client::{
        Incoming,
        Reaction, //
    },
    compose::{
        self,
        Fields, //
    },
    cookie::Carried,
    options::{
        Options,
        Timestamps, //
    },
    segment::flags, //
};
use crate::kernel_api::transmit::NewPacket;

/// What a client has agreed on when it returns a valid cookie.
pub(super) struct Proof {
    mss: u16,
    agreement: Agreement,
    /// Sequence number of its SYN.
    pub(super) initial_sequence: u32,
    timestamps: Option<Timestamps>,
}

impl Incoming<'_> {
    /// What the segment proves with its cookie.
    #[inline]
    pub(super) fn proof(&self) -> Option<Proof> {
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
    /// the sequence numbers and timestamps were that the client has got; [`super::handshake`] takes that out.
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
    pub(super) fn open_in_place(&self, proof: &Proof) -> Reaction {
        let packet = self.packet;
        let (fields, options) = self.server_syn(proof);
        let syn = compose::tcp_header(&fields, &options, &self.source(), &self.destination());
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
    pub(super) fn open_anew(&self, proof: &Proof) -> Reaction {
        let packet = self.packet;
        let (fields, options) = self.server_syn(proof);
        let syn = compose::packet(
            packet.family,
            packet.context().initial_time_to_live(packet.family),
            &fields,
            &options,
            &self.source(),
            &self.destination(),
        );
        if let Ok(syn) = NewPacket::new(packet.family, syn.as_slice()) {
            syn.open(&self.synproxy.template);
            syn.send(packet.context());
        }
        // It has become that.
        Reaction::Drop
    }
}
