// SPDX-License-Identifier: GPL-2.0

//! The match `multiport`: several ports at once.

use super::{
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
        netlink::Attribute, //
    },
    packet::{
        has_ports,
        Packet,
        Transport, //
    },
    rules::resources::{
        Resources,
        Surroundings, //
    },
    spec::{
        attribute::{
            multiport as attributes,
            port_range,
            r#match, //
        },
        PortsOf,
        PORT_RANGES_MAX, //
    },
};
use core::ops::RangeInclusive;
use kernel::prelude::*;

/// Several ports at once.
#[derive(PartialEq, Eq)]
pub(in crate::rules) struct Multiport {
    ports_of: PortsOf,
    /// In host byte order.
    ranges: KVec<RangeInclusive<u16>>,
    invert: bool,
}

impl Multiport {
    #[inline]
    fn has(&self, port: u16) -> bool {
        self.ranges.iter().any(|range| range.contains(&port))
    }
}

impl PacketMatch for Multiport {
    const ATTRIBUTE: u16 = r#match::MULTIPORT;

    /// A later fragment has no ports and does not match, inverted or not; one whose ports are cut off is
    /// dropped, as iptables does.
    #[inline(never)]
    fn matches(&self, packet: &Packet<'_>) -> MatchResult {
        let Transport::Header { .. } = packet.transport() else {
            return MatchResult::Mismatch;
        };
        let Some((source, destination)) = packet.ports() else {
            return MatchResult::Drop;
        };
        let agrees = match self.ports_of {
            PortsOf::Source => self.has(source),
            PortsOf::Destination => self.has(destination),
            PortsOf::Either => self.has(source) || self.has(destination),
        };
        MatchResult::from(agrees != self.invert)
    }

    fn decode<'a>(
        attribute: Attribute<'a>,
        surroundings: &Surroundings<'_>,
        _resources: &mut Resources<'_>,
    ) -> NetlinkResult<'a, Self> {
        let multiport = attribute.nested();
        if !surroundings.header.protocol().is_some_and(has_ports) {
            let message = c"the rule has to be for a protocol that has ports";
            return Err(ExtAckError::new(EINVAL, message));
        }
        let ports_of = multiport
            .get(attributes::PORTS_OF)
            .and_then(|attribute| PortsOf::from_number(attribute.u32()?))
            .ok_or(ExtAckError::new(
                EINVAL,
                c"a multiport match is for source ports, destination ports or either",
            ))?;
        let mut ranges = KVec::new();
        for one in multiport.filter(|one| one.kind() == attributes::RANGE) {
            if ranges.len() >= PORT_RANGES_MAX as usize {
                let refusal = ExtAckError::new(E2BIG, c"a multiport match has at most 15 ranges");
                return Err(refusal.at(one));
            }
            ranges.push(decode_range(one)?, GFP_KERNEL_ACCOUNT)?;
        }
        if ranges.is_empty() {
            return Err(ExtAckError::new(EINVAL, c"a multiport match needs a port"));
        }
        Ok(Self {
            ports_of,
            ranges,
            invert: multiport.has(attributes::INVERT),
        })
    }

    fn encode(&self, message: &mut Message) -> Result {
        message.nest(Self::ATTRIBUTE, |message| {
            message.put_u32(attributes::PORTS_OF, self.ports_of.number())?;
            for range in &self.ranges {
                message.nest(attributes::RANGE, |message| {
                    message.put_u16(port_range::FIRST, *range.start())?;
                    message.put_u16(port_range::LAST, *range.end())
                })?;
            }
            message.put_flag(attributes::INVERT, self.invert)
        })
    }
}

fn decode_range(attribute: Attribute<'_>) -> NetlinkResult<'_, RangeInclusive<u16>> {
    let range = attribute.nested();
    let number = |kind| range.get(kind).and_then(|attribute| attribute.u16());
    let refuse = |message| ExtAckError::new(EINVAL, message).at(attribute);
    let first =
        number(port_range::FIRST).ok_or_else(|| refuse(c"a range of ports has a first port"))?;
    let last = number(port_range::LAST).unwrap_or(first);
    if first > last {
        return Err(refuse(c"the range of ports ends before it starts"));
    }
    Ok(first..=last)
}
