// SPDX-License-Identifier: GPL-2.0

//! A rule: what it asks of a packet, what it does then, and what it counted.

use super::{
    chains::{
        ChainId,
        ChainNames,
        LongestNames, //
    },
    context::{
        DecodeContext,
        Resources,
        Site, //
    },
    header::HeaderMatch,
    matches::{
        Match,
        MatchResult, //
    },
    targets::{
        Restriction,
        Target, //
    },
};
use crate::{
    kernel_api::{
        netfilter::kernel_synproxy,
        netlink::{
            extended_ack::{
                ExtAckError,
                NetlinkResult, //
            },
            message::{
                self,
                Message, //
            },
            Attributes, //
        },
        sync::counters::{
            Counters,
            Totals, //
        },
    },
    packet::{
        Family,
        Packet,
        Pattern, //
    },
    recent::List,
    spec::{
        attribute::rule as attributes,
        RULE_LENGTH_MAX, //
    },
};
use kernel::prelude::*;

/// What a rule says.
pub(crate) struct RuleSpec {
    header: HeaderMatch,
    matches: KVec<Match>,
    /// Whether the rule's pattern says all that the first of them asks for.
    is_first_told: bool,
    target: Option<Target>,
}

impl RuleSpec {
    /// Makes it from the attributes of the set `rule`.
    pub(crate) fn decode<'a>(
        rule: Attributes<'a>,
        site: Site<'_>,
        resources: &mut Resources<'_>,
    ) -> NetlinkResult<'a, Self> {
        let header = HeaderMatch::decode(rule, site)?;
        let context = &mut DecodeContext {
            site,
            protocol: header.protocol(),
            family: header.family(),
            resources,
        };
        let mut matches = KVec::new();
        for attribute in rule.filter(|attribute| attribute.kind() == attributes::MATCH) {
            let one = Match::decode(attribute, context)?;
            matches.push(one, GFP_KERNEL_ACCOUNT)?;
        }
        let mut target = rule
            .get(attributes::TARGET)
            .map(|attribute| Target::decode(attribute, context))
            .transpose()?;
        if let Some(Target::Synproxy(synproxy)) = &mut target {
            synproxy.note_past(|server| {
                let mut patterns = matches.iter().map(Match::pattern);
                header.may_lead_to(server.family, &server.address)
                    && patterns.all(|pattern| pattern.may_lead_to(server.port))
            });
        }
        let is_first_told = matches.first().is_some_and(Match::is_pattern_all);
        Ok(Self {
            header,
            matches,
            is_first_told,
            target,
        })
    }

    /// The features that all matching packets have.
    fn pattern(&self) -> Pattern {
        // What a match does to a list must not depend on those behind it: only the first can say more.
        let first = self.matches.first().map(Match::pattern);
        self.header.pattern().and(&first.unwrap_or(Pattern::ANY))
    }

    /// Whether a rule says the same that says `other` and is left to packets of that IP version.
    pub(super) fn is_said_by(&self, other: &Self, family: Option<Family>) -> bool {
        let header = match family {
            Some(family) => other.header.narrowed(family),
            None => other.header,
        };
        self.header == header && self.matches == other.matches && self.target == other.target
    }

    /// The family is the one that the rule is left to, if it is not for both.
    fn encode(
        &self,
        family: Option<Family>,
        names: &dyn ChainNames,
        message: &mut Message,
    ) -> Result {
        match family {
            Some(family) => self.header.narrowed(family).encode(message)?,
            None => self.header.encode(message)?,
        }
        for one in &self.matches {
            message.nest(attributes::MATCH, |message| one.encode(message))?;
        }
        match &self.target {
            Some(target) => {
                message.nest(attributes::TARGET, |message| target.encode(names, message))
            }
            None => Ok(()),
        }
    }
}

/// A rule that takes up no more in a request takes up less than [`RULE_LENGTH_MAX`] in an answer: what it did not say is
/// said there, but that is less than eight times as much.
const SHORT_RULE: usize = RULE_LENGTH_MAX as usize / 8;

/// A rule of a chain.
pub(crate) struct Rule {
    spec: RuleSpec,
    counters: Counters,
    /// The ruleset that it came with.
    generation: u32,
}

