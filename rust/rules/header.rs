// SPDX-License-Identifier: GPL-2.0

//! What every rule can ask of a packet: IP version, protocol, addresses and interface.

use super::{
    family,
    matches::MatchResult,
    resources::Site, //
};
use crate::{
    kernel_api::{
        extended_ack::{
            ExtAckError,
            NetlinkResult, //
        },
        message::Message,
        netfilter::{
            HookNumber,
            InterfaceName, //
        },
        netlink::Attributes, //
    },
    packet::{
        Address,
        Family,
        Packet,
        Pattern,
        Transport, //
    },
    spec::attribute::rule as attributes, //
};
use kernel::prelude::*;

/// An address with a mask.
#[derive(Clone, Copy, PartialEq, Eq)]
struct AddressMatch {
    family: Family,
    address: Address,
    mask: Address,
    invert: bool,
}

impl AddressMatch {
    #[inline]
    fn matches(&self, address: &Address) -> bool {
        (address.masked(&self.mask) == self.address) != self.invert
    }

    /// The address and the mask that a [`Pattern`] compares, and whether that is all of it.
    fn pattern(this: &Option<Self>) -> ((Address, Address), bool) {
        let nothing = Address::new([0; 4]);
        match this {
            Some(this) if !this.invert => {
                let is_all = this.family == Family::Ipv4;
                ((this.address, this.mask), is_all)
            }
            _ => ((nothing, nothing), this.is_none()),
        }
    }

    /// `kind` is the attribute of the address; those of the mask and of the inversion follow it.
    fn decode<'a>(rule: Attributes<'a>, kind: u16) -> NetlinkResult<'a, Option<Self>> {
        let invert = rule.has(kind.wrapping_add(2));
        let mask = rule.get(kind.wrapping_add(1));
        let Some(attribute) = rule.get(kind) else {
            return match mask {
                Some(mask) => Err(ExtAckError::new(EINVAL, c"a mask needs an address").at(mask)),
                None => Ok(None),
            };
        };
        let (family, address) = Address::from_bytes(attribute.payload()).ok_or_else(|| {
            ExtAckError::new(EINVAL, c"an address has 4 or 16 bytes").at(attribute)
        })?;
        let mask = match mask {
            None => Address::full_mask(family),
            Some(attribute) => match Address::from_bytes(attribute.payload()) {
                Some((mask_family, mask)) if mask_family == family => mask,
                _ => {
                    let refusal = ExtAckError::new(EINVAL, c"a mask is as long as its address");
                    return Err(refusal.at(attribute));
                }
            },
        };
        Ok(Some(Self {
            family,
            address: address.masked(&mask),
            mask,
            invert,
        }))
    }

    fn encode(&self, kind: u16, message: &mut Message) -> Result {
        let (address, length) = self.address.to_bytes(self.family);
        message.put(kind, address.get(..length).unwrap_or_default())?;
        let (mask, length) = self.mask.to_bytes(self.family);
        message.put(kind.wrapping_add(1), mask.get(..length).unwrap_or_default())?;
        message.put_flag(kind.wrapping_add(2), self.invert)
    }
}

/// Longest name of an interface, with the zero byte that ends it.
const NAME_LENGTH: usize = size_of::<InterfaceName>();

/// The name of an interface, or how it begins.
#[derive(Clone, Copy, PartialEq, Eq)]
struct InterfaceMatch {
    name: InterfaceName,
    /// Which bits of the name count.
    mask: InterfaceName,
    invert: bool,
}

impl InterfaceMatch {
    #[inline]
    fn matches(&self, name: &InterfaceName) -> bool {
        let [a, b] = self.name;
        let [c, d] = self.mask;
        let [e, f] = *name;
        (((a ^ e) & c) | ((b ^ f) & d) == 0) != self.invert
    }

    /// `kind` is the attribute of the name; that of the inversion follows it.
    fn decode<'a>(rule: Attributes<'a>, kind: u16) -> NetlinkResult<'a, Option<Self>> {
        let Some(attribute) = rule.get(kind) else {
            return Ok(None);
        };
        let name = attribute.string();
        let refuse = |message| ExtAckError::new(EINVAL, message).at(attribute);
        let (beginning, is_whole) = match name {
            [] => return Err(refuse(c"an interface has a name")),
            // dev_valid_name() of net/core/dev.c.
            _ if name
                .iter()
                .any(|byte| byte.is_ascii_whitespace() || b"/:".contains(byte)) =>
            {
                return Err(refuse(c"no interface has such a name"));
            }
            [beginning @ .., b'+'] => (beginning, false),
            whole => (whole, true),
        };
        let mut name = [0; NAME_LENGTH];
        name.get_mut(..beginning.len())
            .ok_or_else(|| refuse(c"the interface's name is too long"))?
            .copy_from_slice(beginning);
        // A whole name ends with a zero byte, which has to agree, too.
        let compared = beginning.len().saturating_add(is_whole.into());
        let mask = core::array::from_fn(|place| if place < compared { 0xff } else { 0 });
        Ok(Some(Self {
            name: words_of_name(name),
            mask: words_of_name(mask),
            invert: rule.has(kind.wrapping_add(1)),
        }))
    }

    fn encode(&self, kind: u16, message: &mut Message) -> Result {
        let mut name = bytes_of_name(self.name);
        let length = name.iter().take_while(|&&byte| byte != 0).count();
        let is_whole = bytes_of_name(self.mask).get(length) == Some(&0xff);
        let mut end = length;
        if let Some(byte) = name.get_mut(length).filter(|_| !is_whole) {
            *byte = b'+';
            end = length.saturating_add(1);
        }
        message.put_string(kind, name.get(..end).unwrap_or_default())?;
        message.put_flag(kind.wrapping_add(1), self.invert)
    }
}

