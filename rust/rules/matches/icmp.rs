// SPDX-License-Identifier: GPL-2.0

//! The matches `icmp` and `icmpv6`: type and code of a message, which both protocols have at the same place.

use crate::{
    kernel_api::netlink::{
        message::Message,
        nest::{
            self,
            Group, //
        },
    },
    packet::{
        Family,
        Transport,
        IPPROTO_ICMP,
        IPPROTO_ICMPV6, //
    },
    rules::prelude::*, //
};

/// Length of a header, in bytes: both protocols have four more behind type, code and checksum.
const HEADER_LENGTH: usize = 8;

/// A type of messages, with a range of codes.
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

/// The attributes of the type, and of the first and the last code.
impl Group for Option<MessageType> {
    fn read(nest: Attributes<'_>, kind: u16) -> NetlinkResult<'_, Self> {
        let [first, last] = [kind.wrapping_add(1), kind.wrapping_add(2)];
        let [first_code, last_code] = [nest::optional(nest, first)?, nest::optional(nest, last)?];
        let Some(number) = nest::optional(nest, kind)? else {
            return match (first_code, last_code) {
                (None, None) => Ok(None),
                (Some(_), _) => Err(nest.refuse(first, c"a code needs a type")),
                (None, Some(_)) => Err(nest.refuse(last, c"a code needs a type")),
            };
        };
        let message_type = MessageType {
            number,
            first_code: first_code.unwrap_or(0),
            last_code: last_code.unwrap_or(u8::MAX),
        };
        if message_type.first_code > message_type.last_code {
            return Err(nest.refuse(last, c"the range of codes ends before it starts"));
        }
        Ok(Some(message_type))
    }

    fn write(&self, kind: u16, message: &mut Message) -> Result {
        let Some(message_type) = self else {
            return Ok(());
        };
        message.put_u8(kind, message_type.number)?;
        message.put_u8(kind.wrapping_add(1), message_type.first_code)?;
        message.put_u8(kind.wrapping_add(2), message_type.last_code)
    }
}

nest! {
    /// What is asked of a message of that protocol.
    #[derive(PartialEq, Eq)]
    pub(in crate::rules) struct IcmpMatch: attribute::icmp {
        /// None stands for all types.
        message_type: Option<MessageType> = TYPE, group;
        invert: bool = INVERT, flag;
    }
}

/// What is asked of a message of that protocol.
pub(in crate::rules) struct Icmp<const PROTOCOL: u8>(IcmpMatch);

impl<const PROTOCOL: u8> Icmp<PROTOCOL> {
    /// The only IP version that has the protocol: in the other its number means something else.
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

    /// A later fragment has no header and does not match; a header that is cut off is dropped, as iptables does.
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
