// SPDX-License-Identifier: GPL-2.0

//! Policies of built-in chains, for each IP version.

use super::{family::Family, rule::Counters};
use crate::netlink::spec::Verdict;

/// The policy for one IP version, or for both where they are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) verdict: Verdict,
    /// The packets that it decided.
    pub(crate) counters: Counters,
}

/// The policies of a built-in chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Policies {
    pub(crate) ipv4: Policy,
    pub(crate) ipv6: Policy,
}

impl Policies {
    /// The same policy for both. All packets count for IPv4.
    pub(crate) fn both(verdict: Verdict, counters: Counters) -> Self {
        let ipv6 = Policy {
            verdict,
            counters: Counters::default(),
        };
        let ipv4 = Policy { verdict, counters };
        Self { ipv4, ipv6 }
    }

    pub(crate) fn of(&self, family: Family) -> Policy {
        match family {
            Family::Ipv4 => self.ipv4,
            Family::Ipv6 => self.ipv6,
        }
    }

    pub(crate) fn of_mut(&mut self, family: Family) -> &mut Policy {
        match family {
            Family::Ipv4 => &mut self.ipv4,
            Family::Ipv6 => &mut self.ipv6,
        }
    }

    /// The counters of both together.
    pub(crate) fn counters(&self) -> Counters {
        let (one, other) = (self.ipv4.counters, self.ipv6.counters);
        Counters {
            packets: one.packets.wrapping_add(other.packets),
            bytes: one.bytes.wrapping_add(other.bytes),
        }
    }

    /// The verdict of both, if it is the same.
    pub(crate) fn common(&self) -> Option<Verdict> {
        (self.ipv4.verdict == self.ipv6.verdict).then_some(self.ipv4.verdict)
    }

    /// The policies to show for a family or for both; one for both if they are the same.
    pub(crate) fn shown(&self, family: Option<Family>) -> Vec<(Option<Family>, Policy)> {
        let of = |family| (Some(family), self.of(family));
        match (family, self.common()) {
            (Some(family), _) => vec![of(family)],
            (None, Some(verdict)) => {
                let counters = self.counters();
                vec![(None, Policy { verdict, counters })]
            }
            (None, None) => vec![of(Family::Ipv4), of(Family::Ipv6)],
        }
    }
}
