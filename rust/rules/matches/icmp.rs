// SPDX-License-Identifier: GPL-2.0

//! The matches `icmp` and `icmpv6`: type and code of a message, which have the same offsets in both
//! protocols.

use crate::{
    packet::{
        IPPROTO_ICMP,
        IPPROTO_ICMPV6, //
    },
    rules::prelude::*, //
};

/// Length of the header, in bytes: type, code, checksum, and four more bytes.
const HEADER_LENGTH: usize = 8;

/// A message type with a range of codes.
#[derive(PartialEq, Eq)]
struct MessageType {
    number: u8,
    first_code: u8,
    last_code: u8,
}

impl MessageType {
    #[inline]
    fn matches(&self, number: u8, code: u8) -> bool {
        self.number == number && (self.first_code..=self.last_code).contains(&code)
    }
}

/// The attributes of the type, and of the first and last code.
impl OptionalGroup for MessageType {
    fn read(nest: Attributes<'_>, kind: u16) -> NetlinkResult<'_, Option<Self>> {
        let [_, first, last] = nest::kinds(kind);
        let [first_code, last_code] = [nest::optional(nest, first)?, nest::optional(nest, last)?];
        let Some(number) = nest::optional(nest, kind)? else {
            return match (first_code, last_code) {
                (None, None) => Ok(None),
                (Some(_), _) => Err(nest.refuse(first, c"a code needs a type")),
                (None, Some(_)) => Err(nest.refuse(last, c"a code needs a type")),
            };
        };
        let message_type = Self {
            number,
            first_code: first_code.unwrap_or(0),
            last_code: last_code.unwrap_or(u8::MAX),
        };
        if message_type.first_code > message_type.last_code {
            return Err(nest.refuse(last, c"the range of codes ends before it starts"));
        }
        Ok(Some(message_type))
    }

    fn write(&self, kind: u16, message: &mut Message<'_>) -> Result {
        let [number, first, last] = nest::kinds(kind);
        message.put_u8(number, self.number)?;
        message.put_u8(first, self.first_code)?;
        message.put_u8(last, self.last_code)
    }
}

nest! {
    /// What to match of a message.
    #[derive(PartialEq, Eq)]
    pub(crate) struct IcmpMatch: attribute::icmp {
        /// `None` stands for all types.
        message_type: Option<MessageType> = TYPE, group;
        invert: bool = INVERT, flag;
    }
}

/// Matches messages of one of the protocols.
pub(crate) struct Icmp<const PROTOCOL: u8>(IcmpMatch);

impl<const PROTOCOL: u8> Icmp<PROTOCOL> {
    /// The protocol's family: in the other one, its number means something else.
    const FAMILY: Family = match PROTOCOL {
        IPPROTO_ICMP => Family::Ipv4,
        IPPROTO_ICMPV6 => Family::Ipv6,
        _ => panic!("this is no protocol of such messages"),
    };
}

impl<const PROTOCOL: u8> PacketMatch for Icmp<PROTOCOL> {
    type Attributes = IcmpMatch;

    fn new<'a>(
        icmp: IcmpMatch,
        _nest: Attributes<'a>,
        context: &mut DecodeContext<'_, '_>,
    ) -> NetlinkResult<'a, Self> {
        let message = c"the rule has to be for the protocol whose messages it asks for";
        context.require_protocol(PROTOCOL, message)?;
        Ok(Self(icmp))
    }

    fn attributes(&self) -> &IcmpMatch {
        &self.0
    }

    /// A later fragment has no header and does not match; a packet with a truncated header is
    /// dropped, as by iptables.
    #[inline(never)]
    fn matches(&self, packet: &Packet<'_>) -> MatchResult {
        let Transport::Header { offset, .. } = packet.transport() else {
            return MatchResult::Mismatch;
        };
        if packet.family != Self::FAMILY {
            return MatchResult::Mismatch;
        }
        let Some([number, code, ..]) = packet.read::<HEADER_LENGTH>(offset) else {
            return MatchResult::Hotdrop;
        };
        let wanted = self.0.message_type.as_ref();
        let agrees = wanted.is_none_or(|wanted| wanted.matches(number, code));
        MatchResult::from(agrees != self.0.invert)
    }
}
