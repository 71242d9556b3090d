// SPDX-License-Identifier: GPL-2.0

//! What every rule can match: family, protocol, addresses, interfaces and fragments.

mod address;
mod interface;

use super::{
    context::Site,
    prelude::*, //
};
use address::AddressMatch;
use interface::InterfaceMatch;

nest! {
    /// The attributes that every rule can have.
    #[derive(Clone, Copy, PartialEq, Eq)]
    struct HeaderAttributes: attribute::rule {
        family: Option<Family> = FAMILY, optional;
        source: Option<AddressMatch> = SOURCE, group;
        destination: Option<AddressMatch> = DESTINATION, group;
        /// `None` stands for all.
        protocol: Option<u8> = PROTOCOL, optional;
        protocol_invert: bool = PROTOCOL_INVERT, flag;
        in_interface: Option<InterfaceMatch> = IN_INTERFACE, group;
        out_interface: Option<InterfaceMatch> = OUT_INTERFACE, group;
        /// Whether a packet must be a fragment other than the first, or must not.
        fragment: bool = FRAGMENT, flag;
        fragment_invert: bool = FRAGMENT_INVERT, flag;
    }
}

impl HeaderAttributes {
    /// The protocol that all matching packets have, if there is one.
    fn required_protocol(&self) -> Option<u8> {
        self.protocol.filter(|_| !self.protocol_invert)
    }

    /// Features that every matching packet has, and whether every packet with them matches.
    fn pattern(&self) -> (Pattern, bool) {
        let (source_pattern, is_source_all) = AddressMatch::pattern(&self.source);
        let (destination_pattern, is_destination_all) = AddressMatch::pattern(&self.destination);
        let mut pattern = Pattern::addresses(source_pattern, destination_pattern);
        if let Some(family) = self.family {
            pattern = pattern.and(&Pattern::family(family));
        }
        if let Some(protocol) = self.required_protocol() {
            pattern = pattern.and(&Pattern::protocol(protocol));
        }
        let is_all = is_source_all
            && is_destination_all
            && !self.protocol_invert
            && self.in_interface.is_none()
            && self.out_interface.is_none()
            && !(self.fragment || self.fragment_invert);
        (pattern, is_all)
    }
}

/// What a rule matches without its further matches.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct HeaderMatch {
    /// Features that every matching packet has.
    pattern: Pattern,
    /// Whether every packet with them matches.
    is_pattern_exact: bool,
    attributes: HeaderAttributes,
}

impl HeaderMatch {
    fn new(attributes: HeaderAttributes) -> Self {
        let (pattern, is_pattern_exact) = attributes.pattern();
        Self {
            pattern,
            is_pattern_exact,
            attributes,
        }
    }

    /// The family that all matching packets have, if it requires one.
    pub(super) fn family(&self) -> Option<Family> {
        self.attributes.family
    }

    /// Whether packets to that address may match.
    pub(super) fn may_lead_to(&self, family: Family, address: &Address) -> bool {
        let destination = self.attributes.destination.as_ref();
        family.is_in(self.family())
            && destination.is_none_or(|destination| destination.matches(address))
    }

    /// The same for one family only.
    pub(super) fn narrowed(&self, family: Family) -> Self {
        Self::new(HeaderAttributes {
            family: Some(family),
            ..self.attributes
        })
    }

    /// The protocol that all matching packets have, if it requires one.
    pub(super) fn protocol(&self) -> Option<u8> {
        self.attributes.required_protocol()
    }

    /// Features that every matching packet has.
    pub(super) fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    /// Whether every packet with these features matches.
    #[inline]
    pub(super) fn is_pattern_exact(&self) -> bool {
        self.is_pattern_exact
    }

    /// Matches a packet.
    #[inline(never)]
    pub(super) fn matches(&self, packet: &Packet<'_>) -> MatchResult {
        let asked = &self.attributes;
        let agrees = asked.family.is_none_or(|family| family == packet.family)
            && asked
                .source
                .as_ref()
                .is_none_or(|wanted| wanted.matches(&packet.source()))
            && (asked.destination.as_ref())
                .is_none_or(|wanted| wanted.matches(&packet.destination()))
            && (asked.in_interface.as_ref())
                .is_none_or(|interface| interface.matches(&packet.in_interface()))
            && (asked.out_interface.as_ref())
                .is_none_or(|interface| interface.matches(&packet.out_interface()))
            && (!(asked.fragment || asked.fragment_invert)
                || asked.fragment == matches!(packet.transport(), Transport::Fragment { .. }));
        if !agrees {
            return MatchResult::Mismatch;
        }
        let Some(wanted) = asked.protocol else {
            return MatchResult::Match;
        };
        match packet.protocol() {
            Some(protocol) => MatchResult::from((protocol == wanted) != asked.protocol_invert),
            // As in ip6tables, a rule about protocols does not let a packet through that hides its
            // protocol.
            None => MatchResult::Hotdrop,
        }
    }

    pub(super) fn decode<'a>(rule: Attributes<'a>, site: Site<'_>) -> NetlinkResult<'a, Self> {
        use attribute::rule::{FRAGMENT_INVERT, PROTOCOL_INVERT};
        let mut asked = HeaderAttributes::read_from(rule)?;
        // As in iptables, 0 stands for all protocols.
        asked.protocol = asked.protocol.filter(|number| *number != 0);
        if asked.protocol_invert && asked.protocol.is_none() {
            return Err(rule.refuse(PROTOCOL_INVERT, c"there is no protocol to invert"));
        }
        if asked.fragment && asked.fragment_invert {
            let message = c"a packet is a fragment or it is none";
            return Err(rule.refuse(FRAGMENT_INVERT, message));
        }
        for (address, kind) in [
            (&asked.source, attribute::rule::SOURCE),
            (&asked.destination, attribute::rule::DESTINATION),
        ] {
            let Some(address) = address else { continue };
            if *asked.family.get_or_insert(address.family) != address.family {
                return Err(rule.refuse(kind, c"the address is not of the rule's family"));
            }
        }
        check_interfaces(rule, site)?;
        Ok(Self::new(asked))
    }

    pub(super) fn encode(&self, message: &mut Message<'_>) -> Result {
        self.attributes.write_into(message)
    }
}

/// Checks that packets of a built-in chain have the interfaces that the rule asks for.
fn check_interfaces<'a>(rule: Attributes<'a>, site: Site<'_>) -> NetlinkResult<'a> {
    let (missing, message) = match site.hooknum {
        Some(HookNumber::PreRouting | HookNumber::LocalIn) => (
            attribute::rule::OUT_INTERFACE,
            c"packets of this chain have no outgoing interface yet",
        ),
        Some(HookNumber::LocalOut | HookNumber::PostRouting) => (
            attribute::rule::IN_INTERFACE,
            c"packets of this chain have no incoming interface",
        ),
        Some(HookNumber::Forward) | None => return Ok(()),
    };
    match rule.has(missing) {
        true => Err(rule.refuse(missing, message)),
        false => Ok(()),
    }
}
