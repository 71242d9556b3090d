// SPDX-License-Identifier: GPL-2.0

//! What rules ask of packets most often, in a form that is compared at once.

use super::{
    Address,
    Family,
    TCP_HEADER_LENGTH, //
};
use crate::kernel_api::net::skb::Skb;

/// The first words of a packet's addresses, its protocol, IP version and ports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Features {
    /// The source in the lower half, the destination in the upper half.
    addresses: u64,
    /// The protocol in bits 0-7, the IP version in bits 8-15, the ports in the upper half.
    kind: u64,
}

const PROTOCOL: Features = Features::kind(0xff);
const VERSION: Features = Features::kind(0xff00);
const PORTS: Features = Features::kind(0xffff_ffff << 32);

impl Features {
    const NONE: Self = Self::kind(0);

    const fn kind(kind: u64) -> Self {
        Self { addresses: 0, kind }
    }

    #[inline]
    const fn addresses(source: u32, destination: u32) -> Self {
        Self {
            addresses: (destination as u64) << 32 | source as u64,
            kind: 0,
        }
    }

    #[inline]
    const fn version(family: Family) -> Self {
        Self::kind((family.version() as u64) << 8)
    }

    #[inline]
    const fn protocol(protocol: u8) -> Self {
        Self::kind(protocol as u64)
    }

    /// `ports` is the first word of a header, in network byte order.
    #[inline]
    const fn ports(ports: u32) -> Self {
        Self::kind((ports as u64) << 32)
    }

    /// Combines features that use different bits.
    #[inline]
    const fn and(self, other: Self) -> Self {
        Self {
            addresses: self.addresses | other.addresses,
            kind: self.kind | other.kind,
        }
    }
}

/// The features that packets must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    values: Features,
    /// The bits of the values that count.
    mask: Features,
}

impl Pattern {
    /// Matches all packets.
    pub(crate) const ANY: Self = Self {
        values: Features::NONE,
        mask: Features::NONE,
    };

    /// Matches packets with these addresses under their masks; only the first words count.
    pub(crate) fn addresses(source: (Address, Address), destination: (Address, Address)) -> Self {
        let features = |source: Address, destination: Address| {
            let ([source, ..], [destination, ..]) = (source.words(), destination.words());
            Features::addresses(source, destination)
        };
        Self {
            values: features(source.0, destination.0),
            mask: features(source.1, destination.1),
        }
    }

    /// Matches packets of the family.
    pub(crate) fn family(family: Family) -> Self {
        Self {
            values: Features::version(family),
            mask: VERSION,
        }
    }

    /// Whether packets to that port, in host byte order, may match, whatever their other features.
    pub(crate) fn may_lead_to(&self, port: u16) -> bool {
        let to = |port| Self::ports(None, Some(port));
        let (wanted, asked) = (to(port), to(u16::MAX));
        (self.values.kind ^ wanted.values.kind) & self.mask.kind & asked.mask.kind == 0
    }

    /// The family that it requires, if any.
    pub(crate) fn version(&self) -> Option<Family> {
        Family::from_version((self.values.kind & self.mask.kind & VERSION.kind) as u32 >> 8)
    }

    /// Matches packets of the protocol.
    pub(crate) fn protocol(protocol: u8) -> Self {
        Self {
            values: Features::protocol(protocol),
            mask: PROTOCOL,
        }
    }

    /// Matches packets with these ports, in host byte order; `None` is any port.
    pub(crate) fn ports(source: Option<u16>, destination: Option<u16>) -> Self {
        let word = |source: u16, destination: u16| {
            let ([a, b], [c, d]) = (source.to_be_bytes(), destination.to_be_bytes());
            Features::ports(u32::from_ne_bytes([a, b, c, d]))
        };
        let mask = |port: Option<u16>| port.map_or(0, |_| u16::MAX);
        Self {
            values: word(source.unwrap_or(0), destination.unwrap_or(0)),
            mask: word(mask(source), mask(destination)),
        }
    }

    /// Matches packets that match both patterns, which must not constrain the same features.
    pub(crate) fn and(&self, other: &Self) -> Self {
        Self {
            values: self.values.and(other.values),
            mask: self.mask.and(other.mask),
        }
    }
}

/// The known features of a packet.
#[derive(Clone, Copy)]
pub(crate) struct Profile {
    values: Features,
    /// The known bits of `kind`.
    known: u64,
}

impl Profile {
    /// From the first words of the addresses, and the protocol, fragment offset and upper-layer
    /// header's offset. Ports are known if as much as a TCP header is linear; for other packets,
    /// the matches decide.
    #[inline]
    pub(super) fn new(
        skb: &Skb,
        family: Family,
        (source, destination): (u32, u32),
        (protocol, position, offset): (Option<u8>, u16, u32),
    ) -> Self {
        let values = Features::addresses(source, destination).and(Features::version(family));
        let Some(protocol) = protocol else {
            return Self {
                values,
                known: VERSION.kind,
            };
        };
        let values = values.and(Features::protocol(protocol));
        let known = VERSION.kind | PROTOCOL.kind;
        // Nothing asks for the ports of a protocol without ports.
        match skb.linear_word(offset, TCP_HEADER_LENGTH) {
            Some(ports) if position == 0 => Self {
                values: values.and(Features::ports(ports)),
                known: known | PORTS.kind,
            },
            _ => Self { values, known },
        }
    }

    /// The first word of the source address.
    #[inline]
    pub(super) fn source(&self) -> u32 {
        self.values.addresses as u32
    }

    /// The first word of the destination address.
    #[inline]
    pub(super) fn destination(&self) -> u32 {
        (self.values.addresses >> 32) as u32
    }

    /// The upper-layer protocol, unless the headers are malformed.
    #[inline]
    pub(super) fn protocol(&self) -> Option<u8> {
        (self.known & PROTOCOL.kind != 0).then_some(self.values.kind as u8)
    }

    /// Whether no known feature contradicts the pattern.
    #[inline]
    pub(crate) fn admits(&self, pattern: &Pattern) -> bool {
        // The addresses decide for most rules that do not match.
        (self.values.addresses ^ pattern.values.addresses) & pattern.mask.addresses == 0
            && (self.values.kind ^ pattern.values.kind) & pattern.mask.kind & self.known == 0
    }

    /// Whether all features that the pattern asks for are known.
    #[inline]
    pub(crate) fn tells(&self, pattern: &Pattern) -> bool {
        pattern.mask.kind & !self.known == 0
    }
}
