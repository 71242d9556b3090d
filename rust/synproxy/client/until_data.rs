// SPDX-License-Identifier: GPL-2.0

//! Servers that are chosen by the first bytes of their clients.
//!
//! Where a connection goes is decided by its first packet, and what the client wants comes in the
//! third. Behind a proxy that answers handshakes there is a moment in between: the client has a
//! connection, and no server knows of it. The SYN that opens it carries what the client has said
//! through all rules, whoever made them, and loses it where it leaves them.

use super::{
    incoming::Incoming,
    opening::{
        Opening,
        Proof, //
    },
    waiting::Step, //
};
use crate::{
    content,
    synproxy::{
        connection::{
            syn_sent,
            translation::ProxySegment, //
        },
        prelude::*, //
    },
};

impl Incoming<'_, '_> {
    /// Has a client that returned its cookie wait for what it will say, for `patience` jiffies.
    #[inline(never)]
    pub(super) fn wait_for_data(&mut self, proof: &Proof, patience: u32) -> Option<Verdict> {
        let (synproxy, opening) = (self.synproxy, self.opening(proof));
        if synproxy.waiting.insert(opening, patience) {
            self.count(Event::CookieValid);
            if synproxy.waiting.has_grown() {
                synproxy.waiting_work.run_after(syn_sent::FIRST_DELAY);
            }
        }
        self.say().or(Some(Verdict::Drop))
    }

    /// What a client says that waits; `None` if the segment is not of one.
    #[inline(never)]
    pub(super) fn more_data(&mut self) -> Option<Verdict> {
        let waiting = &self.synproxy.waiting;
        if !waiting.has_sender(&self.endpoints, &self.segment) || !self.has_right_checksum() {
            return None;
        }
        self.say()
    }

    fn say(&mut self) -> Option<Verdict> {
        let waiting = &self.synproxy.waiting;
        match waiting.receive(&self.endpoints, self.packet.skb(), &self.segment) {
            Step::Unknown => None,
            Step::Wait(answer) => {
                // A socket would take the time until there are data for the way.
                let cookie = self.segment.acknowledgement.wrapping_sub(1);
                self.synproxy.sent.forget(cookie);
                if let Some(answer) = answer {
                    answer.send(self.packet.context());
                }
                Some(Verdict::Drop)
            }
            Step::Open(opening, held) => self.open(&opening, held, true),
        }
    }

    /// Puts what the client has said behind its SYN.
    pub(super) fn show(&mut self, opening: &Opening, held: &Held) -> Result {
        let wait = &opening.wait;
        let data = held.bytes();
        let data = data.get(..content::LENGTH_MAX).unwrap_or(data);
        let header = compose::tcp_header_of(&self.endpoints, &wait.fields, &wait.options, data);
        let packet = &mut *self.packet;
        packet.replace_segment(self.segment.offset, header.as_slice(), data)?;
        // No device will have to send it.
        packet.skb_mut().ignore_mtu();
        Ok(())
    }
}

impl ProxySegment<'_> {
    /// Takes the data off that a SYN has shown to rules. What rules have changed in its header, as
    /// TCPMSS does, stays.
    pub(in crate::synproxy) fn take_data_off(&mut self) -> Result {
        let (packet, segment) = (&mut self.packet, &self.segment);
        if packet.skb().len() == segment.offset.wrapping_add(segment.header_length) {
            return Ok(());
        }
        let options = Options::read(packet.skb(), segment).ok_or(EINVAL)?;
        let fields = Fields {
            sequence: segment.sequence,
            acknowledgement: segment.acknowledgement,
            flags: segment.flags,
            window: segment.window,
        };
        let header = compose::tcp_header(&segment.endpoints(packet), &fields, &options);
        packet.replace_transport(segment.offset, header.as_slice())?;
        self.segment = Segment::of(packet).ok_or(EINVAL)?;
        Ok(())
    }
}
