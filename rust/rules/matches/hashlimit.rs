// SPDX-License-Identifier: GPL-2.0

//! The match `hashlimit`: a limited rate for each address, each port, or both.

use crate::{
    kernel_api::{
        netlink::nest::Text,
        time::jiffies64, //
    },
    packet::has_ports,
    rates::{
        ByteRate,
        Limit,
        PacketRate,
        RateKey,
        RateTable,
        NONE, //
    },
    recent::jiffies,
    rules::prelude::*, //
};

/// The default burst, in packets.
const DEFAULT_BURST: u64 = 5;

/// The greatest burst, in packets (`XT_HASHLIMIT_BURST_MAX`).
const BURST_MAX: u64 = 1_000_000;

/// The default time without packets after which an address is forgotten, in milliseconds, where
/// bytes are counted: without a burst and with one (`XT_HASHLIMIT_BYTE_EXPIRE`).
const BYTE_EXPIRE: (u64, u64) = (15_000, 60_000);

const IPPROTO_ESP: u8 = 50;
const IPPROTO_AH: u8 = 51;
const IPPROTO_NONE: u8 = 59;

nest! {
    /// The rate, and what packets have in common that it is for.
    #[derive(PartialEq, Eq)]
    pub(crate) struct HashlimitAttributes: attribute::hashlimit {
        name: Text = NAME, required c"a hashlimit needs a name";
        packets: Option<u32> = PACKETS, optional;
        /// In seconds.
        period: Option<u32> = PERIOD, optional;
        /// In a second.
        bytes: Option<u64> = BYTES, optional;
        burst: Option<u64> = BURST, optional;
        invert: bool = INVERT, flag;
        by_source: bool = SOURCE, flag;
        by_destination: bool = DESTINATION, flag;
        by_source_port: bool = SOURCE_PORT, flag;
        by_destination_port: bool = DESTINATION_PORT, flag;
        source_prefix: Option<u8> = SOURCE_PREFIX, optional;
        ipv6_source_prefix: Option<u8> = IPV6_SOURCE_PREFIX, optional;
        destination_prefix: Option<u8> = DESTINATION_PREFIX, optional;
        ipv6_destination_prefix: Option<u8> = IPV6_DESTINATION_PREFIX, optional;
        size: Option<u32> = SIZE, optional;
        /// In milliseconds.
        expire: Option<u64> = EXPIRE, optional;
    }
}

impl HashlimitAttributes {
    /// The time without packets after which an address is forgotten, in milliseconds; by default, as
    /// iptables has it.
    fn expire(&self) -> u64 {
        match (self.expire, self.period, self.burst) {
            (Some(expire), ..) => expire,
            (None, Some(period), _) => u64::from(period).wrapping_mul(1000),
            (None, None, None) => BYTE_EXPIRE.0,
            (None, None, Some(_)) => BYTE_EXPIRE.1,
        }
    }

    fn limit<'a>(&self, nest: Attributes<'a>) -> NetlinkResult<'a, Limit> {
        use attribute::hashlimit::*;
        let expiry = jiffies(self.expire()).filter(|&expiry| expiry > 0);
        let expiry = expiry.ok_or_else(|| {
            let message = c"an address is forgotten after 1 ms to 86 days";
            nest.refuse_with(ERANGE, EXPIRE, message)
        })?;
        match (self.packets, self.period, self.bytes) {
            (Some(packets), Some(seconds), None) => {
                let burst = self.burst.unwrap_or(DEFAULT_BURST);
                let burst = u32::try_from(burst).ok().filter(|_| burst <= BURST_MAX);
                let burst = burst.ok_or_else(|| {
                    nest.refuse_with(ERANGE, BURST, c"a burst has at most a million packets")
                })?;
                let rate = PacketRate {
                    packets,
                    seconds,
                    burst,
                };
                Limit::packets(&rate, expiry).ok_or_else(|| {
                    let message = c"more than a million packets a second, or too great a burst";
                    nest.refuse_with(ERANGE, PACKETS, message)
                })
            }
            (None, None, Some(bytes)) => {
                let burst = self.burst.unwrap_or(0);
                Limit::bytes(&ByteRate { bytes, burst }, expiry).ok_or_else(|| {
                    let message = c"too many bytes, or a burst of less than those of a second";
                    nest.refuse_with(ERANGE, BYTES, message)
                })
            }
            _ => {
                let message = c"a hashlimit is for so many packets in a period, or for bytes";
                Err(nest.refuse(PACKETS, message))
            }
        }
    }
}

/// The bits of addresses that count.
struct Masks {
    ipv4: Address,
    ipv6: Address,
}