fn words_of_name(bytes: [u8; NAME_LENGTH]) -> InterfaceName {
    let word = |start: usize| {
        u64::from_ne_bytes(core::array::from_fn(|place| {
            bytes
                .get(start.wrapping_add(place))
                .copied()
                .unwrap_or_default()
        }))
    };
    [word(0), word(8)]
}

fn bytes_of_name(name: InterfaceName) -> [u8; NAME_LENGTH] {
    let mut bytes = [0; NAME_LENGTH];
    for (place, word) in bytes.chunks_exact_mut(8).zip(name) {
        place.copy_from_slice(&word.to_ne_bytes());
    }
    bytes
}

/// An upper-layer protocol.
#[derive(Clone, Copy, PartialEq, Eq)]
struct ProtocolMatch {
    number: u8,
    invert: bool,
}

impl ProtocolMatch {
    fn decode<'a>(rule: Attributes<'a>) -> NetlinkResult<'a, Option<Self>> {
        let attribute = rule.get(attributes::PROTOCOL);
        let invert = rule.get(attributes::PROTOCOL_INVERT);
        match (attribute.and_then(|attribute| attribute.u8()), invert) {
            // As in iptables 0 stands for all protocols.
            (None | Some(0), None) => Ok(None),
            (None | Some(0), Some(invert)) => {
                Err(ExtAckError::new(EINVAL, c"there is no protocol to invert").at(invert))
            }
            (Some(number), invert) => Ok(Some(Self {
                number,
                invert: invert.is_some(),
            })),
        }
    }
}

/// What a rule asks of every packet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct HeaderMatch {
    /// The features that all packets have that it matches.
    pattern: Pattern,
    /// Whether all packets match that have them.
    is_pattern_all: bool,
    family: Option<Family>,
    source: Option<AddressMatch>,
    destination: Option<AddressMatch>,
    protocol: Option<ProtocolMatch>,
    in_interface: Option<InterfaceMatch>,
    out_interface: Option<InterfaceMatch>,
    /// Whether a packet has to be a fragment other than the first, or must not be one.
    fragment: Option<bool>,
}

impl HeaderMatch {
    /// The IP version that all matching packets have, if there is one.
    pub(super) fn family(&self) -> Option<Family> {
        self.family
    }

    /// Whether packets to that address may match.
    pub(super) fn may_lead_to(&self, family: Family, address: &Address) -> bool {
        let destination = self.destination.as_ref();
        family::includes(self.family, family)
            && destination.is_none_or(|destination| destination.matches(address))
    }

    /// The same for packets of one IP version only.
    pub(super) fn narrowed(&self, family: Family) -> Self {
        Self {
            pattern: self.pattern.and(&Pattern::family(family)),
            family: Some(family),
            ..*self
        }
    }

    /// The protocol that all matching packets have, if there is one.
    pub(super) fn protocol(&self) -> Option<u8> {
        self.protocol
            .filter(|protocol| !protocol.invert)
            .map(|protocol| protocol.number)
    }

    /// The features that all packets have that it matches.
    pub(super) fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    /// Whether all packets match that have these features.
    #[inline(always)]
    pub(super) fn is_pattern_all(&self) -> bool {
        self.is_pattern_all
    }

    /// Looks at a packet.
    #[inline(never)]
    pub(super) fn matches(&self, packet: &Packet<'_>) -> MatchResult {
        let agrees = self.family.is_none_or(|family| family == packet.family)
            && matches_address(&self.source, &packet.source())
            && matches_address(&self.destination, &packet.destination())
            && (self.in_interface.as_ref())
                .is_none_or(|interface| interface.matches(&packet.in_interface()))
            && (self.out_interface.as_ref())
                .is_none_or(|interface| interface.matches(&packet.out_interface()))
            && self.fragment.is_none_or(|wanted| {
                wanted == matches!(packet.transport(), Transport::Fragment { .. })
            });
        if !agrees {
            return MatchResult::Mismatch;
        }
        let Some(wanted) = self.protocol else {
            return MatchResult::Match;
        };
        match packet.protocol() {
            Some(protocol) => MatchResult::from((protocol == wanted.number) != wanted.invert),
            // As in ip6tables: what hides its protocol is not let through by a rule about protocols.
            None => MatchResult::Drop,
        }
    }

