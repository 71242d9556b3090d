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

/// An upper-layer protocol.
#[derive(Clone, Copy, PartialEq, Eq)]
struct ProtocolMatch {
    number: u8,
    invert: bool,
}

/// The attributes of the number, and of the inversion.
impl OptionalGroup for ProtocolMatch {
    fn read(nest: Attributes<'_>, kind: u16) -> NetlinkResult<'_, Option<Self>> {
        let [_, invert] = nest::kinds(kind);
        match nest::optional(nest, kind)? {
            // As in iptables, 0 stands for all protocols.
            None | Some(0) if nest.has(invert) => {
                Err(nest.refuse(invert, c"there is no protocol to invert"))
            }
            None | Some(0) => Ok(None),
            Some(number) => Ok(Some(Self {
                number,
                invert: nest.has(invert),
            })),
        }
    }

    fn write(&self, kind: u16, message: &mut Message<'_>) -> Result {
        let [kind, invert] = nest::kinds(kind);
        message.put_u8(kind, self.number)?;
        message.put_flag(invert, self.invert)
    }
}

/// Whether a packet must be a fragment other than the first, or must not: the flags for both.
#[derive(Clone, Copy, PartialEq, Eq)]
struct FragmentMatch(bool);

impl OptionalGroup for FragmentMatch {
    fn read(nest: Attributes<'_>, kind: u16) -> NetlinkResult<'_, Option<Self>> {
        let [_, invert] = nest::kinds(kind);
        match (nest.has(kind), nest.has(invert)) {
            (true, true) => Err(nest.refuse(invert, c"a packet is a fragment or it is none")),
            (false, false) => Ok(None),
            (wanted, _) => Ok(Some(Self(wanted))),
        }
    }

    fn write(&self, kind: u16, message: &mut Message<'_>) -> Result {
        let [kind, invert] = nest::kinds(kind);
        message.put_flag(if self.0 { kind } else { invert }, true)
    }
}

nest! {
    /// The attributes that every rule can have.
    #[derive(Clone, Copy, PartialEq, Eq)]
    struct HeaderAttributes: attribute::rule {
        family: Option<Family> = FAMILY, optional;
        source: Option<AddressMatch> = SOURCE, group;
        destination: Option<AddressMatch> = DESTINATION, group;
        protocol: Option<ProtocolMatch> = PROTOCOL, group;
        in_interface: Option<InterfaceMatch> = IN_INTERFACE, group;
        out_interface: Option<InterfaceMatch> = OUT_INTERFACE, group;
        fragment: Option<FragmentMatch> = FRAGMENT, group;
    }
}

impl HeaderAttributes {
    /// Features that every matching packet has, and whether every packet with them matches.
    fn pattern(&self) -> (Pattern, bool) {
        let (source_pattern, is_source_all) = AddressMatch::pattern(&self.source);
        let (destination_pattern, is_destination_all) = AddressMatch::pattern(&self.destination);
        let mut pattern = Pattern::addresses(source_pattern, destination_pattern);
        if let Some(family) = self.family {
            pattern = pattern.and(&Pattern::family(family));
        }
        let plain_protocol = self.protocol.filter(|protocol| !protocol.invert);
        if let Some(protocol) = plain_protocol {
            pattern = pattern.and(&Pattern::protocol(protocol.number));
        }
        let is_all = is_source_all
            && is_destination_all
            && plain_protocol == self.protocol
            && self.in_interface.is_none()
            && self.out_interface.is_none()
            && self.fragment.is_none();
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
        family::includes(self.family(), family)
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
        let protocol = self.attributes.protocol;
        (protocol.filter(|protocol| !protocol.invert)).map(|protocol| protocol.number)
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
            && asked.fragment.is_none_or(|wanted| {
                wanted.0 == matches!(packet.transport(), Transport::Fragment { .. })
            });
        if !agrees {
            return MatchResult::Mismatch;
        }
        let Some(wanted) = asked.protocol else {
            return MatchResult::Match;
        };
        match packet.protocol() {
            Some(protocol) => MatchResult::from((protocol == wanted.number) != wanted.invert),
            // As in ip6tables, a rule about protocols does not let a packet through that hides its
            // protocol.
            None => MatchResult::Hotdrop,
        }
    }

    pub(super) fn decode<'a>(rule: Attributes<'a>, site: Site<'_>) -> NetlinkResult<'a, Self> {
        let mut asked = HeaderAttributes::read_from(rule)?;
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
