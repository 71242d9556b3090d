// SPDX-License-Identifier: GPL-2.0

//! What every rule can match: family, protocol, addresses, interfaces and fragments.

use super::{
    context::Site,
    family,
    prelude::*, //
};
use crate::{
    kernel_api::{
        netfilter::{
            HookNumber,
            InterfaceName, //
        },
        netlink::{
            message::Message,
            nest::{
                self,
                Group,
                Payload, //
            },
        },
    },
    packet::{
        Address,
        Family,
        Pattern,
        Transport, //
    },
};

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

    /// The address and mask for a [`Pattern`], and whether they say everything.
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
}

/// The attributes of the address, the mask, and the inversion.
impl Group for Option<AddressMatch> {
    fn read(nest: Attributes<'_>, kind: u16) -> NetlinkResult<'_, Self> {
        let [mask_kind, invert] = [kind.wrapping_add(1), kind.wrapping_add(2)];
        let mask = nest::optional::<(Family, Address)>(nest, mask_kind)?;
        let Some((family, address)) = nest::optional(nest, kind)? else {
            return match mask {
                Some(_) => Err(nest.refuse(mask_kind, c"a mask needs an address")),
                None => Ok(None),
            };
        };
        let (mask_family, mask) = mask.unwrap_or((family, Address::full_mask(family)));
        if mask_family != family {
            return Err(nest.refuse(mask_kind, c"a mask is as long as its address"));
        }
        Ok(Some(AddressMatch {
            family,
            address: address.masked(&mask),
            mask,
            invert: nest.has(invert),
        }))
    }

    fn write(&self, kind: u16, message: &mut Message) -> Result {
        let Some(this) = self else {
            return Ok(());
        };
        (this.family, this.address).write(kind, message)?;
        (this.family, this.mask).write(kind.wrapping_add(1), message)?;
        message.put_flag(kind.wrapping_add(2), this.invert)
    }
}

/// Size of an interface name, including the terminating zero byte.
const NAME_LENGTH: usize = size_of::<InterfaceName>();

/// The name of an interface, or a prefix.
#[derive(Clone, Copy, PartialEq, Eq)]
struct InterfaceMatch {
    name: InterfaceName,
    /// The bits of the name that count.
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
}

/// The attributes of the name, and of the inversion.
impl Group for Option<InterfaceMatch> {
    fn read(nest: Attributes<'_>, kind: u16) -> NetlinkResult<'_, Self> {
        let Some(attribute) = nest.get(kind) else {
            return Ok(None);
        };
        let name = attribute.string();
        let refuse = |message| ExtAckError::new(EINVAL, message).at(attribute);
        let (beginning, is_whole) = match name {
            [] => return Err(refuse(c"an interface has a name")),
            // As dev_valid_name() in net/core/dev.c.
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
        // A full name includes the zero byte after it.
        let compared = beginning.len().saturating_add(is_whole.into());
        let mask = core::array::from_fn(|index| if index < compared { 0xff } else { 0 });
        Ok(Some(InterfaceMatch {
            name: words_of_name(name),
            mask: words_of_name(mask),
            invert: nest.has(kind.wrapping_add(1)),
        }))
    }

    fn write(&self, kind: u16, message: &mut Message) -> Result {
        let Some(this) = self else {
            return Ok(());
        };
        let mut name = bytes_of_name(this.name);
        let length = name.iter().take_while(|&&byte| byte != 0).count();
        let is_whole = bytes_of_name(this.mask).get(length) == Some(&0xff);
        let mut end = length;
        if let Some(byte) = name.get_mut(length).filter(|_| !is_whole) {
            *byte = b'+';
            end = length.saturating_add(1);
        }
        message.put_string(kind, name.get(..end).unwrap_or_default())?;
        message.put_flag(kind.wrapping_add(1), this.invert)
    }
}

fn words_of_name(bytes: [u8; NAME_LENGTH]) -> InterfaceName {
    let word = |start: usize| {
        u64::from_ne_bytes(core::array::from_fn(|index| {
            bytes
                .get(start.wrapping_add(index))
                .copied()
                .unwrap_or_default()
        }))
    };
    [word(0), word(8)]
}

fn bytes_of_name(name: InterfaceName) -> [u8; NAME_LENGTH] {
    let mut bytes = [0; NAME_LENGTH];
    for (index, word) in bytes.chunks_exact_mut(8).zip(name) {
        index.copy_from_slice(&word.to_ne_bytes());
    }
    bytes
}

/// An upper-layer protocol.
#[derive(Clone, Copy, PartialEq, Eq)]
struct ProtocolMatch {
    number: u8,
    invert: bool,
}

/// The attributes of the number, and of the inversion.
impl Group for Option<ProtocolMatch> {
    fn read(nest: Attributes<'_>, kind: u16) -> NetlinkResult<'_, Self> {
        let invert = kind.wrapping_add(1);
        match nest::optional(nest, kind)? {
            // As in iptables, 0 stands for all protocols.
            None | Some(0) if nest.has(invert) => {
                Err(nest.refuse(invert, c"there is no protocol to invert"))
            }
            None | Some(0) => Ok(None),
            Some(number) => Ok(Some(ProtocolMatch {
                number,
                invert: nest.has(invert),
            })),
        }
    }

    fn write(&self, kind: u16, message: &mut Message) -> Result {
        let Some(protocol) = self else {
            return Ok(());
        };
        message.put_u8(kind, protocol.number)?;
        message.put_flag(kind.wrapping_add(1), protocol.invert)
    }
}

/// Whether a packet must be a fragment other than the first, or must not: the flags for both.
#[derive(Clone, Copy, PartialEq, Eq)]
struct FragmentMatch(bool);

impl Group for Option<FragmentMatch> {
    fn read(nest: Attributes<'_>, kind: u16) -> NetlinkResult<'_, Self> {
        let invert = kind.wrapping_add(1);
        match (nest.has(kind), nest.has(invert)) {
            (true, true) => Err(nest.refuse(invert, c"a packet is a fragment or it is none")),
            (false, false) => Ok(None),
            (wanted, _) => Ok(Some(FragmentMatch(wanted))),
        }
    }

    fn write(&self, kind: u16, message: &mut Message) -> Result {
        let wanted = self.as_ref().map(|fragment| fragment.0);
        message.put_flag(kind, wanted == Some(true))?;
        message.put_flag(kind.wrapping_add(1), wanted == Some(false))
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
    #[inline(always)]
    pub(super) fn is_pattern_exact(&self) -> bool {
        self.is_pattern_exact
    }

    /// Matches a packet.
    #[inline(never)]
    pub(super) fn matches(&self, packet: &Packet<'_>) -> MatchResult {
        let asked = &self.attributes;
        let agrees = asked.family.is_none_or(|family| family == packet.family)
            && matches_address(&asked.source, &packet.source())
            && matches_address(&asked.destination, &packet.destination())
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

    pub(super) fn encode(&self, message: &mut Message) -> Result {
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

#[inline]
fn matches_address(wanted: &Option<AddressMatch>, address: &Address) -> bool {
    wanted.as_ref().is_none_or(|wanted| wanted.matches(address))
}
