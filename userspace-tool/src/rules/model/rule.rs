// SPDX-License-Identifier: GPL-2.0

//! A rule, as the kernel knows it.

use std::rc::Rc;

use super::{address::Network, extension::Extension, family::Family};
use crate::{fields::Negatable, netlink::spec::Verdict, text::number};

/// Packets and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
}

impl Counters {
    pub(crate) fn parse(packets: &str, bytes: &str) -> Option<Self> {
        let (packets, bytes) = number(packets).zip(number(bytes))?;
        Some(Self { packets, bytes })
    }
}

/// A packet matches a rule if it agrees with everything that is present.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rule {
    pub(crate) family: Option<Family>,
    pub(crate) protocol: Option<Negatable<u8>>,
    pub(crate) source: Option<Negatable<Network>>,
    pub(crate) destination: Option<Negatable<Network>>,
    pub(crate) in_interface: Option<Negatable<String>>,
    pub(crate) out_interface: Option<Negatable<String>>,
    /// Whether a packet has to be a fragment other than the first, or must not be one.
    pub(crate) fragment: Option<bool>,
    pub(crate) matches: Vec<Rc<dyn Extension>>,
    pub(crate) target: Option<Rc<dyn Extension>>,
    pub(crate) counters: Counters,
}

impl Rule {
    /// Whether it drops what matches, without an answer.
    pub(crate) fn drops(&self) -> bool {
        let target = self.target.as_deref().map(|target| target.as_any());
        target.and_then(|target| target.downcast_ref()) == Some(&Verdict::Drop)
    }

    /// The family that follows from the rule's addresses, protocol, matches and target.
    pub(crate) fn implied_family(&self) -> Option<Family> {
        let addresses = [&self.source, &self.destination];
        let by_address = addresses
            .into_iter()
            .flatten()
            .map(|network| network.value.family());
        let by_protocol = self
            .protocol
            .filter(|protocol| !protocol.inverted)
            .and_then(|protocol| super::protocol::family(protocol.value));
        let extensions = || self.matches.iter().chain(&self.target);
        by_address
            .into_iter()
            .next()
            .or(by_protocol)
            .or_else(|| extensions().find_map(|extension| extension.family()))
            .or_else(|| extensions().find_map(|extension| extension.default_family()))
    }

    pub(crate) fn applies_to(&self, family: Option<Family>) -> bool {
        family.is_none() || self.family.is_none() || self.family == family
    }
}
