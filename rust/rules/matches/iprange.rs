// SPDX-License-Identifier: GPL-2.0

//! The match `iprange`: ranges of addresses.

use crate::rules::prelude::*;

/// A range of addresses, both ends included.
#[derive(PartialEq, Eq)]
struct AddressRange {
    family: Family,
    first: Address,
    last: Address,
    invert: bool,
}

/// The words of an address in host byte order, the most significant one first.
#[inline]
fn ordered(address: &Address) -> [u32; 4] {
    address.words().map(u32::from_be)
}

impl AddressRange {
    #[inline]
    fn matches(&self, address: &Address) -> bool {
        let range = ordered(&self.first)..=ordered(&self.last);
        range.contains(&ordered(address)) != self.invert
    }
}

/// The attributes of the first and the last address, and of the inversion.
impl OptionalGroup for AddressRange {
    fn read(nest: Attributes<'_>, first_kind: u16) -> NetlinkResult<'_, Option<Self>> {
        let [_, last_kind, invert] = nest::kinds(first_kind);
        let Some((family, first)) = nest::optional(nest, first_kind)? else {
            let mut rest = [last_kind, invert].into_iter();
            return match rest.find(|kind| nest.has(*kind)) {
                Some(kind) => Err(nest.refuse(kind, c"a range has a first address")),
                None => Ok(None),
            };
        };
        let last: Option<(Family, Address)> = nest::optional(nest, last_kind)?;
        let (last_family, last) = last.unwrap_or((family, first));
        if last_family != family {
            return Err(nest.refuse(last_kind, c"both ends of a range are of one IP version"));
        }
        if ordered(&first) > ordered(&last) {
            return Err(nest.refuse(last_kind, c"the range of addresses ends before it starts"));
        }
        Ok(Some(Self {
            family,
            first,
            last,
            invert: nest.has(invert),
        }))
    }

    fn write(&self, kind: u16, message: &mut Message<'_>) -> Result {
        let [first, last, invert] = nest::kinds(kind);
        (self.family, self.first).write(first, message)?;
        (self.family, self.last).write(last, message)?;
        message.put_flag(invert, self.invert)
    }
}

nest! {
    /// Ranges of addresses.
    #[derive(PartialEq, Eq)]
    pub(crate) struct Iprange: attribute::iprange {
        source: Option<AddressRange> = SOURCE_FIRST, group;
        destination: Option<AddressRange> = DESTINATION_FIRST, group;
    }
}

impl PacketMatch for Iprange {
    type Attributes = Self;

    fn new<'a>(iprange: Self, context: &mut DecodeContext<'a, '_>) -> NetlinkResult<'a, Self> {
        use attribute::iprange::*;
        let mut family = context.family;
        for (range, kind) in [
            (&iprange.source, SOURCE_FIRST),
            (&iprange.destination, DESTINATION_FIRST),
        ] {
            let Some(range) = range else { continue };
            if *family.get_or_insert(range.family) != range.family {
                return Err(context.refuse(kind, c"the range is not of the rule's IP version"));
            }
        }
        if iprange.source.is_none() && iprange.destination.is_none() {
            return Err(ExtAckError::new(EINVAL, c"an iprange match needs a range"));
        }
        Ok(iprange)
    }

    fn attributes(&self) -> &Self {
        self
    }

    /// A packet of the other IP version does not match, inverted or not.
    #[inline(never)]
    fn matches(&self, packet: &Packet<'_>) -> MatchResult {
        let agrees = |range: &Option<AddressRange>, address| {
            (range.as_ref())
                .is_none_or(|range| range.family == packet.family && range.matches(&address))
        };
        MatchResult::from(
            agrees(&self.source, packet.source())
                && agrees(&self.destination, packet.destination()),
        )
    }
}