    pub(super) fn decode<'a>(rule: Attributes<'a>, site: Site<'_>) -> NetlinkResult<'a, Self> {
        let source = AddressMatch::decode(rule, attributes::SOURCE)?;
        let destination = AddressMatch::decode(rule, attributes::DESTINATION)?;
        let mut family = None;
        if let Some(attribute) = rule.get(attributes::FAMILY) {
            family = attribute.u32().and_then(family::from_number);
            if family.is_none() {
                return Err(ExtAckError::new(EINVAL, c"the family is 4 or 6").at(attribute));
            }
        }
        for (address, kind) in [
            (&source, attributes::SOURCE),
            (&destination, attributes::DESTINATION),
        ] {
            let Some(address) = address else { continue };
            if *family.get_or_insert(address.family) != address.family {
                let refusal = ExtAckError::new(EINVAL, c"the address is not of the rule's family");
                return Err(rule.get(kind).map_or(refusal, |at| refusal.at(at)));
            }
        }
        check_interfaces(rule, site)?;
        let fragment = rule.get(attributes::FRAGMENT);
        let no_fragment = rule.get(attributes::FRAGMENT_INVERT);
        if let (Some(_), Some(attribute)) = (fragment, no_fragment) {
            let refusal = ExtAckError::new(EINVAL, c"a packet is a fragment or it is none");
            return Err(refusal.at(attribute));
        }
        let protocol = ProtocolMatch::decode(rule)?;
        let in_interface = InterfaceMatch::decode(rule, attributes::IN_INTERFACE)?;
        let out_interface = InterfaceMatch::decode(rule, attributes::OUT_INTERFACE)?;
        let fragment = fragment.or(no_fragment).map(|_| fragment.is_some());

        let (source_pattern, is_source_all) = AddressMatch::pattern(&source);
        let (destination_pattern, is_destination_all) = AddressMatch::pattern(&destination);
        let mut pattern = Pattern::addresses(source_pattern, destination_pattern);
        if let Some(family) = family {
            pattern = pattern.and(&Pattern::family(family));
        }
        let plain_protocol = protocol.filter(|protocol| !protocol.invert);
        if let Some(protocol) = plain_protocol {
            pattern = pattern.and(&Pattern::protocol(protocol.number));
        }
        Ok(Self {
            pattern,
            is_pattern_all: is_source_all
                && is_destination_all
                && plain_protocol == protocol
                && in_interface.is_none()
                && out_interface.is_none()
                && fragment.is_none(),
            family,
            source,
            destination,
            protocol,
            in_interface,
            out_interface,
            fragment,
        })
    }

    pub(super) fn encode(&self, message: &mut Message) -> Result {
        if let Some(family) = self.family {
            message.put_u32(attributes::FAMILY, family::number(family))?;
        }
        if let Some(source) = &self.source {
            source.encode(attributes::SOURCE, message)?;
        }
        if let Some(destination) = &self.destination {
            destination.encode(attributes::DESTINATION, message)?;
        }
        if let Some(protocol) = self.protocol {
            message.put_u8(attributes::PROTOCOL, protocol.number)?;
            message.put_flag(attributes::PROTOCOL_INVERT, protocol.invert)?;
        }
        if let Some(interface) = &self.in_interface {
            interface.encode(attributes::IN_INTERFACE, message)?;
        }
        if let Some(interface) = &self.out_interface {
            interface.encode(attributes::OUT_INTERFACE, message)?;
        }
        message.put_flag(attributes::FRAGMENT, self.fragment == Some(true))?;
        message.put_flag(attributes::FRAGMENT_INVERT, self.fragment == Some(false))
    }
}

/// Checks that packets of a built-in chain have the interfaces that the rule asks for.
fn check_interfaces<'a>(rule: Attributes<'a>, site: Site<'_>) -> NetlinkResult<'a> {
    let (missing, message) = match site.hooknum() {
        Some(HookNumber::PreRouting | HookNumber::LocalIn) => (
            attributes::OUT_INTERFACE,
            c"packets of this chain have no outgoing interface yet",
        ),
        Some(HookNumber::LocalOut | HookNumber::PostRouting) => (
            attributes::IN_INTERFACE,
            c"packets of this chain have no incoming interface",
        ),
        Some(HookNumber::Forward) | None => return Ok(()),
    };
    match rule.get(missing) {
        Some(attribute) => Err(ExtAckError::new(EINVAL, message).at(attribute)),
        None => Ok(()),
    }
}

#[inline]
fn matches_address(wanted: &Option<AddressMatch>, address: &Address) -> bool {
    wanted.as_ref().is_none_or(|wanted| wanted.matches(address))
}
