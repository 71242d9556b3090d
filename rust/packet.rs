// SPDX-License-Identifier: GPL-2.0

//! A packet as rules see it.

use crate::kernel_api::{
    net::{
        rewrite::{
            Covered,
            Rewritten, //
        },
        skb::{
            HookSkb,
            Skb, //
        }, //
    },
    netfilter::{
        Context,
        InterfaceName, //
    },
};
use core::borrow::BorrowMut;
use kernel::prelude::*;

mod features;
mod first_data;
mod source_routes;
#[cfg(CONFIG_KUNIT = "y")]
mod source_routes_tests;
pub(crate) mod tcp;

pub(crate) use crate::kernel_api::netfilter::Family;
pub(crate) use features::{
    Pattern,
    Profile, //
};
pub(crate) use first_data::FirstData;

impl Family {
    /// The version of IP, which is also the value of a netlink attribute.
    #[inline]
    pub(crate) const fn version(self) -> u32 {
        match self {
            Self::Ipv4 => 4,
            Self::Ipv6 => 6,
        }
    }

    /// The family of a version.
    pub(crate) const fn from_version(version: u32) -> Option<Self> {
        match version {
            4 => Some(Self::Ipv4),
            6 => Some(Self::Ipv6),
            _ => None,
        }
    }

    /// The other family.
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Ipv4 => Self::Ipv6,
            Self::Ipv6 => Self::Ipv4,
        }
    }

    /// Whether something for `own`, or for both families if that is `None`, is for this one.
    pub(crate) fn is_in(self, own: Option<Self>) -> bool {
        own.is_none_or(|own| own == self)
    }
}

/// A word of an address with its first bits set, so many, up to 32.
#[inline]
pub(crate) fn first_bits(count: u32) -> u32 {
    !u32::MAX.checked_shr(count).unwrap_or(0).to_be()
}

/// An IP address: bytes in network order, in native words. The last three words of an IPv4 address
/// are 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address([u32; 4]);

impl Address {
    /// All bits that an address of the family has.
    pub(crate) const fn full_mask(family: Family) -> Self {
        match family {
            Family::Ipv4 => Self([u32::MAX, 0, 0, 0]),
            Family::Ipv6 => Self([u32::MAX; 4]),
        }
    }

    /// The mask of a prefix. For IPv4, the first word counts.
    #[inline]
    pub(crate) fn prefix_mask(length: u8) -> Self {
        let mut left = u32::from(length);
        Self([(); 4].map(|()| {
            let bits = left.min(u32::BITS);
            left = left.saturating_sub(bits);
            first_bits(bits)
        }))
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

    /// The bytes in network order, and how many of them the family uses.
    pub(crate) fn to_bytes(self, family: Family) -> ([u8; 16], usize) {
        let mut bytes = [0; 16];
        for (chunk, word) in bytes.chunks_exact_mut(4).zip(self.0) {
            chunk.copy_from_slice(&word.to_ne_bytes());
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

    /// The bits that are set in the mask as well.
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
    /// A header of this protocol.
    Header {
        /// The protocol's number.
        protocol: u8,
        /// Its offset from the start of the packet's data, in bytes.
        offset: u32,
    },
    /// A fragment other than the first, of a packet of this protocol.
    Fragment {
        /// The protocol's number.
        protocol: u8,
        /// Its offset in the whole packet, in bytes after the IP headers.
        position: u16,
    },
    /// The IPv6 extension headers are malformed or truncated.
    Malformed,
}

pub(crate) const IPPROTO_TCP: u8 = 6;

pub(crate) const IPPROTO_UDP: u8 = 17;

pub(crate) const IPPROTO_ICMP: u8 = 1;

pub(crate) const IPPROTO_ICMPV6: u8 = 58;

/// Length of an IPv6 header without extension headers, in bytes.
const IPV6_HEADER_LENGTH: u32 = 40;

/// Length of a TCP header without options, in bytes.
pub(crate) const TCP_HEADER_LENGTH: usize = 20;

/// Offset of the flags in a TCP header, in bytes.
pub(crate) const TCP_FLAGS_OFFSET: usize = 13;

/// Length of a UDP header, in bytes.
pub(crate) const UDP_HEADER_LENGTH: usize = 8;

/// Whether the protocol's header starts with two ports: TCP, UDP, DCCP, SCTP and UDP-Lite.
pub(crate) const fn has_ports(protocol: u8) -> bool {
    matches!(protocol, 6 | 17 | 33 | 132 | 136)
}

/// A packet in a hook. Its fields are those of the packet that was parsed: they stay when a target
/// changes it.
pub(crate) struct Packet<'a, S = HookSkb> {
    skb: &'a mut S,
    context: Context<'a>,
    /// The address family.
    pub(crate) family: Family,
    /// TTL or hop limit.
    pub(crate) time_to_live: u8,
    /// Offset of the upper-layer header, if there is one, from the start of the packet's data.
    transport_offset: u32,
    /// The fragment's offset in the whole packet, in bytes after the IP headers.
    fragment_position: u16,
    /// What patterns of rules are compared with.
    pub(crate) profile: Profile,
    /// Offset of the IP header from the start of the packet's data.
    start: u32,
}

impl Packet<'_> {
    /// All of the packet, for what may concern its connection.
    #[inline]
    pub(crate) fn hook_skb(&mut self) -> &mut HookSkb {
        self.skb
    }
}

impl<'a, S: BorrowMut<Skb>> Packet<'a, S> {
    /// As [`Packet::parse`], with the hook's family.
    #[inline]
    pub(crate) fn of_hook(skb: &'a mut S, context: Context<'a>) -> Option<Self> {
        Self::parse(skb, context, context.family())
    }

