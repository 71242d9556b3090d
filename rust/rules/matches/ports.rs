// SPDX-License-Identifier: GPL-2.0

//! Port ranges of TCP and UDP, whose headers have the ports at the same offsets.

use crate::{
    kernel_api::netlink::nest::Group,
    rules::prelude::*, //
};

/// The number of attributes of a range.
const RANGE_ATTRIBUTES: u16 = 3;

/// A range of ports, in host byte order.
#[derive(PartialEq, Eq)]
struct PortMatch {
    first: u16,
    last: u16,
    invert: bool,
}

impl PortMatch {
    #[inline]
    fn matches(&self, port: u16) -> bool {
        (port.wrapping_sub(self.first) <= self.last.wrapping_sub(self.first)) != self.invert
    }

    /// The port, if only one matches.
    fn single(&self) -> Option<u16> {
        (self.first == self.last && !self.invert).then_some(self.first)
    }
}

/// The attributes of the first and last port, and of the inversion.
impl OptionalGroup for PortMatch {
    fn read(nest: Attributes<'_>, kind: u16) -> NetlinkResult<'_, Option<Self>> {
        let [first, last, invert] = nest::kinds(kind);
        match (nest::optional(nest, first)?, nest::optional(nest, last)?) {
            (None, None) if nest.has(invert) => {
                Err(nest.refuse(invert, c"there is no port to invert"))
            }
            (None, None) => Ok(None),
            (Some(start), Some(end)) if start <= end => Ok(Some(Self {
                first: start,
                last: end,
                invert: nest.has(invert),
            })),
            (start, _) => {
                let message = c"a range of ports has a first and a last port";
                Err(nest.refuse(start.map_or(last, |_: u16| first), message))
            }
        }
    }

    fn write(&self, kind: u16, message: &mut Message<'_>) -> Result {
        let [first, last, invert] = nest::kinds(kind);
        message.put_u16(first, self.first)?;
        message.put_u16(last, self.last)?;
        message.put_flag(invert, self.invert)
    }
}

/// The ports of a packet.
#[derive(PartialEq, Eq)]
pub(crate) struct Ports {
    source: Option<PortMatch>,
    destination: Option<PortMatch>,
}

impl Ports {
    /// The message for a rule for another protocol.
    pub(super) const WRONG_PROTOCOL: &'static CStr =
        c"the rule has to be for the protocol whose ports it asks for";

    /// Matches a header that starts with the two ports, as those of TCP and UDP do.
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

    /// Features that every matching packet has.
    pub(super) fn pattern(&self) -> Pattern {
        let single = |range: &Option<PortMatch>| range.as_ref().and_then(PortMatch::single);
        Pattern::ports(single(&self.source), single(&self.destination))
    }

    /// Whether every packet with these features matches. Without a port, a packet still needs a
    /// header, which is no feature.
    pub(super) fn is_pattern_exact(&self) -> bool {
        let is_told = |range: &Option<PortMatch>| {
            (range.as_ref()).is_none_or(|range| range.single().is_some())
        };
        let is_asked = self.source.is_some() || self.destination.is_some();
        is_asked && is_told(&self.source) && is_told(&self.destination)
    }
}

/// The attributes of the source, then those of the destination.
impl Group for Ports {
    fn read(nest: Attributes<'_>, first: u16) -> NetlinkResult<'_, Self> {
        Ok(Self {
            source: Group::read(nest, first)?,
            destination: Group::read(nest, first.wrapping_add(RANGE_ATTRIBUTES))?,
        })
    }

    fn write(&self, first: u16, message: &mut Message<'_>) -> Result {
        self.source.write(first, message)?;
        let first = first.wrapping_add(RANGE_ATTRIBUTES);
        self.destination.write(first, message)
    }
}
