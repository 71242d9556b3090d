// SPDX-License-Identifier: GPL-2.0

//! The IP version that a rule or a policy is for.

use crate::{
    packet::Family,
    spec, //
};

/// The IP version that a netlink attribute carried, if it is one.
pub(crate) fn from_number(number: u32) -> Option<Family> {
    Some(match spec::Family::from_number(number)? {
        spec::Family::Ipv4 => Family::Ipv4,
        spec::Family::Ipv6 => Family::Ipv6,
    })
}

/// What a netlink attribute carries for it.
pub(crate) fn number(family: Family) -> u32 {
    match family {
        Family::Ipv4 => spec::Family::Ipv4,
        Family::Ipv6 => spec::Family::Ipv6,
    }
    .number()
}

/// The one that it is not.
pub(crate) fn other(family: Family) -> Family {
    match family {
        Family::Ipv4 => Family::Ipv6,
        Family::Ipv6 => Family::Ipv4,
    }
}

/// Whether what is for `own`, or for both if that is none, is for `family` among others.
pub(crate) fn includes(own: Option<Family>, family: Family) -> bool {
    own.is_none_or(|own| own == family)
}
