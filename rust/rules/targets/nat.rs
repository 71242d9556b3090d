// SPDX-License-Identifier: GPL-2.0

//! The targets DNAT, SNAT and MASQUERADE: translate the addresses and ports of connections.

use super::port_range::PortRange;
use crate::{
    kernel_api::netfilter::nat::{
        NatRange,
        Translation,
        TranslationKind,
        HAS_MASQUERADE, //
    },
    rules::{
        address_range::AddressRange,
        prelude::*, //
    },
    spec::attribute::target, //
};

nest! {
    /// What connections are translated to.
    #[derive(PartialEq, Eq)]
    pub(crate) struct NatAttributes: attribute::nat {
        addresses: Option<AddressRange> = ADDRESS_FIRST, group;
        ports: Option<PortRange> = PORT_FIRST, group;
        base: Option<u16> = PORT_BASE, optional;
        random: bool = RANDOM, flag;
        random_fully: bool = RANDOM_FULLY, flag;
        persistent: bool = PERSISTENT, flag;
    }
}

/// What sets a target apart.
struct Properties {
    kind: TranslationKind,
    /// The attributes that it does not take.
    refused: &'static [u16],
    /// The message for another table.
    table: &'static CStr,
    restriction: Restriction,
}

static DNAT: Properties = Properties {
    kind: TranslationKind::Destination,
    refused: &[attribute::nat::RANDOM_FULLY],
    table: c"DNAT is for the table nat",
    restriction: Restriction {
        hooknums: &[HookNumber::PreRouting, HookNumber::LocalOut],
        message: c"DNAT is for packets of PREROUTING and OUTPUT",
    },
};

static SNAT: Properties = Properties {
    kind: TranslationKind::Source,
    refused: &[attribute::nat::PORT_BASE],
    table: c"SNAT is for the table nat",
    restriction: Restriction {
        hooknums: &[HookNumber::LocalIn, HookNumber::PostRouting],
        message: c"SNAT is for packets of INPUT and POSTROUTING",
    },
};

static MASQUERADE: Properties = Properties {
    kind: TranslationKind::Masquerade,
    refused: &[
        attribute::nat::ADDRESS_FIRST,
        attribute::nat::ADDRESS_LAST,
        attribute::nat::PORT_BASE,
        attribute::nat::PERSISTENT,
    ],
    table: c"MASQUERADE is for the table nat",
    restriction: Restriction {
        hooknums: &[HookNumber::PostRouting],
        message: c"MASQUERADE is for packets of POSTROUTING",
    },
};

/// Translates connections; `TARGET` is the attribute of the target.
pub(crate) struct Nat<const TARGET: u16> {
    attributes: NatAttributes,
    translation: Translation,
}

impl<const TARGET: u16> Nat<TARGET> {
    const PROPERTIES: &'static Properties = match TARGET {
        target::DNAT => &DNAT,
        target::SNAT => &SNAT,
        target::MASQUERADE => &MASQUERADE,
        _ => panic!("this is no target that translates"),
    };
}

impl<const TARGET: u16> PacketTarget for Nat<TARGET> {
    type Attributes = NatAttributes;

    const NEEDS_CONNTRACK: bool = true;

    const TRANSLATES: bool = true;

    fn new<'a>(
        attributes: NatAttributes,
        context: &mut DecodeContext<'a, '_>,
    ) -> NetlinkResult<'a, Self> {
        use attribute::nat::*;
        let refuse = |kind, message| Err(context.refuse(kind, message));
        let own = Self::PROPERTIES;
        let is_masquerade = own.kind == TranslationKind::Masquerade;
        if context.site.table != Table::Nat {
            return Err(ExtAckError::new(EINVAL, own.table));
        }
        if let Some(&kind) = own.refused.iter().find(|kind| context.nest.has(**kind)) {
            return refuse(kind, c"the target does not take this");
        }
        let ports = PortRange::checked(attributes.ports.as_ref(), PORT_FIRST, context)?;
        if attributes.base.is_some() && ports.is_none() {
            return refuse(
                PORT_BASE,
                c"a port that others are counted from needs a range",
            );
        }
        if !is_masquerade && attributes.addresses.is_none() && ports.is_none() {
            return refuse(ADDRESS_FIRST, c"an address or a port is missing");
        }
        let addresses = match &attributes.addresses {
            Some(range) if context.family != Some(range.family) => {
                let message = c"the rule has to be for the IP version of the address alone";
                return refuse(ADDRESS_FIRST, message);
            }
            Some(range) => Some([range.first.words(), range.last.words()]),
            None => None,
        };
        if is_masquerade && !HAS_MASQUERADE {
            let message = c"this kernel has no MASQUERADE: its option NF_NAT_MASQUERADE is off";
            return Err(ExtAckError::new(EINVAL, message));
        }
        let range = NatRange {
            addresses,
            ports,
            base: attributes.base,
            is_random: attributes.random,
            is_fully_random: attributes.random_fully,
            is_persistent: attributes.persistent,
        };
        Ok(Self {
            attributes,
            translation: Translation::new(own.kind, range),
        })
    }

    fn attributes(&self) -> &NatAttributes {
        &self.attributes
    }

    fn restriction(&self) -> Option<&'static Restriction> {
        Some(&Self::PROPERTIES.restriction)
    }

    #[inline]
    fn apply(&self, packet: &mut Packet<'_>) -> Decision {
        let context = *packet.context();
        Decision::Verdict(self.translation.apply(packet.hook_skb(), &context))
    }
}
