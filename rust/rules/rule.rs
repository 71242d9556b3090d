// SPDX-License-Identifier: GPL-2.0

//! A rule: what it asks of a packet, what it does then, and what it counted.

use super::{
    header::HeaderMatch,
    matches::{
        Match,
        Outcome, //
    },
    resources::Resources,
    targets::Target, //
};
use crate::{
    kernel_api::{
        counters::{
            Counters,
            Totals, //
        },
        extended_ack::Handled,
        message::Message,
        netlink::Attributes, //
    },
    packet::Packet,
    recent::List,
    spec::attribute::rule as attributes, //
};
use kernel::prelude::*;

/// What a rule says: two that are equal say the same.
#[derive(PartialEq)]
pub(crate) struct RuleSpec {
    header: HeaderMatch,
    matches: KVec<Match>,
    target: Option<Target>,
}

impl RuleSpec {
    /// Makes it from the attributes of the set `rule`.
    pub(crate) fn decode<'a>(
        rule: Attributes<'a>,
        resources: &mut Resources<'_>,
    ) -> Handled<'a, Self> {
        let header = HeaderMatch::decode(rule)?;
        let mut matches = KVec::new();
        for attribute in rule.filter(|attribute| attribute.kind() == attributes::MATCH) {
            let one = Match::decode(attribute, &header, resources)?;
            matches.push(one, GFP_KERNEL_ACCOUNT)?;
        }
        let target = rule
            .get(attributes::TARGET)
            .map(Target::decode)
            .transpose()?;
        Ok(Self {
            header,
            matches,
            target,
        })
    }

    fn encode(&self, message: &mut Message) -> Result {
        self.header.encode(message)?;
        for one in &self.matches {
            message.nest(attributes::MATCH, |message| one.encode(message))?;
        }
        match &self.target {
            Some(target) => message.nest(attributes::TARGET, |message| target.encode(message)),
            None => Ok(()),
        }
    }
}

/// A rule of a chain.
pub(crate) struct Rule {
    spec: RuleSpec,
    counters: Counters,
}

impl Rule {
    /// Makes a rule whose counters start where its attributes say.
    pub(crate) fn decode<'a>(
        rule: Attributes<'a>,
        resources: &mut Resources<'_>,
    ) -> Handled<'a, Self> {
        let spec = RuleSpec::decode(rule, resources)?;
        let counters = Counters::new()?;
        let number = |kind| rule.get(kind).and_then(|attribute| attribute.u64());
        counters.set(Totals {
            packets: number(attributes::PACKETS).unwrap_or(0),
            bytes: number(attributes::BYTES).unwrap_or(0),
        });
        Ok(Self { spec, counters })
    }

    /// Writes the attributes of the set `rule`.
    pub(crate) fn encode(&self, message: &mut Message) -> Result {
        self.spec.encode(message)?;
        let totals = self.counters.totals();
        message.put_u64(attributes::PACKETS, totals.packets)?;
        message.put_u64(attributes::BYTES, totals.bytes)
    }

    /// What it says.
    pub(crate) fn spec(&self) -> &RuleSpec {
        &self.spec
    }

    /// What it counted.
    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Whether it refers to a list.
    pub(crate) fn uses(&self, list: &List) -> bool {
        self.spec.matches.iter().any(|one| one.uses(list))
    }

    /// What is done with a packet that matches; nothing where there is no target.
    pub(super) fn target(&self) -> Option<&Target> {
        self.spec.target.as_ref()
    }

    /// Looks at a packet.
    #[inline]
    pub(super) fn matches(&self, packet: &Packet<'_>) -> Outcome {
        let mut outcome = self.spec.header.matches(packet);
        for one in &self.spec.matches {
            if outcome != Outcome::Match {
                break;
            }
            outcome = one.matches(packet);
        }
        outcome
    }
}
