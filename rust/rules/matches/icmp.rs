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

nest! {
    /// What to match of a message.
    #[derive(PartialEq, Eq)]
    pub(crate) struct IcmpMatch: attribute::icmp {
        /// `None` stands for all types.
        message_type: Option<u8> = TYPE, optional;
        /// `None` in a request stands for all codes from the first one on.
        first_code: Option<u8> = CODE_FIRST, optional;
        last_code: Option<u8> = CODE_LAST, optional;
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
        mut icmp: IcmpMatch,
        context: &mut DecodeContext<'a, '_>,
    ) -> NetlinkResult<'a, Self> {
        use attribute::icmp::{CODE_FIRST, CODE_LAST};
        let message = c"the rule has to be for the protocol whose messages it asks for";
        context.require_protocol(PROTOCOL, message)?;
        if icmp.message_type.is_some() {
            let first = *icmp.first_code.get_or_insert(0);
            if first > *icmp.last_code.get_or_insert(u8::MAX) {
                let message = c"the range of codes ends before it starts";
                return Err(context.refuse(CODE_LAST, message));
            }
        } else if let Some(code) = [CODE_FIRST, CODE_LAST]
            .into_iter()
            .find(|kind| context.nest.has(*kind))
        {
            return Err(context.refuse(code, c"a code needs a type"));
        }
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
        let wanted = &self.0;
        let agrees = wanted.message_type.is_none_or(|wanted| wanted == number)
            && wanted.first_code.is_none_or(|first| first <= code)
            && wanted.last_code.is_none_or(|last| code <= last);
        MatchResult::from(agrees != wanted.invert)
    }
}
