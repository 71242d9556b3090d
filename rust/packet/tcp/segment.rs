// SPDX-License-Identifier: GPL-2.0

//! The fixed part of a received TCP header.

use crate::{
    kernel_api::{
        conntrack::connections::Endpoints,
        net::skb::Skb, //
    },
    packet::{
        Family,
        Packet,
        Transport,
        IPPROTO_TCP,
        IPV6_HEADER_LENGTH,
        TCP_HEADER_LENGTH, //
    },
};
use core::borrow::BorrowMut;

/// The flags of a TCP segment (RFC 9293, section 3.1).
pub(crate) mod flags {
    /// No more data from the sender.
    pub(crate) const FIN: u8 = 0x01;
    /// The first segment in one direction.
    pub(crate) const SYN: u8 = 0x02;
    /// The connection is reset.
    pub(crate) const RST: u8 = 0x04;
    /// The acknowledgement number is valid.
    pub(crate) const ACK: u8 = 0x10;
    /// ECN echo.
    pub(crate) const ECE: u8 = 0x40;
    /// Congestion window reduced.
    pub(crate) const CWR: u8 = 0x80;
}

/// What a segment is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Opens a connection.
    Syn,
    /// Accepts a connection.
    SynAck,
    /// An ACK, with or without data.
    Ack,
    /// As [`Kind::Ack`], and the sender is done.
    Fin,
    /// A reset.
    Reset,
    /// Anything else.
    Other,
}

/// Offset of the sequence number in the header.
pub(crate) const SEQUENCE_OFFSET: u32 = 4;
/// Offset of the header's length, in words, in the upper half of a byte.
pub(crate) const LENGTH_OFFSET: u32 = 12;
/// Offset of the flags in the header.
const FLAGS_OFFSET: u32 = 13;
/// Offset of the checksum in the header.
pub(crate) const CHECKSUM_OFFSET: u32 = 16;

/// The fixed part of a TCP header.
#[derive(Clone, Copy)]
pub(crate) struct Segment {
    /// Offset of the header from the start of the packet's data.
    pub(crate) offset: u32,
    /// The source port and the destination port, in network byte order.
    pub(crate) ports: ([u8; 2], [u8; 2]),
    /// Sequence number.
    pub(crate) sequence: u32,
    /// Acknowledgement number.
    pub(crate) acknowledgement: u32,
    /// Length of the header with its options, in bytes: 20 to 60.
    pub(crate) header_length: u32,
    /// The flags.
    pub(crate) flags: u8,
    /// The window, not scaled.
    pub(crate) window: u16,
}

/// Offset of a TCP header from the start of a packet's data; `None` if there are IPv6 extension
/// headers, or if the packet is a fragment or not of TCP.
#[inline]
fn plain_header(skb: &Skb, family: Family) -> Option<u32> {
    let start = skb.network_offset();
    let (protocol, position, length) = match family {
        Family::Ipv4 => {
            let [first, second, third] = skb.linear_words(start)?;
            let [version_and_length, _, _, _] = first.to_ne_bytes();
            let [_, _, high, low] = second.to_ne_bytes();
            let [_, protocol, _, _] = third.to_ne_bytes();
            // The low 13 bits are the fragment offset.
            let position = u16::from_be_bytes([high, low]) & 0x1fff;
            let length = u32::from(version_and_length & 0x0f).wrapping_mul(4);
            (protocol, position, length)
        }
        Family::Ipv6 => {
            let [_, second] = skb.linear_words(start)?;
            let [_, _, next_header, _] = second.to_ne_bytes();
            (next_header, 0, IPV6_HEADER_LENGTH)
        }
    };
    (protocol == IPPROTO_TCP && position == 0).then(|| start.wrapping_add(length))
}

impl Segment {
    /// Reads the header at `offset`; `None` if the packet does not hold all of it.
    #[inline]
    pub(crate) fn read(skb: &Skb, offset: u32) -> Option<Self> {
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
            ports: ([s0, s1], [d0, d1]),
            sequence: u32::from_be_bytes([q0, q1, q2, q3]),
            acknowledgement: u32::from_be_bytes([a0, a1, a2, a3]),
            header_length,
            flags,
            window: u16::from_be_bytes([w0, w1]),
        })
    }

    /// Reads the header of a packet; `None` if it is not TCP or does not hold all of it.
    #[inline]
    pub(crate) fn of<S: BorrowMut<Skb>>(packet: &Packet<'_, S>) -> Option<Self> {
        match packet.transport() {
            Transport::Header {
                protocol: IPPROTO_TCP,
                offset,
            } => Self::read(packet.skb(), offset),
            _ => None,
        }
    }

    /// Whether a packet may be a segment with a SYN or a RST, for who would not parse it otherwise.
    #[inline]
    pub(crate) fn may_open_or_reset(skb: &Skb, family: Family) -> bool {
        let header = plain_header(skb, family);
        let flags = header.and_then(|offset| skb.read(offset.wrapping_add(FLAGS_OFFSET)));
        flags.is_none_or(|[flags]| flags & (flags::SYN | flags::RST) != 0)
    }

    /// Reads the header of a packet that was not parsed; `None` if parsing it may find one still.
    #[inline]
    pub(crate) fn of_plain(skb: &Skb, family: Family) -> Option<Self> {
        Self::read(skb, plain_header(skb, family)?)
    }

    /// What the segment is for.
    #[inline]
    pub(crate) fn kind(&self) -> Kind {
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

    /// Whether a SYN asks for ECN (RFC 3168, section 6.1.1).
    #[inline]
    pub(crate) fn asks_for_congestion_notification(&self) -> bool {
        self.flags & (flags::ECE | flags::CWR) == flags::ECE | flags::CWR
    }

    /// The segment's addresses and ports.
    #[inline]
    pub(crate) fn endpoints<S: BorrowMut<Skb>>(&self, packet: &Packet<'_, S>) -> Endpoints {
        Endpoints {
            family: packet.family,
            addresses: (packet.source().words(), packet.destination().words()),
            ports: self.ports,
        }
    }
}
