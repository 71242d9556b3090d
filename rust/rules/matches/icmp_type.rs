// SPDX-License-Identifier: GPL-2.0

//! Types and codes of messages, which ICMP and ICMPv6 have at the same place of their headers.

use super::MatchResult;
use crate::{
    kernel_api::{
        extended_ack::{
            ExtAckError,
            NetlinkResult, //
        },
        message::Message,
        netlink::Attributes, //
    },
    packet::{
        Packet,
        Transport, //
    },
    rules::header::HeaderMatch,
    spec::attribute::icmp as attributes, //
};
use core::ops::RangeInclusive;
use kernel::prelude::*;

/// Length of a header, in bytes: both protocols have four more behind type, code and checksum.
const HEADER_LENGTH: usize = 8;

/// A type of messages, with a range of codes.
#[derive(PartialEq, Eq)]
struct MessageType {
    number: u8,
    codes: RangeInclusive<u8>,
}

impl MessageType {
    fn decode<'a>(icmp: Attributes<'a>) -> NetlinkResult<'a, Option<Self>> {
        let first = icmp.get(attributes::CODE_FIRST);
        let last = icmp.get(attributes::CODE_LAST);
        let Some(number) = icmp
            .get(attributes::TYPE)
            .and_then(|attribute| attribute.u8())
        else {
            return match first.or(last) {
                Some(code) => Err(ExtAckError::new(EINVAL, c"a code needs a type").at(code)),
                None => Ok(None),
            };
        };
        let start = first.and_then(|attribute| attribute.u8()).unwrap_or(0);
        let end = last.and_then(|attribute| attribute.u8()).unwrap_or(u8::MAX);
        if start > end {
            let refusal = ExtAckError::new(EINVAL, c"the range of codes ends before it starts");
            return Err(last.map_or(refusal, |at| refusal.at(at)));
        }
        Ok(Some(Self {
            number,
            codes: start..=end,
        }))
    }

    fn encode(&self, message: &mut Message) -> Result {
        message.put_u8(attributes::TYPE, self.number)?;
        message.put_u8(attributes::CODE_FIRST, *self.codes.start())?;
        message.put_u8(attributes::CODE_LAST, *self.codes.end())
    }
}

/// What is asked of a message.
#[derive(PartialEq, Eq)]
pub(super) struct IcmpMatch {
    /// None stands for all types.
    message_type: Option<MessageType>,
    invert: bool,
}

impl IcmpMatch {
    /// Looks at a message of the protocol. A later fragment has no header and does not match; a header
    /// that is cut off is dropped, as iptables does.
    #[inline]
    pub(super) fn matches(&self, packet: &Packet<'_>) -> MatchResult {
        let Transport::Header { offset, .. } = packet.transport() else {
            return MatchResult::Mismatch;
        };
        let Some([number, code, ..]) = packet.read::<HEADER_LENGTH>(offset) else {
            return MatchResult::Drop;
        };
        let agrees = (self.message_type.as_ref())
            .is_none_or(|wanted| wanted.number == number && wanted.codes.contains(&code));
        MatchResult::from(agrees != self.invert)
    }

    /// For a rule whose packets are all of that protocol.
    pub(super) fn decode<'a>(
        icmp: Attributes<'a>,
        header: &HeaderMatch,
        protocol: u8,
    ) -> NetlinkResult<'a, Self> {
        if header.protocol() != Some(protocol) {
            let message = c"the rule has to be for the protocol whose messages it asks for";
            return Err(ExtAckError::new(EINVAL, message));
        }
        Ok(Self {
            message_type: MessageType::decode(icmp)?,
            invert: icmp.has(attributes::INVERT),
        })
    }

    pub(super) fn encode(&self, message: &mut Message) -> Result {
        if let Some(message_type) = &self.message_type {
            message_type.encode(message)?;
        }
        message.put_flag(attributes::INVERT, self.invert)
    }
}
