// SPDX-License-Identifier: GPL-2.0

//! Source and destination addresses.

use crate::rules::prelude::*;

/// An address with a mask.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct AddressMatch {
    pub(super) family: Family,
    address: Address,
    mask: Address,
    invert: bool,
}

impl AddressMatch {
    #[inline]
    pub(super) fn matches(&self, address: &Address) -> bool {
        (address.masked(&self.mask) == self.address) != self.invert
    }

    /// The address and mask for a [`Pattern`], and whether they say everything.
    pub(super) fn pattern(this: &Option<Self>) -> ((Address, Address), bool) {
        let nothing = Address::new([0; 4]);
        match this {
            Some(this) if !this.invert => {
                let is_all = this.family == Family::Ipv4;
                ((this.address, this.mask), is_all)
            }
            _ => ((nothing, nothing), this.is_none()),
        }
    }
}

/// The attributes of the address, the mask, and the inversion.
impl OptionalGroup for AddressMatch {
    fn read(nest: Attributes<'_>, kind: u16) -> NetlinkResult<'_, Option<Self>> {
        let [_, mask_kind, invert] = nest::kinds(kind);
        let mask = nest::optional::<(Family, Address)>(nest, mask_kind)?;
        let Some((family, address)) = nest::optional(nest, kind)? else {
            return match mask {
                Some(_) => Err(nest.refuse(mask_kind, c"a mask needs an address")),
                None => Ok(None),
            };
        };
        let (mask_family, mask) = mask.unwrap_or((family, Address::full_mask(family)));
        if mask_family != family {
            return Err(nest.refuse(mask_kind, c"a mask is as long as its address"));
        }
        Ok(Some(Self {
            family,
            address: address.masked(&mask),
            mask,
            invert: nest.has(invert),
        }))
    }

    fn write(&self, kind: u16, message: &mut Message<'_>) -> Result {
        let [address, mask, invert] = nest::kinds(kind);
        (self.family, self.address).write(address, message)?;
        (self.family, self.mask).write(mask, message)?;
        message.put_flag(invert, self.invert)
    }
}
