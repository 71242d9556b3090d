// SPDX-License-Identifier: GPL-2.0

//! Ranges of addresses.

use crate::rules::prelude::*;

/// A range of addresses, both ends included.
#[derive(PartialEq, Eq)]
pub(super) struct AddressRange {
    /// The family of both ends.
    pub(super) family: Family,
    /// The lowest address.
    pub(super) first: Address,
    /// The highest address.
    pub(super) last: Address,
}

/// The words of an address in host byte order, the most significant one first.
#[inline]
fn ordered(address: &Address) -> [u32; 4] {
    address.words().map(u32::from_be)
}

impl AddressRange {
    /// Whether an address of the family is in the range.
    #[inline]
    pub(super) fn contains(&self, address: &Address) -> bool {
        (ordered(&self.first)..=ordered(&self.last)).contains(&ordered(address))
    }
}

/// The attributes of the first and the last address.
impl OptionalGroup for AddressRange {
    fn read(nest: Attributes<'_>, first_kind: u16) -> NetlinkResult<'_, Option<Self>> {
        let [_, last_kind] = nest::kinds(first_kind);
        let Some((family, first)) = nest::optional(nest, first_kind)? else {
            return match nest.has(last_kind) {
                true => Err(nest.refuse(last_kind, c"a range has a first address")),
                false => Ok(None),
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
        }))
    }

    fn write(&self, kind: u16, message: &mut Message<'_>) -> Result {
        let [first, last] = nest::kinds(kind);
        (self.family, self.first).write(first, message)?;
        (self.family, self.last).write(last, message)
    }
}
