// SPDX-License-Identifier: GPL-2.0

//! A rule: matches, a target, and counters.

use super::{
    chains::LongestNames,
    context::{
        Resources,
        Site, //
    },
    header::HeaderMatch,
    matches::Match,
    targets::Target, //
};
use crate::{
    kernel_api::{
        netfilter::kernel_synproxy,
        netlink::message,
        sync::counters::{
            Counters,
            Totals, //
        },
    },
    rates::RateTable,
    rules::prelude::*,
    spec::{
        attribute::rule as attributes,
        RULE_LENGTH_MAX, //
    },
};

/// The specification of a rule.
pub(crate) struct RuleSpec {
    header: HeaderMatch,
    matches: KVec<Match>,
    /// Whether the rule's pattern says everything about the first of them.
    is_first_covered: bool,
    target: Option<Target>,
}

impl RuleSpec {
    /// Decodes it from the attribute set `rule`.
    pub(crate) fn decode<'a>(
        rule: Attributes<'a>,
        site: Site<'_>,
        resources: &mut Resources,
    ) -> NetlinkResult<'a, Self> {
        let header = HeaderMatch::decode(rule, site)?;
        let context = &mut DecodeContext {
            nest: rule,
            site,
            protocol: header.protocol(),
            is_syn: false,
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
            synproxy.record_baseline(|server| {
                let mut patterns = matches.iter().map(Match::pattern);
                header.may_lead_to(server.family, &server.address)
                    && patterns.all(|pattern| pattern.may_lead_to(server.port))
            });
        }
        let is_first_covered = matches.first().is_some_and(Match::is_pattern_exact);
        Ok(Self {
            header,
            matches,
            is_first_covered,
            target,
        })
    }

    /// Features that every matching packet has.
    fn pattern(&self) -> Pattern {
        // What a match does to a list must not depend on later matches: only the first can add
        // features.
        let first = self.matches.first().map(Match::pattern);
        self.header.pattern().and(&first.unwrap_or(Pattern::ANY))
    }

    /// Whether this and `other`, narrowed to the family if there is one, say the same.
    pub(super) fn equals(&self, other: &Self, family: Option<Family>) -> bool {
        let header = match family {
            Some(family) => other.header.narrowed(family),
            None => other.header,
        };
        self.header == header && self.matches == other.matches && self.target == other.target
    }

    /// `family` is the one that the rule is narrowed to; `None` means both.
    fn encode(
        &self,
        family: Option<Family>,
        names: &dyn ChainNames,
        message: &mut Message<'_>,
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

/// A rule of this length in a request takes less than [`RULE_LENGTH_MAX`] in a reply: defaults are
/// spelled out there, which makes it less than eight times as long.
const SHORT_RULE: usize = RULE_LENGTH_MAX as usize / 8;

/// A rule of a chain.
pub(crate) struct Rule {
    /// Its specification.
    pub(super) spec: RuleSpec,
    /// Its counters.
    pub(super) counters: Counters,
    /// The generation of the ruleset that it came with.
    pub(super) generation: u32,
}

impl Rule {
    /// Decodes a rule; its counters start at the given values.
    pub(crate) fn decode<'a>(
        rule: Attributes<'a>,
        site: Site<'_>,
        resources: &mut Resources,
    ) -> NetlinkResult<'a, Self> {
        let spec = RuleSpec::decode(rule, site, resources)?;
        let is_proxy = spec.target.as_ref().is_some_and(Target::needs_synproxy);
        if is_proxy && kernel_synproxy::is_in_use(resources.scope.enter()?.namespace()) {
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

    /// Whether the rule fits into a message, whichever family it is narrowed to and however chains
    /// are renamed.
    fn can_be_listed(&self) -> Result<bool> {
        message::fits(RULE_LENGTH_MAX as usize, |message| {
            self.encode(Some(Family::Ipv6), &LongestNames, message)
        })
    }

    /// Writes the attribute set `rule`. `family` is the one that the rule is narrowed to, `names`
    /// has the names of chains.
    pub(crate) fn encode(
        &self,
        family: Option<Family>,
        names: &dyn ChainNames,
        message: &mut Message<'_>,
    ) -> Result {
        self.spec.encode(family, names, message)?;
        let totals = self.counters.totals();
        message.put_u64(attributes::PACKETS, totals.packets)?;
        message.put_u64(attributes::BYTES, totals.bytes)
    }

    /// How many packets it counts in a list; `None` if it does not use the list.
    pub(crate) fn uses(&self, list: &List) -> Option<u32> {
        self.spec
            .matches
            .iter()
            .filter_map(|one| one.uses(list))
            .max()
    }

    /// The tables of rates that it uses.
    pub(crate) fn rates(&self) -> impl Iterator<Item = &RateTable> {
        self.spec.matches.iter().filter_map(Match::rates)
    }

    /// Whether it needs connection tracking in the namespace.
    pub(super) fn needs_conntrack(&self) -> bool {
        let target = self.spec.target.as_ref();
        self.spec.matches.iter().any(Match::needs_conntrack)
            || target.is_some_and(Target::needs_conntrack)
    }

    /// The chain that it jumps to.
    pub(super) fn destination(&self) -> Option<ChainId> {
        self.target()?.destination()
    }

    /// Which packets its matches and its target can handle.
    pub(super) fn restrictions(&self) -> impl Iterator<Item = &'static Restriction> + '_ {
        let matches = self.spec.matches.iter().filter_map(Match::restriction);
        Iterator::chain(matches, self.target().and_then(Target::restriction))
    }

    /// Its target, if it has one.
    #[inline]
    pub(super) fn target(&self) -> Option<&Target> {
        self.spec.target.as_ref()
    }

    /// Features that every matching packet has.
    pub(super) fn pattern(&self) -> Pattern {
        self.spec.pattern()
    }

    /// Matches a packet that `pattern` admits; that has to be the rule's pattern.
    #[inline(always)]
    pub(super) fn matches_admitted(&self, pattern: &Pattern, packet: &Packet<'_>) -> MatchResult {
        let spec = &self.spec;
        let mut matches = spec.matches.as_slice();
        let is_told = packet.profile.tells(pattern);
        if !is_told || !spec.header.is_pattern_exact() {
            match spec.header.matches(packet) {
                MatchResult::Match => {}
                other => return other,
            }
        }
        if let (true, true, [_, further @ ..]) = (is_told, spec.is_first_covered, matches) {
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
