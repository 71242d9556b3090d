// SPDX-License-Identifier: GPL-2.0

//! The rules that protect one port.

use std::net::IpAddr;

use super::endpoint::Endpoint;
use crate::rules::{Chain, Family, Rule, Synproxy};

/// A rule with the target SYNPROXY and one destination port.
pub(super) struct Protection<'a> {
    pub(super) position: u32,
    pub(super) rule: &'a Rule,
    pub(super) port: u16,
    pub(super) synproxy: &'a Synproxy,
}

/// All of them, in order.
pub(super) fn protections(chains: &[Chain]) -> impl Iterator<Item = Protection<'_>> {
    let rules = chains.iter().flat_map(|chain| &chain.rules);
    rules.filter_map(|(position, rule)| {
        let mut ports = rule.matches.iter().filter_map(|one| one.destination_port());
        Some(Protection {
            position: *position,
            rule,
            port: ports.next()?,
            synproxy: rule.target.as_deref()?.as_any().downcast_ref()?,
        })
    })
}

impl Protection<'_> {
    /// Whether it is for exactly this endpoint.
    pub(super) fn is_for(&self, endpoint: Endpoint) -> bool {
        let destination = self.rule.destination.as_ref();
        let same_address = match (destination, endpoint.address) {
            (None, None) => self.rule.family.is_none(),
            (Some(network), Some(address)) => {
                let value = &network.value;
                !network.inverted && value.is_host() && value.address() == address
            }
            _ => false,
        };
        same_address && self.port == endpoint.port
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
        port == self.port && of_family && inside
    }
}