impl Masks {
    /// `None` if the address is not looked at. `kind` is the attribute of `prefix`.
    fn new<'a>(
        is_looked_at: bool,
        prefix: Option<u8>,
        ipv6: Option<u8>,
        kind: u16,
        context: &DecodeContext<'a, '_>,
    ) -> NetlinkResult<'a, Option<Self>> {
        // With one for IPv6 besides, it is for IPv4.
        let family = context.family.filter(|_| ipv6.is_none());
        context.check_prefix(prefix, family, kind)?;
        if prefix.is_none() && ipv6.is_some() {
            return Err(context.refuse(kind, c"a prefix length of IPv4 is needed as well"));
        }
        let mask = |family, length: Option<u8>| match length {
            None => Address::full_mask(family),
            Some(length) => Address::prefix_mask(length),
        };
        Ok(is_looked_at.then(|| Self {
            ipv4: mask(Family::Ipv4, prefix.map(|length| length.min(IPV4_BITS))),
            ipv6: mask(Family::Ipv6, ipv6.or(prefix)),
        }))
    }

    /// What counts of an address of that family.
    #[inline]
    fn apply(&self, family: Family, address: Address) -> Address {
        match family {
            Family::Ipv4 => address.masked(&self.ipv4),
            Family::Ipv6 => address.masked(&self.ipv6),
        }
    }
}

/// The ports of a packet as xt_hashlimit has them: 0 without any, and the first words of IPsec's
/// headers (`proto_ports_offset`). `None` if they cannot be read, or nothing follows the headers of
/// IPv6 (`ipv6_skip_exthdr`).
fn ports(packet: &Packet<'_>) -> Option<u32> {
    let Transport::Header { protocol, offset } = packet.transport() else {
        return None;
    };
    let offset = match protocol {
        IPPROTO_ESP => offset,
        IPPROTO_AH => offset.wrapping_add(4),
        IPPROTO_NONE if packet.family == Family::Ipv6 => return None,
        _ if has_ports(protocol) => offset,
        _ => return Some(0),
    };
    packet.read(offset).map(u32::from_be_bytes)
}

/// Matches packets at a limited rate for each key.
pub(crate) struct Hashlimit {
    table: Arc<RateTable>,
    limit: Limit,
    /// What counts of the addresses, where they are looked at.
    source: Option<Masks>,
    destination: Option<Masks>,
    /// The bits of both ports that count.
    ports: u32,
    attributes: HashlimitAttributes,
}

impl Hashlimit {
    /// Whether a packet of that family is within its rate.
    #[inline(always)]
    fn is_under(&self, packet: &Packet<'_>, family: Family, ports: u32) -> bool {
        let (source, destination) = (self.source.as_ref(), self.destination.as_ref());
        let key = RateKey {
            family,
            source: source.map_or(NONE, |masks| masks.apply(family, packet.source())),
            destination: destination
                .map_or(NONE, |masks| masks.apply(family, packet.destination())),
            ports,
        };
        (self.table).take(&key, &self.limit, packet.len(), jiffies64())
    }
}

impl PacketMatch for Hashlimit {
    type Attributes = HashlimitAttributes;

    fn new<'a>(
        attributes: HashlimitAttributes,
        context: &mut DecodeContext<'a, '_>,
    ) -> NetlinkResult<'a, Self> {
        use attribute::hashlimit::*;
        let nest = context.nest;
        let name = attributes.name.as_bytes();
        if name.is_empty() {
            return Err(nest.refuse(NAME, c"a hashlimit's name cannot be empty"));
        }
        let limit = attributes.limit(nest)?;
        let source = Masks::new(
            attributes.by_source,
            attributes.source_prefix,
            attributes.ipv6_source_prefix,
            SOURCE_PREFIX,
            context,
        )?;
        let destination = Masks::new(
            attributes.by_destination,
            attributes.destination_prefix,
            attributes.ipv6_destination_prefix,
            DESTINATION_PREFIX,
            context,
        )?;
        let port = |is_looked_at, bits| if is_looked_at { bits } else { 0 };
        let tables = &context.resources.rates;
        let most = tables.limits().entries;
        let size = attributes.size.unwrap_or(most);
        if size > most {
            let message = c"more than the module parameter max_entries allows";
            return Err(nest.refuse_with(ERANGE, SIZE, message));
        }
        let table = tables
            .find_or_create(name, size)
            .map_err(|error| match error {
                ENOSPC => nest.refuse_with(error, NAME, c"there are too many names of hashlimits"),
                _ => error.into(),
            })?;
        Ok(Self {
            table,
            limit,
            source,
            destination,
            ports: port(attributes.by_source_port, 0xffff_0000)
                | port(attributes.by_destination_port, 0xffff),
            attributes,
        })
    }

    fn attributes(&self) -> &HashlimitAttributes {
        &self.attributes
    }

    /// A packet whose ports cannot be read is dropped, as by iptables.
    #[inline(never)]
    fn matches(&self, packet: &Packet<'_>) -> MatchResult {
        let ports = match self.ports {
            0 => 0,
            mask => match ports(packet) {
                Some(ports) => ports & mask,
                None => return MatchResult::Hotdrop,
            },
        };
        // A function for each IP version, since the words of keys differ.
        let is_under = match packet.family {
            Family::Ipv4 => self.is_under(packet, Family::Ipv4, ports),
            Family::Ipv6 => self.is_under(packet, Family::Ipv6, ports),
        };
        MatchResult::from(is_under != self.attributes.invert)
    }

    fn rates(&self) -> Option<&RateTable> {
        Some(&self.table)
    }
}