    /// Parses a packet; `None` without a complete IP header. The stack drops such packets before
    /// any hook, except those sent by raw sockets.
    #[inline]
    pub(crate) fn parse(skb: &'a mut S, context: Context<'a>, family: Family) -> Option<Self> {
        match family {
            Family::Ipv4 => Self::parse_ipv4(skb, context),
            Family::Ipv6 => Self::parse_ipv6(skb, context),
        }
    }

    #[inline]
    fn parse_ipv4(skb: &'a mut S, context: Context<'a>) -> Option<Self> {
        let data: &Skb = (*skb).borrow();
        let start = data.network_offset();
        let [first, second, third, source, destination] = data.linear_words::<5>(start)?;
        let [version_and_length, _, _, _] = first.to_ne_bytes();
        let [_, _, fragment_high, fragment_low] = second.to_ne_bytes();
        let [time_to_live, protocol, _, _] = third.to_ne_bytes();
        // Version 4, and a header of at least five words.
        if !(0x45..=0x4f).contains(&version_and_length) {
            return None;
        }
        let header_length = u32::from(version_and_length & 0x0f).wrapping_mul(4);
        let offset = start.wrapping_add(header_length);
        // The low 13 bits are the fragment offset, in units of 8 bytes.
        let position = u16::from_be_bytes([fragment_high, fragment_low]).wrapping_shl(3);
        let transport = (Some(protocol), position, offset);
        let profile = Profile::new(data, Family::Ipv4, (source, destination), transport);
        Some(Self {
            skb,
            context,
            family: Family::Ipv4,
            time_to_live,
            transport_offset: offset,
            fragment_position: position,
            profile,
            start,
        })
    }

    #[inline]
    fn parse_ipv6(skb: &'a mut S, context: Context<'a>) -> Option<Self> {
        let data: &Skb = (*skb).borrow();
        let start = data.network_offset();
        let [first, second, source, _, _, _, destination, _, _, _] =
            data.linear_words::<10>(start)?;
        let [version, _, _, _] = first.to_ne_bytes();
        let [_, _, next_header, hop_limit] = second.to_ne_bytes();
        if version >> 4 != 6 {
            return None;
        }
        let with_profile = |transport: (Option<u8>, u16, u32)| {
            let addresses = (source, destination);
            let profile = Profile::new(data, Family::Ipv6, addresses, transport);
            (transport, profile)
        };
        let ((_, fragment_position, transport_offset), profile) = match next_header {
            // Most packets have no extension headers to walk.
            IPPROTO_TCP | IPPROTO_UDP | IPPROTO_ICMPV6 => {
                let offset = start.wrapping_add(IPV6_HEADER_LENGTH);
                with_profile((Some(next_header), 0, offset))
            }
            _ => with_profile(match data.ipv6_transport() {
                None => (None, 0, 0),
                Some(found) => (Some(found.protocol), found.fragment_position, found.offset),
            }),
        };
        Some(Self {
            skb,
            context,
            family: Family::Ipv6,
            time_to_live: hop_limit,
            transport_offset,
            fragment_position,
            profile,
            start,
        })
    }

    /// The source address.
    #[inline]
    pub(crate) fn source(&self) -> Address {
        match self.family {
            Family::Ipv4 => Address([self.ipv4_source(), 0, 0, 0]),
            Family::Ipv6 => Address(self.ipv6_source()),
        }
    }

    /// The source address of an IPv4 packet.
    #[inline]
    pub(crate) fn ipv4_source(&self) -> u32 {
        self.profile.source()
    }

    /// The source address of an IPv6 packet.
    #[inline]
    pub(crate) fn ipv6_source(&self) -> [u32; 4] {
        self.ipv6_address(8)
    }

    /// The destination address.
    #[inline]
    pub(crate) fn destination(&self) -> Address {
        match self.family {
            Family::Ipv4 => Address([self.profile.destination(), 0, 0, 0]),
            Family::Ipv6 => Address(self.ipv6_address(24)),
        }
    }

