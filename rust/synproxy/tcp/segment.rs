// SPDX-License-Identifier: GPL-2.0

//! The fixed part of a TCP header, as it was received.

use crate::{
    kernel_api::{
        conntrack::connections::Endpoints,
        net::skb::Skb, //
    },
    packet::{
        Packet,
        Transport,
        IPPROTO_TCP,
        TCP_HEADER_LENGTH, //
    },
};

/// The flags of a TCP segment (RFC 9293, section 3.1).
pub(in crate::synproxy) mod flags {
    /// The sender has finished.
    pub(in crate::synproxy) const FIN: u8 = 0x01;
    /// The first of a direction.
    pub(in crate::synproxy) const SYN: u8 = 0x02;
    /// The connection is reset.
    pub(in crate::synproxy) const RST: u8 = 0x04;
    /// The acknowledgement counts.
    pub(in crate::synproxy) const ACK: u8 = 0x10;
    /// Congestion was experienced.
    pub(in crate::synproxy) const ECE: u8 = 0x40;
    /// The congestion window was reduced.
    pub(in crate::synproxy) const CWR: u8 = 0x80;
}

/// What a segment is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::synproxy) enum Kind {
    /// The first of a connection.
    Syn,
    /// The answer to it.
    SynAck,
    /// An acknowledgement, with or without data.
    Ack,
    /// As [`Kind::Ack`], and the sender has finished.
    Fin,
    /// A reset.
    Reset,
    /// Anything else.
    Other,
}

/// Where the sequence number is in the header.
pub(in crate::synproxy) const SEQUENCE_OFFSET: u32 = 4;
/// Where the window is in the header.
pub(in crate::synproxy) const WINDOW_OFFSET: u32 = 14;
/// Where the checksum is in the header.
pub(in crate::synproxy) const CHECKSUM_OFFSET: u32 = 16;

/// The fixed part of a TCP header.
#[derive(Clone, Copy)]
pub(in crate::synproxy) struct Segment {
    /// Where the header begins, from the start of the packet's data.
    pub(in crate::synproxy) offset: u32,
    /// Source port, as it is in the header.
    pub(in crate::synproxy) source: [u8; 2],
    /// Destination port, as it is in the header.
    pub(in crate::synproxy) destination: [u8; 2],
    /// Sequence number.
    pub(in crate::synproxy) sequence: u32,
    /// Acknowledged sequence number.
    pub(in crate::synproxy) acknowledgement: u32,
    /// Length of the header with its options, in bytes: 20 to 60.
    pub(in crate::synproxy) header_length: u32,
    /// The flags.
    pub(in crate::synproxy) flags: u8,
    /// The window, not scaled.
    pub(in crate::synproxy) window: u16,
}

impl Segment {
    /// Reads the header at that place; none if the packet does not hold the whole of it.
    #[inline]
    pub(in crate::synproxy) fn read(skb: &Skb, offset: u32) -> Option<Self> {
        let bytes = skb.read::<TCP_HEADER_LENGTH>(offset)?;
        let [s0, s1, d0, d1, q0, q1, q2, q3, a0, a1, a2, a3, length, flags, w0, w1, _, _, _, _] =
            bytes;
        let header_length = u32::from(length >> 4).wrapping_mul(4);
        if header_length < TCP_HEADER_LENGTH as u32
            || u64::from(offset).wrapping_add(header_length.into()) > u64::from(skb.len())
        {
            return None;
        }
        Some(Self {
            offset,
            source: [s0, s1],
            destination: [d0, d1],
            sequence: u32::from_be_bytes([q0, q1, q2, q3]),
            acknowledgement: u32::from_be_bytes([a0, a1, a2, a3]),
            header_length,
            flags,
            window: u16::from_be_bytes([w0, w1]),
        })
    }

    /// Reads the header of a packet, if it is one of TCP and holds the whole of it.
    #[inline]
    pub(in crate::synproxy) fn of(packet: &Packet<'_>) -> Option<Self> {
        match packet.transport() {
            Transport::Header {
                protocol: IPPROTO_TCP,
                offset,
            } => Self::read(packet.skb(), offset),
            _ => None,
        }
    }

    /// What the segment is for.
    #[inline]
    pub(in crate::synproxy) fn kind(&self) -> Kind {
        const KIND: u8 = flags::SYN | flags::ACK | flags::FIN | flags::RST;
        const SYN_ACK: u8 = flags::SYN | flags::ACK;
        const FIN_ACK: u8 = flags::FIN | flags::ACK;
        match self.flags & KIND {
            flags::SYN => Kind::Syn,
            SYN_ACK => Kind::SynAck,
            flags::ACK => Kind::Ack,
            FIN_ACK => Kind::Fin,
            other if other & (flags::RST | flags::SYN) == flags::RST => Kind::Reset,
            _ => Kind::Other,
        }
    }

    /// Whether the sender asks for explicit congestion notification with a SYN (RFC 3168, section 6.1.1).
    #[inline]
    pub(in crate::synproxy) fn asks_for_congestion_notification(&self) -> bool {
        self.flags & (flags::ECE | flags::CWR) == flags::ECE | flags::CWR
    }

    /// The port that it goes to, in host byte order.
    #[inline]
    pub(in crate::synproxy) fn destination_port(&self) -> u16 {
        u16::from_be_bytes(self.destination)
    }

    /// Both ports, as the word that they are in the header.
    #[inline]
    pub(in crate::synproxy) fn ports(&self) -> u32 {
        let ([a, b], [c, d]) = (self.source, self.destination);
        u32::from_ne_bytes([a, b, c, d])
    }

    /// Whom the segment is from and for, in that packet.
    #[inline]
    pub(in crate::synproxy) fn endpoints(&self, packet: &Packet<'_>) -> Endpoints {
        Endpoints {
            family: packet.family,
            addresses: (packet.source().words(), packet.destination().words()),
            ports: (self.source, self.destination),
        }
    }

    /// Both ports, as the word that they are in the header of an answer.
    #[inline]
    pub(in crate::synproxy) fn ports_of_answer(&self) -> u32 {
        let ([a, b], [c, d]) = (self.source, self.destination);
        u32::from_ne_bytes([c, d, a, b])
    }
}
