// SPDX-License-Identifier: GPL-2.0

//! The view of a packet that rules have.

use crate::kernel_api::{
    netfilter::{
        Context,
        InterfaceName, //
    },
    skb::Skb, //
};

pub(crate) use crate::kernel_api::netfilter::Family;

/// An IP address: its bytes in network order, in words of the machine. Of an IPv4 address the last three
/// words are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address([u32; 4]);

impl Address {
    /// All ones, in the bits that an address of that family has.
    pub(crate) const fn full_mask(family: Family) -> Self {
        match family {
            Family::Ipv4 => Self([u32::MAX, 0, 0, 0]),
            Family::Ipv6 => Self([u32::MAX; 4]),
        }
    }

    /// From its words.
    pub(crate) const fn new(words: [u32; 4]) -> Self {
        Self(words)
    }

    /// Its words.
    #[inline]
    pub(crate) const fn words(&self) -> [u32; 4] {
        self.0
    }

    /// From 4 or 16 bytes in network order.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<(Family, Self)> {
        if let Ok(bytes) = <[u8; 4]>::try_from(bytes) {
            return Some((Family::Ipv4, Self::ipv4(bytes)));
        }
        let bytes = <[u8; 16]>::try_from(bytes).ok()?;
        Some((Family::Ipv6, Self::ipv6(bytes)))
    }

    /// Its bytes in network order, of which the family says how many count.
    pub(crate) fn to_bytes(self, family: Family) -> ([u8; 16], usize) {
        let mut bytes = [0; 16];
        for (place, word) in bytes.chunks_exact_mut(4).zip(self.0) {
            place.copy_from_slice(&word.to_ne_bytes());
        }
        let length = match family {
            Family::Ipv4 => 4,
            Family::Ipv6 => 16,
        };
        (bytes, length)
    }

    #[inline]
    fn ipv4(bytes: [u8; 4]) -> Self {
        Self([u32::from_ne_bytes(bytes), 0, 0, 0])
    }

    #[inline]
    fn ipv6(bytes: [u8; 16]) -> Self {
        let [a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3] = bytes;
        Self([
            u32::from_ne_bytes([a0, a1, a2, a3]),
            u32::from_ne_bytes([b0, b1, b2, b3]),
            u32::from_ne_bytes([c0, c1, c2, c3]),
            u32::from_ne_bytes([d0, d1, d2, d3]),
        ])
    }

    /// The bits that the mask has, too.
    #[inline]
    pub(crate) fn masked(&self, mask: &Self) -> Self {
        let [a, b, c, d] = self.0;
        let [e, f, g, h] = mask.0;
        Self([a & e, b & f, c & g, d & h])
    }
}

/// What follows the IP headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// The header of this protocol, this many bytes from the start of the packet's data.
    Header {
        /// The protocol's number.
        protocol: u8,
        /// Where its header begins.
        offset: u32,
    },
    /// A fragment of a packet of this protocol, other than the first.
    Fragment {
        /// The protocol's number.
        protocol: u8,
        /// Where in the whole packet it belongs, in bytes after the IP headers.
        position: u16,
    },
    /// The extension headers of IPv6 are malformed or cut off.
    Malformed,
}

impl Transport {
    /// The protocol's number, if it can be told.
    #[inline]
    pub(crate) fn protocol(&self) -> Option<u8> {
        match *self {
            Self::Header { protocol, .. } | Self::Fragment { protocol, .. } => Some(protocol),
            Self::Malformed => None,
        }
    }
}

/// The IP version and the protocol of packets, as a number and a mask for comparing them at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    value: u32,
    known: u32,
}

impl Kind {
    /// Of packets of a version, if that is given, and of a protocol, if that is given.
    #[inline]
    pub(crate) fn new(family: Option<Family>, protocol: Option<u8>) -> Self {
        let (version, known_version) = match family {
            Some(Family::Ipv4) => (4, 0xff),
            Some(Family::Ipv6) => (6, 0xff),
            None => (0, 0),
        };
        let known_protocol = if protocol.is_some() { 0xff } else { 0 };
        Self {
            value: version << 8 | u32::from(protocol.unwrap_or(0)),
            known: known_version << 8 | known_protocol,
        }
    }

    /// Whether both say the same, as far as both say something.
    #[inline]
    pub(crate) fn agrees(&self, other: &Self) -> bool {
        (self.value ^ other.value) & self.known & other.known == 0
    }

    /// Whether it says all that the other says.
    #[inline]
    pub(crate) fn covers(&self, other: &Self) -> bool {
        other.known & !self.known == 0
    }
}

/// Whether headers of that protocol begin with two ports: TCP, UDP, DCCP, SCTP and UDP-Lite.
pub(crate) const fn has_ports(protocol: u8) -> bool {
    matches!(protocol, 6 | 17 | 33 | 132 | 136)
}

