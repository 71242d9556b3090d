// SPDX-License-Identifier: GPL-2.0

//! Ranges of ports, which TCP and UDP have at the same place of their headers.

use crate::{
    kernel_api::{
        extended_ack::{
            ExtAckError,
            NetlinkResult, //
        },
        message::Message,
        netlink::Attributes, //
    },
    packet::Pattern,
    rules::header::HeaderMatch,
    spec::attribute::ports as attributes, //
};
use core::ops::RangeInclusive;
use kernel::prelude::*;

/// A range of ports, in host byte order.
#[derive(PartialEq, Eq)]
struct PortRange {
    ports: RangeInclusive<u16>,
    invert: bool,
}

impl PortRange {
    #[inline]
    fn matches(&self, port: u16) -> bool {
        // One comparison, and none of whether the range was used up, which it never is.
        let (first, last) = (*self.ports.start(), *self.ports.end());
        (port.wrapping_sub(first) <= last.wrapping_sub(first)) != self.invert
    }

    /// The port, if there is only one that matches.
    fn single(&self) -> Option<u16> {
        let (first, last) = (*self.ports.start(), *self.ports.end());
        (first == last && !self.invert).then_some(first)
    }

    /// `kind` is the attribute of the range's start; those of its end and of the inversion follow it.
    fn decode<'a>(ports: Attributes<'a>, kind: u16) -> NetlinkResult<'a, Option<Self>> {
        let first = ports.get(kind);
        let last = ports.get(kind.wrapping_add(1));
        let invert = ports.get(kind.wrapping_add(2));
        let start = first.and_then(|attribute| attribute.u16());
        let end = last.and_then(|attribute| attribute.u16());
        match (start, end) {
            (None, None) => match invert {
                Some(invert) => {
                    Err(ExtAckError::new(EINVAL, c"there is no port to invert").at(invert))
                }
                None => Ok(None),
            },
            (Some(start), Some(end)) if start <= end => Ok(Some(Self {
                ports: start..=end,
                invert: invert.is_some(),
            })),
            _ => {
                let refusal =
                    ExtAckError::new(EINVAL, c"a range of ports has a first and a last port");
                Err(first.or(last).map_or(refusal, |at| refusal.at(at)))
            }
        }
    }

    fn encode(&self, first: u16, message: &mut Message) -> Result {
        message.put_u16(first, *self.ports.start())?;
        message.put_u16(first.wrapping_add(1), *self.ports.end())?;
        message.put_flag(first.wrapping_add(2), self.invert)
    }
}

/// The ports of a packet.
#[derive(PartialEq, Eq)]
pub(super) struct Ports {
    source: Option<PortRange>,
    destination: Option<PortRange>,
}

impl Ports {
    /// Looks at a header that begins with the two ports, as those of TCP and UDP do.
    #[inline]
    pub(super) fn matches(&self, header: &[u8]) -> bool {
        let Some(&[s0, s1, d0, d1]) = header.first_chunk() else {
            return false;
        };
        let source = u16::from_be_bytes([s0, s1]);
        let destination = u16::from_be_bytes([d0, d1]);
        self.source
            .as_ref()
            .is_none_or(|range| range.matches(source))
            && (self.destination.as_ref()).is_none_or(|range| range.matches(destination))
    }

    /// The features that all packets have that it matches.
    pub(super) fn pattern(&self) -> Pattern {
        let single = |range: &Option<PortRange>| range.as_ref().and_then(PortRange::single);
        Pattern::ports(single(&self.source), single(&self.destination))
    }

    /// Whether all packets match that have these features. Without a port, a packet has to have a header,
    /// which is none of them.
    pub(super) fn is_pattern_all(&self) -> bool {
        let is_told = |range: &Option<PortRange>| {
            (range.as_ref()).is_none_or(|range| range.single().is_some())
        };
        let is_asked = self.source.is_some() || self.destination.is_some();
        is_asked && is_told(&self.source) && is_told(&self.destination)
    }

    /// For a rule whose packets are all of that protocol.
    pub(super) fn decode<'a>(
        ports: Attributes<'a>,
        header: &HeaderMatch,
        protocol: u8,
    ) -> NetlinkResult<'a, Self> {
        if header.protocol() != Some(protocol) {
            let message = c"the rule has to be for the protocol whose ports it asks for";
            return Err(ExtAckError::new(EINVAL, message));
        }
        Ok(Self {
            source: PortRange::decode(ports, attributes::SOURCE_FIRST)?,
            destination: PortRange::decode(ports, attributes::DESTINATION_FIRST)?,
        })
    }

    pub(super) fn encode(&self, message: &mut Message) -> Result {
        if let Some(source) = &self.source {
            source.encode(attributes::SOURCE_FIRST, message)?;
        }
        match &self.destination {
            Some(destination) => destination.encode(attributes::DESTINATION_FIRST, message),
            None => Ok(()),
        }
    }
}
