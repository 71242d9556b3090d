// SPDX-License-Identifier: GPL-2.0

//! The match `multiport`: several ports at once.

use crate::{
    packet::has_ports,
    rules::prelude::*,
    spec::{
        PortsOf,
        PORT_RANGES_MAX, //
    },
};

nest! {
    /// A range of ports, in host byte order.
    #[derive(PartialEq, Eq)]
    pub(crate) struct PortRange: attribute::port_range {
        first: u16 = FIRST, required c"a range of ports has a first port";
        /// `None` in a request stands for the first.
        last: Option<u16> = LAST, optional;
    }
}

nest! {
    /// Several ports at once.
    #[derive(PartialEq, Eq)]
    pub(crate) struct Multiport: attribute::multiport {
        ports_of: PortsOf = PORTS_OF,
            required c"a multiport match is for source ports, destination ports or either";
        ranges: KVec<PortRange> = RANGE, each;
        invert: bool = INVERT, flag;
    }
}

impl Multiport {
    #[inline]
    fn has(&self, port: u16) -> bool {
        (self.ranges.iter()).any(|range| range.first <= port && range.last >= Some(port))
    }
}

impl PacketMatch for Multiport {
    type Attributes = Self;

    fn new<'a>(
        mut multiport: Self,
        context: &mut DecodeContext<'a, '_>,
    ) -> NetlinkResult<'a, Self> {
        if !context.protocol.is_some_and(has_ports) {
            let message = c"the rule has to be for a protocol that has ports";
            return Err(ExtAckError::new(EINVAL, message));
        }
        let refuse = |message| Err(context.refuse(attribute::multiport::RANGE, message));
        if multiport.ranges.len() > PORT_RANGES_MAX as usize {
            return refuse(c"a multiport match has at most 15 ranges");
        }
        if multiport.ranges.is_empty() {
            return refuse(c"a multiport match needs a port");
        }
        for range in &mut multiport.ranges {
            if *range.last.get_or_insert(range.first) < range.first {
                return refuse(c"the range of ports ends before it starts");
            }
        }
        Ok(multiport)
    }

    fn attributes(&self) -> &Self {
        self
    }

    /// A later fragment has no ports and does not match, inverted or not; a packet whose ports are
    /// truncated is dropped, as by iptables.
    #[inline(never)]
    fn matches(&self, packet: &Packet<'_>) -> MatchResult {
        let Transport::Header { .. } = packet.transport() else {
            return MatchResult::Mismatch;
        };
        let Some((source, destination)) = packet.ports() else {
            return MatchResult::Hotdrop;
        };
        let agrees = match self.ports_of {
            PortsOf::Source => self.has(source),
            PortsOf::Destination => self.has(destination),
            PortsOf::Either => self.has(source) || self.has(destination),
        };
        MatchResult::from(agrees != self.invert)
    }
}
