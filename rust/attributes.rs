// SPDX-License-Identifier: GPL-2.0

//! Types of netlink attributes besides numbers, strings and bytes.

use crate::{
    kernel_api::netlink::{
        extended_ack::{
            ExtAckError,
            NetlinkResult, //
        },
        message::Message,
        nest::Payload,
        Attribute, //
    },
    packet::{
        Address,
        Family, //
    },
    spec::{
        self,
        Algorithm,
        ChangeKind,
        Comparison,
        PortsOf,
        RecentKey,
        RecentOperation,
        Table, //
    },
};
use kernel::prelude::*;

macro_rules! one_of {
    ($($name:ty,)*) => {
        $(impl Payload for $name {
            fn read(attribute: Attribute<'_>) -> NetlinkResult<'_, Self> {
                // The policy knows the first and the last number, and not whether there are gaps.
                (attribute.u32().and_then(Self::from_number))
                    .ok_or(ExtAckError::new(EINVAL, c"there is no such value"))
            }

            fn write(&self, kind: u16, message: &mut Message<'_>) -> Result {
                message.put_u32(kind, self.number())
            }
        })*
    };
}

one_of! {
    Algorithm,
    ChangeKind,
    Comparison,
    PortsOf,
    RecentKey,
    RecentOperation,
    Table,
    spec::Verdict,
}

impl Payload for Family {
    fn read(attribute: Attribute<'_>) -> NetlinkResult<'_, Self> {
        (attribute.u32().and_then(Self::from_version))
            .ok_or(ExtAckError::new(EINVAL, c"the family is 4 or 6"))
    }

    fn write(&self, kind: u16, message: &mut Message<'_>) -> Result {
        message.put_u32(kind, self.version())
    }
}

/// An address or a mask; its length tells the family.
impl Payload for (Family, Address) {
    fn read(attribute: Attribute<'_>) -> NetlinkResult<'_, Self> {
        Address::from_bytes(attribute.payload()).ok_or(ExtAckError::new(
            EINVAL,
            c"addresses and masks have 4 or 16 bytes",
        ))
    }

    fn write(&self, kind: u16, message: &mut Message<'_>) -> Result {
        let (family, address) = self;
        let (bytes, length) = address.to_bytes(*family);
        message.put(kind, bytes.get(..length).ok_or(EINVAL)?)
    }
}