impl Rule {
    /// Makes a rule whose counters start where its attributes say.
    pub(crate) fn decode<'a>(
        rule: Attributes<'a>,
        site: Site<'_>,
        resources: &mut Resources<'_>,
    ) -> NetlinkResult<'a, Self> {
        let spec = RuleSpec::decode(rule, site, resources)?;
        let is_proxy = spec.target.as_ref().is_some_and(Target::needs_synproxy);
        if is_proxy && kernel_synproxy::is_in_use(resources.namespace) {
            // Each would take the other's connections for its own.
            let message = c"SYNPROXY of iptables or nftables is in use: remove its rules first";
            let refusal = ExtAckError::new(EBUSY, message);
            let target = rule.get(attributes::TARGET);
            return Err(target.map_or(refusal, |target| refusal.at(target)));
        }
        let counters = Counters::new()?;
        let number = |kind| rule.get(kind).and_then(|attribute| attribute.u64());
        counters.set(Totals {
            packets: number(attributes::PACKETS).unwrap_or(0),
            bytes: number(attributes::BYTES).unwrap_or(0),
        });
        let this = Self {
            spec,
            counters,
            generation: site.generation,
        };
        if rule.length() > SHORT_RULE && !this.can_be_listed()? {
            let message =
                c"the rule is too long: it can have 15872 bytes in a netlink message, split it";
            return Err(ExtAckError::new(EMSGSIZE, message));
        }
        Ok(this)
    }

    /// Whether the rule, whichever IP version it is left to and however chains are renamed, fits into a message.
    fn can_be_listed(&self) -> Result<bool> {
        message::fits(RULE_LENGTH_MAX as usize, |message| {
            self.encode(Some(Family::Ipv6), &LongestNames, message)
        })
    }

    /// Writes the attributes of the set `rule`, of a rule that is left to packets of that IP version, or to all, where
    /// chains have these names.
    pub(crate) fn encode(
        &self,
        family: Option<Family>,
        names: &dyn ChainNames,
        message: &mut Message,
    ) -> Result {
        self.spec.encode(family, names, message)?;
        let totals = self.counters.totals();
        message.put_u64(attributes::PACKETS, totals.packets)?;
        message.put_u64(attributes::BYTES, totals.bytes)
    }

    /// What it says.
    pub(crate) fn spec(&self) -> &RuleSpec {
        &self.spec
    }

    /// What it counted.
    #[inline(always)]
    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The generation of the ruleset that it came with.
    pub(super) fn generation(&self) -> u32 {
        self.generation
    }

    /// How many packets it counts in a list, if it refers to the list.
    pub(crate) fn uses(&self, list: &List) -> Option<u32> {
        self.spec
            .matches
            .iter()
            .filter_map(|one| one.uses(list))
            .max()
    }

    /// Whether connection tracking has to see the packets of the namespace for it.
    pub(super) fn needs_conntrack(&self) -> bool {
        let target = self.spec.target.as_ref();
        self.spec.matches.iter().any(Match::needs_conntrack)
            || target.is_some_and(Target::needs_conntrack)
    }

    /// Whether SYNPROXY has to be at work in the namespace for it.
    pub(super) fn needs_synproxy(&self) -> bool {
        self.target().is_some_and(Target::needs_synproxy)
    }

    /// The chain that it leads to.
    pub(super) fn destination(&self) -> Option<ChainId> {
        self.target()?.destination()
    }

    /// Which packets its target can work on, if that does not work on all.
    pub(super) fn restriction(&self) -> Option<&'static Restriction> {
        self.target()?.restriction()
    }

    /// What is done with a packet that matches; nothing where there is no target.
    #[inline(always)]
    pub(super) fn target(&self) -> Option<&Target> {
        self.spec.target.as_ref()
    }

    /// The features that all packets have that it matches.
    pub(super) fn pattern(&self) -> Pattern {
        self.spec.pattern()
    }

    /// Looks at a packet that the pattern admits, which has to be the rule's.
    #[inline(always)]
    pub(super) fn matches_admitted(&self, pattern: &Pattern, packet: &Packet<'_>) -> MatchResult {
        let spec = &self.spec;
        let mut matches = spec.matches.as_slice();
        let is_told = packet.profile.tells(pattern);
        if !is_told || !spec.header.is_pattern_all() {
            match spec.header.matches(packet) {
                MatchResult::Match => {}
                other => return other,
            }
        }
        if let (true, true, [_, further @ ..]) = (is_told, spec.is_first_told, matches) {
            matches = further;
        }
        while let [one, further @ ..] = matches {
            match one.matches(packet) {
                MatchResult::Match => matches = further,
                other => return other,
            }
        }
        MatchResult::Match
    }
}
