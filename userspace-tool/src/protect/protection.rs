// SPDX-License-Identifier: GPL-2.0

//! The rules that protect ports.

use std::{fmt, net::IpAddr};

use super::endpoint::Endpoint;
use crate::rules::{Chain, Family, Range, Rule, Synproxy, list_ranges};

/// A rule with the target SYNPROXY.
pub(crate) struct Protection<'a> {
    pub(crate) position: u32,
    pub(crate) rule: &'a Rule,
    pub(crate) ports: Ports,
    pub(crate) synproxy: &'a Synproxy,
}

/// The destination ports of a rule: all of them, or some.
pub(crate) struct Ports(Vec<Range>);

impl Ports {
    /// Those that the rule is for.
    pub(crate) fn of(rule: &Rule) -> Self {
        let mut ports = rule
            .matches
            .iter()
            .filter_map(|one| one.destination_ports());
        Self(ports.next().unwrap_or(vec![Range::ALL]))
    }

    /// The port, if there is only one.
    pub(crate) fn only(&self) -> Option<u16> {
        match self.0.as_slice() {
            [range] => range.only(),
            _ => None,
        }
    }

    fn contains(&self, port: u16) -> bool {
        self.0.iter().any(|range| range.contains(port))
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == [Range::ALL] {
            return out.write_str("any");
        }
        out.write_str(&list_ranges(&self.0))
    }
}

/// All of them, in order.
pub(super) fn protections(chains: &[Chain]) -> impl Iterator<Item = Protection<'_>> {
    let rules = chains.iter().flat_map(|chain| &chain.rules);
    rules.filter_map(|(position, rule)| {
        Some(Protection {
            position: *position,
            rule,
            ports: Ports::of(rule),
            synproxy: rule.target.as_deref()?.as_any().downcast_ref()?,
        })
    })
}

impl Protection<'_> {
    /// Whether it is for exactly this endpoint.
    pub(super) fn is_for(&self, endpoint: Endpoint) -> bool {
        endpoint.is_of(self.rule)
    }

    pub(super) fn comes_in_at(&self, interface: &str) -> bool {
        let own = self.rule.in_interface.as_ref();
        own.is_some_and(|own| !own.inverted && own.value == interface)
    }

    /// Whether it matches packets to this address and port.
    pub(super) fn covers(&self, address: IpAddr, port: u16) -> bool {
        let rule = self.rule;
        let of_family = rule
            .family
            .is_none_or(|family| (family == Family::Ipv4) == address.is_ipv4());
        let destination = rule.destination.as_ref();
        let inside =
            destination.is_none_or(|network| network.value.contains(address) != network.inverted);
        self.ports.contains(port) && of_family && inside
    }
}
