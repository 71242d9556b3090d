// SPDX-License-Identifier: GPL-2.0

//! IP versions.

pub(crate) use crate::netlink::spec::Family;

impl Family {
    /// The one that was given; none if neither was, or both were.
    pub(crate) fn only(ipv4: bool, ipv6: bool) -> Option<Self> {
        match (ipv4, ipv6) {
            (true, false) => Some(Self::Ipv4),
            (false, true) => Some(Self::Ipv6),
            _ => None,
        }
    }

    pub(crate) fn other(self) -> Self {
        match self {
            Self::Ipv4 => Self::Ipv6,
            Self::Ipv6 => Self::Ipv4,
        }
    }

    /// Its name in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ipv4 => "IPv4",
            Self::Ipv6 => "IPv6",
        }
    }

    /// The option that stands for it.
    pub(crate) fn option(self) -> &'static str {
        match self {
            Self::Ipv4 => "-4",
            Self::Ipv6 => "-6",
        }
    }
}
