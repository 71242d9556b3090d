// SPDX-License-Identifier: GPL-2.0

//! The match `addrtype`: what the packet's addresses are to this host.

use crate::{
    kernel_api::net::address_type::{
        ipv6_form_types,
        AddressTypes,
        InterfaceLimit, //
    },
    rules::prelude::*, //
};

/// Where packets have an incoming interface.
static INCOMING: Restriction = Restriction {
    hooknums: &[
        HookNumber::PreRouting,
        HookNumber::LocalIn,
        HookNumber::Forward,
    ],
    message: c"--limit-iface-in is for packets of PREROUTING, INPUT and FORWARD",
};

/// Where packets have an outgoing interface.
static OUTGOING: Restriction = Restriction {
    hooknums: &[
        HookNumber::Forward,
        HookNumber::LocalOut,
        HookNumber::PostRouting,
    ],
    message: c"--limit-iface-out is for packets of FORWARD, OUTPUT and POSTROUTING",
};

/// Types that no IPv6 address has, as in `addrtype_mt_checkentry_v1`, and what a rule for IPv6 is
/// told.
static IPV4_ONLY: [(AddressTypes, &CStr); 3] = [
    (
        AddressTypes::BLACKHOLE,
        c"no IPv6 address is of the type BLACKHOLE: such routes are UNREACHABLE there",
    ),
    (
        AddressTypes::PROHIBIT
            .or(AddressTypes::THROW)
            .or(AddressTypes::NAT)
            .or(AddressTypes::XRESOLVE),
        c"no IPv6 address is of the type PROHIBIT, THROW, NAT or XRESOLVE",
    ),
    (
        AddressTypes::BROADCAST,
        c"IPv6 has no BROADCAST: ask for MULTICAST",
    ),
];

/// Types of which an address has to have one.
#[derive(PartialEq, Eq)]
struct TypeMatch {
    types: AddressTypes,
    invert: bool,
}

impl TypeMatch {
    #[inline]
    fn matches(&self, packet: &Packet<'_>, address: Address, limit: InterfaceLimit) -> bool {
        let (context, address) = (packet.context(), address.words());
        let agrees = match packet.family {
            Family::Ipv4 => {
                let [address, ..] = address;
                let own = context.ipv4_address_type(address, limit);
                self.types.intersects(own)
            }
            Family::Ipv6 => is_ipv6_match(self.types, ipv6_form_types(address), || {
                context.ipv6_route_types(address, limit)
            }),
        };
        agrees != self.invert
    }
}

/// Whether an IPv6 address has the types that are asked for: all of those that its form gives it,
/// and one of those that its route gives it. `routed` is called if those are asked for. As
/// `match_type6` in `xt_addrtype.c`.
#[inline]
pub(super) fn is_ipv6_match(
    asked: AddressTypes,
    form: AddressTypes,
    routed: impl FnOnce() -> AddressTypes,
) -> bool {
    const BY_FORM: AddressTypes = AddressTypes::UNSPEC
        .or(AddressTypes::UNICAST)
        .or(AddressTypes::MULTICAST);
    const BY_ROUTE: AddressTypes = AddressTypes::LOCAL
        .or(AddressTypes::ANYCAST)
        .or(AddressTypes::UNREACHABLE);
    let asked_form = asked.and(BY_FORM);
    asked_form.and(form) == asked_form
        && (!asked.intersects(BY_ROUTE) || asked.intersects(routed()))
}

/// The attributes of the types, and of the inversion.
impl OptionalGroup for TypeMatch {
    fn read(nest: Attributes<'_>, kind: u16) -> NetlinkResult<'_, Option<Self>> {
        let [_, invert] = nest::kinds(kind);
        match nest::optional(nest, kind)? {
            None if nest.has(invert) => Err(nest.refuse(invert, c"there are no types to invert")),
            None => Ok(None),
            Some(types) => Ok(Some(Self {
                types: AddressTypes::from_bits(types),
                invert: nest.has(invert),
            })),
        }
    }

    fn write(&self, kind: u16, message: &mut Message<'_>) -> Result {
        let [kind, invert] = nest::kinds(kind);
        message.put_u32(kind, self.types.bits())?;
        message.put_flag(invert, self.invert)
    }
}

nest! {
    /// The types of addresses, and which interface's addresses count.
    #[derive(PartialEq, Eq)]
    pub(crate) struct Addrtype: attribute::addrtype {
        source: Option<TypeMatch> = SOURCE, group;
        destination: Option<TypeMatch> = DESTINATION, group;
        limit_in: bool = LIMIT_IFACE_IN, flag;
        limit_out: bool = LIMIT_IFACE_OUT, flag;
    }
}

impl Addrtype {
    #[inline]
    fn limit(&self) -> InterfaceLimit {
        match (self.limit_in, self.limit_out) {
            (true, _) => InterfaceLimit::Ingress,
            (_, true) => InterfaceLimit::Egress,
            _ => InterfaceLimit::None,
        }
    }

    /// Whether it asks for one of these types.
    #[inline]
    fn asks_for(&self, types: AddressTypes) -> bool {
        let asks = |asked: &Option<TypeMatch>| {
            (asked.as_ref()).is_some_and(|asked| asked.types.intersects(types))
        };
        asks(&self.source) || asks(&self.destination)
    }
}

impl PacketMatch for Addrtype {
    type Attributes = Self;

    fn new<'a>(addrtype: Self, context: &mut DecodeContext<'a, '_>) -> NetlinkResult<'a, Self> {
        use attribute::addrtype::*;
        if addrtype.source.is_none() && addrtype.destination.is_none() {
            return Err(ExtAckError::new(
                EINVAL,
                c"an addrtype match needs types of the source or the destination",
            ));
        }
        if addrtype.limit_in && addrtype.limit_out {
            let message = c"--limit-iface-in and --limit-iface-out exclude each other";
            return Err(context.refuse(LIMIT_IFACE_OUT, message));
        }
        if context.family == Some(Family::Ipv6) {
            for (asked, kind) in [
                (&addrtype.source, SOURCE),
                (&addrtype.destination, DESTINATION),
            ] {
                let Some(asked) = asked else { continue };
                for (types, message) in &IPV4_ONLY {
                    if asked.types.intersects(*types) {
                        return Err(context.refuse(kind, message));
                    }
                }
            }
        }
        Ok(addrtype)
    }

    fn attributes(&self) -> &Self {
        self
    }

    fn restriction(&self) -> Option<&'static Restriction> {
        match self.limit() {
            InterfaceLimit::None => None,
            InterfaceLimit::Ingress => Some(&INCOMING),
            InterfaceLimit::Egress => Some(&OUTGOING),
        }
    }

    /// With types that only IPv4 has, a packet of IPv6 does not match, inverted or not.
    #[inline(never)]
    fn matches(&self, packet: &Packet<'_>) -> MatchResult {
        if packet.family == Family::Ipv6 && IPV4_ONLY.iter().any(|(types, _)| self.asks_for(*types))
        {
            return MatchResult::Mismatch;
        }
        let agrees = |asked: &Option<TypeMatch>, address| {
            (asked.as_ref()).is_none_or(|asked| asked.matches(packet, address, self.limit()))
        };
        MatchResult::from(
            agrees(&self.source, packet.source())
                && agrees(&self.destination, packet.destination()),
        )
    }
}
