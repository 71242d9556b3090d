// SPDX-License-Identifier: GPL-2.0

//! The match `tcp`: ports and flags of a TCP segment.

use super::{
    ports::Ports,
    MatchResult,
    PacketMatch, //
};
use crate::{
    kernel_api::{
        extended_ack::{
            ExtAckError,
            NetlinkResult, //
        },
        message::Message,
        netlink::{
            Attribute,
            Attributes, //
        },
    },
    packet::{
        Packet,
        Pattern,
        Transport,
        IPPROTO_TCP,
        TCP_HEADER_LENGTH, //
    },
    rules::resources::{
        Resources,
        Surroundings, //
    },
    spec::attribute::{
        r#match,
        tcp as attributes, //
    },
};
use kernel::prelude::*;

/// Where in the header the flags are.
const FLAGS_OFFSET: usize = 13;

/// Which flags are set.
#[derive(PartialEq, Eq)]
struct FlagsMatch {
    mask: u8,
    set: u8,
    invert: bool,
}

impl FlagsMatch {
    #[inline]
    fn matches(&self, flags: u8) -> bool {
        (flags & self.mask == self.set) != self.invert
    }

    fn decode<'a>(tcp: Attributes<'a>) -> NetlinkResult<'a, Option<Self>> {
        let mask = tcp.get(attributes::FLAGS_MASK);
        let set = tcp.get(attributes::FLAGS_SET);
        let invert = tcp.get(attributes::FLAGS_INVERT);
        let numbers = (
            mask.and_then(|attribute| attribute.u8()),
            set.and_then(|attribute| attribute.u8()),
        );
        match numbers {
            (None, None) if invert.is_none() => Ok(None),
            (Some(mask), Some(set)) if set & !mask == 0 => Ok(Some(Self {
                mask,
                set,
                invert: invert.is_some(),
            })),
            _ => {
                let message = c"flags have a mask, and those that are set are within it";
                let refusal = ExtAckError::new(EINVAL, message);
                Err(set.or(mask).or(invert).map_or(refusal, |at| refusal.at(at)))
            }
        }
    }

    fn encode(&self, message: &mut Message) -> Result {
        message.put_u8(attributes::FLAGS_MASK, self.mask)?;
        message.put_u8(attributes::FLAGS_SET, self.set)?;
        message.put_flag(attributes::FLAGS_INVERT, self.invert)
    }
}

/// Ports and flags of a TCP segment.
#[derive(PartialEq, Eq)]
pub(in crate::rules) struct Tcp {
    ports: Ports,
    flags: Option<FlagsMatch>,
}

impl PacketMatch for Tcp {
    const ATTRIBUTE: u16 = r#match::TCP;

    /// A later fragment has no ports and does not match, but one that would overwrite the flags of the
    /// first is dropped, and so is a header that is cut off, as iptables does.
    #[inline]
    fn matches(&self, packet: &Packet<'_>) -> MatchResult {
        let offset = match packet.transport() {
            Transport::Header { offset, .. } => offset,
            Transport::Fragment { position: 8, .. } => return MatchResult::Drop,
            Transport::Fragment { .. } | Transport::Malformed => return MatchResult::Mismatch,
        };
        let Some(header) = packet.read::<TCP_HEADER_LENGTH>(offset) else {
            return MatchResult::Drop;
        };
        let agrees = self.ports.matches(&header)
            && (self.flags.as_ref()).is_none_or(|flags| flags.matches(header[FLAGS_OFFSET]));
        MatchResult::from(agrees)
    }

    fn pattern(&self) -> Pattern {
        self.ports.pattern()
    }

    fn is_pattern_all(&self) -> bool {
        self.ports.is_pattern_all() && self.flags.is_none()
    }

    fn decode<'a>(
        attribute: Attribute<'a>,
        surroundings: &Surroundings<'_>,
        _resources: &mut Resources<'_>,
    ) -> NetlinkResult<'a, Self> {
        Ok(Self {
            ports: Ports::decode(attribute.nested(), surroundings.header, IPPROTO_TCP)?,
            flags: FlagsMatch::decode(attribute.nested())?,
        })
    }

    fn encode(&self, message: &mut Message) -> Result {
        message.nest(Self::ATTRIBUTE, |message| {
            self.ports.encode(message)?;
            match &self.flags {
                Some(flags) => flags.encode(message),
                None => Ok(()),
            }
        })
    }
}
