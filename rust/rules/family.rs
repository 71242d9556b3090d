// SPDX-License-Identifier: GPL-2.0

//! The family that a rule or policy is for.

use crate::{
    rules::prelude::*,
    spec, //
};

/// The family from a netlink attribute, if it is valid.
pub(crate) fn from_number(number: u32) -> Option<Family> {
    Some(match spec::Family::from_number(number)? {
        spec::Family::Ipv4 => Family::Ipv4,
        spec::Family::Ipv6 => Family::Ipv6,
    })
}

/// The value of a netlink attribute for the family.
pub(crate) fn number(family: Family) -> u32 {
    match family {
        Family::Ipv4 => spec::Family::Ipv4,
        Family::Ipv6 => spec::Family::Ipv6,
    }
    .number()
}

/// The other family.
pub(crate) fn other(family: Family) -> Family {
    match family {
        Family::Ipv4 => Family::Ipv6,
        Family::Ipv6 => Family::Ipv4,
    }
}

/// Whether something for `own`, or for both families if that is `None`, is for `family`.
pub(crate) fn includes(own: Option<Family>, family: Family) -> bool {
    own.is_none_or(|own| own == family)
}