/// A packet that passes a hook.
pub(crate) struct Packet<'a> {
    skb: &'a Skb,
    context: &'a Context<'a>,
    /// The IP version.
    pub(crate) family: Family,
    /// Where it says that it comes from.
    pub(crate) source: Address,
    /// Where it goes to.
    pub(crate) destination: Address,
    /// TTL or hop limit.
    pub(crate) time_to_live: u8,
    /// What follows the IP headers.
    pub(crate) transport: Transport,
    /// Its IP version and, if it does not hide that, its protocol.
    pub(crate) kind: Kind,
    /// Length from the network header on, in bytes.
    length: u32,
}

impl<'a> Packet<'a> {
    /// Looks at a packet; none if it has no whole IP header, which the stack has dropped before any hook
    /// but those of raw sockets.
    #[inline]
    pub(crate) fn parse(skb: &'a Skb, context: &'a Context<'a>) -> Option<Self> {
        match context.family()? {
            Family::Ipv4 => Self::parse_ipv4(skb, context),
            Family::Ipv6 => Self::parse_ipv6(skb, context),
        }
    }

    #[inline]
    fn parse_ipv4(skb: &'a Skb, context: &'a Context<'a>) -> Option<Self> {
        let start = skb.network_offset();
        let [version_and_length, _, _, _, _, _, fragment_high, fragment_low, time_to_live, protocol, _, _, s0, s1, s2, s3, d0, d1, d2, d3] =
            skb.read::<20>(start)?;
        let header_length = u32::from(version_and_length & 0x0f).wrapping_mul(4);
        if version_and_length >> 4 != 4 || header_length < 20 {
            return None;
        }
        // The low 13 bits are the fragment's position, in units of 8 bytes.
        let transport = match u16::from_be_bytes([fragment_high, fragment_low]).wrapping_shl(3) {
            0 => Transport::Header {
                protocol,
                offset: start.wrapping_add(header_length),
            },
            position => Transport::Fragment { protocol, position },
        };
        Some(Self {
            skb,
            context,
            family: Family::Ipv4,
            source: Address::ipv4([s0, s1, s2, s3]),
            destination: Address::ipv4([d0, d1, d2, d3]),
            time_to_live,
            transport,
            kind: Kind::new(Some(Family::Ipv4), Some(protocol)),
            length: skb.len().saturating_sub(start),
        })
    }

    #[inline]
    fn parse_ipv6(skb: &'a Skb, context: &'a Context<'a>) -> Option<Self> {
        let start = skb.network_offset();
        let [version, _, _, _, _, _, _, hop_limit] = skb.read::<8>(start)?;
        if version >> 4 != 6 {
            return None;
        }
        let source = skb.read::<16>(start.wrapping_add(8))?;
        let destination = skb.read::<16>(start.wrapping_add(24))?;
        let transport = match skb.ipv6_transport() {
            None => Transport::Malformed,
            Some(found) => match found.fragment_position {
                0 => Transport::Header {
                    protocol: found.protocol,
                    offset: found.offset,
                },
                position => Transport::Fragment {
                    protocol: found.protocol,
                    position,
                },
            },
        };
        Some(Self {
            skb,
            context,
            family: Family::Ipv6,
            source: Address::ipv6(source),
            destination: Address::ipv6(destination),
            time_to_live: hop_limit,
            transport,
            kind: Kind::new(Some(Family::Ipv6), transport.protocol()),
            length: skb.len().saturating_sub(start),
        })
    }

    /// Length from the network header on, in bytes.
    #[inline]
    pub(crate) fn len(&self) -> u32 {
        self.length
    }

    /// TTL or hop limit as it was before this machine forwarded the packet.
    #[inline]
    pub(crate) fn received_time_to_live(&self) -> u8 {
        // Forwarding has decremented it by the time that the way out is known.
        if self.context.is_going_out() && !self.context.is_sender(self.skb) {
            self.time_to_live.wrapping_add(1)
        } else {
            self.time_to_live
        }
    }

    /// Name of the interface that it came in by.
    #[inline]
    pub(crate) fn in_interface(&self) -> InterfaceName {
        self.context.in_interface()
    }

    /// Name of the interface that it goes out by.
    #[inline]
    pub(crate) fn out_interface(&self) -> InterfaceName {
        self.context.out_interface()
    }

    /// The packet itself.
    #[inline]
    pub(crate) fn skb(&self) -> &'a Skb {
        self.skb
    }

    /// The hook that it is in.
    #[inline]
    pub(crate) fn context(&self) -> &'a Context<'a> {
        self.context
    }

    /// Source and destination port, in host byte order, of a protocol that has ports and of a packet that
    /// is no later fragment.
    #[inline]
    pub(crate) fn ports(&self) -> Option<(u16, u16)> {
        let Transport::Header { protocol, offset } = self.transport else {
            return None;
        };
        if !has_ports(protocol) {
            return None;
        }
        let [s0, s1, d0, d1] = self.read::<4>(offset)?;
        Some((u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1])))
    }

    /// Reads bytes at an offset from the start of the packet's data.
    #[inline]
    pub(crate) fn read<const N: usize>(&self, offset: u32) -> Option<[u8; N]> {
        self.skb.read(offset)
    }
}
