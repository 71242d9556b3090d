// SPDX-License-Identifier: GPL-2.0

//! The match `iprange`: ranges of addresses.

use crate::rules::{
    address_range::AddressRange,
    prelude::*, //
};

/// A range of addresses, or all others of the family.
#[derive(PartialEq, Eq)]
struct InvertibleRange {
    addresses: AddressRange,
    invert: bool,
}

/// The attributes of the first and the last address, and of the inversion.
impl OptionalGroup for InvertibleRange {
    fn read(nest: Attributes<'_>, first_kind: u16) -> NetlinkResult<'_, Option<Self>> {
        let [_, _, invert_kind] = nest::kinds(first_kind);
        let invert = nest.has(invert_kind);
        match AddressRange::read(nest, first_kind)? {
            Some(addresses) => Ok(Some(Self { addresses, invert })),
            None if invert => Err(nest.refuse(invert_kind, c"a range has a first address")),
            None => Ok(None),
        }
    }

    fn write(&self, kind: u16, message: &mut Message<'_>) -> Result {
        let [_, _, invert] = nest::kinds(kind);
        self.addresses.write(kind, message)?;
        message.put_flag(invert, self.invert)
    }
}

nest! {
    /// Ranges of addresses.
    #[derive(PartialEq, Eq)]
    pub(crate) struct Iprange: attribute::iprange {
        source: Option<InvertibleRange> = SOURCE_FIRST, group;
        destination: Option<InvertibleRange> = DESTINATION_FIRST, group;
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
            let own = range.addresses.family;
            if *family.get_or_insert(own) != own {
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
        let agrees = |range: &Option<InvertibleRange>, address| {
            range.as_ref().is_none_or(|range| {
                range.addresses.family == packet.family
                    && range.addresses.contains(&address) != range.invert
            })
        };
        MatchResult::from(
            agrees(&self.source, packet.source())
                && agrees(&self.destination, packet.destination()),
        )
    }
}