    /// The address at this offset in the IPv6 header, which is known to be there.
    #[inline]
    fn ipv6_address(&self, offset: u32) -> [u32; 4] {
        let words = self.skb().linear_words(self.start.wrapping_add(offset));
        words.unwrap_or_default()
    }

    /// What follows the IP headers.
    #[inline]
    pub(crate) fn transport(&self) -> Transport {
        match (self.protocol(), self.fragment_position) {
            (None, _) => Transport::Malformed,
            (Some(protocol), 0) => Transport::Header {
                protocol,
                offset: self.transport_offset,
            },
            (Some(protocol), position) => Transport::Fragment { protocol, position },
        }
    }

    /// The upper-layer protocol, unless the headers are malformed.
    #[inline]
    pub(crate) fn protocol(&self) -> Option<u8> {
        self.profile.protocol()
    }

    /// Length from the IP header on, in bytes.
    #[inline]
    pub(crate) fn len(&self) -> u32 {
        self.skb().len().wrapping_sub(self.start)
    }

    /// TTL or hop limit before this machine forwarded the packet.
    #[inline]
    pub(crate) fn received_time_to_live(&self) -> u8 {
        // Forwarding has decremented it before the egress interface is known.
        if self.context.is_going_out() && !self.context.is_sender(self.skb()) {
            self.time_to_live.wrapping_add(1)
        } else {
            self.time_to_live
        }
    }

    /// Name of the ingress interface.
    #[inline]
    pub(crate) fn in_interface(&self) -> InterfaceName {
        self.context.in_interface()
    }

    /// Name of the egress interface.
    #[inline]
    pub(crate) fn out_interface(&self) -> InterfaceName {
        self.context.out_interface()
    }

    /// The packet itself.
    #[inline]
    pub(crate) fn skb(&self) -> &Skb {
        (*self.skb).borrow()
    }

    /// The packet itself, to change it.
    #[inline]
    pub(crate) fn skb_mut(&mut self) -> &mut Skb {
        self.skb.borrow_mut()
    }

    /// The hook's context.
    #[inline]
    pub(crate) fn context(&self) -> &Context<'a> {
        &self.context
    }

    /// Source and destination port, in host byte order, if the protocol has ports and the packet is
    /// not a later fragment.
    #[inline]
    pub(crate) fn ports(&self) -> Option<(u16, u16)> {
        let Transport::Header { protocol, offset } = self.transport() else {
            return None;
        };
        if !has_ports(protocol) {
            return None;
        }
        let [s0, s1, d0, d1] = self.read::<4>(offset)?;
        Some((u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1])))
    }

    /// Replaces the packet, from its IP header on, with these words. The fields stay.
    ///
    /// # Errors
    ///
    /// Those of [`Skb::end_with`].
    pub(crate) fn replace(&mut self, words: &[u32]) -> Result<Rewritten> {
        let skb = self.skb_mut();
        skb.end_with(skb.network_offset(), words, &[])
    }

    /// Replaces everything from `offset` on, counted from the start of the packet's data, with
    /// these words, and corrects the IP header. The fields stay.
    ///
    /// # Errors
    ///
    /// Those of [`Skb::end_with`].
    pub(crate) fn replace_transport(&mut self, offset: u32, words: &[u32]) -> Result {
        self.replace_segment(offset, words, &[])
    }

    /// As [`Packet::replace_transport`], with `data` behind the words.
    ///
    /// # Errors
    ///
    /// Those of [`Skb::end_with`].
    pub(crate) fn replace_segment(&mut self, offset: u32, words: &[u32], data: &[u8]) -> Result {
        self.skb_mut().end_with(offset, words, data)?;
        self.correct_length()
    }

    /// Has the IP header say how long the packet is.
    fn correct_length(&mut self) -> Result {
        let family = self.family;
        let skb = self.skb_mut();
        let start = skb.network_offset();
        let length = skb.len().wrapping_sub(start);
        match family {
            Family::Ipv4 => {
                let old = skb.read::<4>(start).ok_or(EINVAL)?;
                let [version, service, _, _] = old;
                let [_, _, high, low] = length.to_be_bytes();
                let new = [version, service, high, low];
                skb.overwrite(start, new)?;
                let [old, new] = [old, new].map(u32::from_ne_bytes);
                skb.amend_checksum(start.wrapping_add(10), old, new, Covered::IpHeader)
            }
            Family::Ipv6 => {
                let [_, _, high, low] = length.wrapping_sub(IPV6_HEADER_LENGTH).to_be_bytes();
                skb.overwrite(start.wrapping_add(4), [high, low])
            }
        }
    }

    /// Reads bytes at an offset from the start of the packet's data.
    #[inline]
    pub(crate) fn read<const N: usize>(&self, offset: u32) -> Option<[u8; N]> {
        self.skb().read(offset)
    }
}
