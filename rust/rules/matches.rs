// SPDX-License-Identifier: GPL-2.0

//! The further matches of a rule: a file each.

mod comment;
mod connlimit;
mod conntrack;
mod hop_limit;
mod icmp;
mod iprange;
mod length;
mod limit;
mod mark;
mod multiport;
mod ports;
mod recent;
mod string;
mod tcp;
mod udp;

use super::context::DecodeContext;
use crate::{
    kernel_api::netlink::{
        extended_ack::{
            ExtAckError,
            NetlinkResult, //
        },
        message::Message,
        nest::Payload,
        Attribute,
        Attributes, //
    },
    packet::{
        Packet,
        Pattern,
        IPPROTO_ICMP,
        IPPROTO_ICMPV6, //
    },
    recent::List,
    spec::attribute::r#match as attributes, //
};
use kernel::prelude::*;

/// What a match says of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MatchResult {
    /// It agrees.
    Match,
    /// It does not agree.
    Mismatch,
    /// The packet is malformed in a way that no rule should decide on: it is dropped (`hotdrop` of
    /// `struct xt_action_param`).
    Hotdrop,
}

impl From<bool> for MatchResult {
    #[inline]
    fn from(agrees: bool) -> Self {
        if agrees {
            Self::Match
        } else {
            Self::Mismatch
        }
    }
}

/// A match.
pub(super) trait PacketMatch: Sized {
    /// What its attribute holds.
    type Attributes: Payload + PartialEq;

    /// Whether connection tracking has to see the packets of the namespace for it.
    const NEEDS_CONNTRACK: bool = false;

    /// Makes it of its attributes, which lie in `nest`.
    ///
    /// # Errors
    ///
    /// What is wrong with them together, or where the rule is to be.
    fn new<'a>(
        attributes: Self::Attributes,
        nest: Attributes<'a>,
        context: &mut DecodeContext<'_, '_>,
    ) -> NetlinkResult<'a, Self>;

    /// The attributes that it was made of.
    fn attributes(&self) -> &Self::Attributes;

    /// Looks at a packet.
    fn matches(&self, packet: &Packet<'_>) -> MatchResult;

    /// The features that all packets have that it matches, as far as a pattern can say that.
    fn pattern(&self) -> Pattern {
        Pattern::ANY
    }

    /// Whether all packets match that have these features.
    fn is_pattern_all(&self) -> bool {
        false
    }

    /// How many packets it counts in a list, if it refers to the list.
    fn uses(&self, _list: &List) -> Option<u32> {
        None
    }
}

/// Makes an enum of all matches.
macro_rules! list_matches {
    ($($(#[$documentation:meta])* $name:ident($kind:ty) = $attribute:ident,)*) => {
        /// Any match. With a tag of its own, since one in a niche of a match takes more instructions.
        #[repr(u8)]
        pub(super) enum Match {
            $($(#[$documentation])* $name($kind),)*
        }

        impl PartialEq for Match {
            fn eq(&self, other: &Self) -> bool {
                match (self, other) {
                    $((Self::$name(this), Self::$name(other)) => {
                        this.attributes() == other.attributes()
                    })*
                    _ => false,
                }
            }
        }

        impl Match {
            #[inline(never)]
            fn matches_further(&self, packet: &Packet<'_>) -> MatchResult {
                match self {
                    $(Self::$name(this) => this.matches(packet),)*
                }
            }

            /// The features that all packets have that it matches, as far as a pattern can say that.
            pub(super) fn pattern(&self) -> Pattern {
                match self {
                    $(Self::$name(this) => this.pattern(),)*
                }
            }

            /// Whether all packets match that have these features.
            pub(super) fn is_pattern_all(&self) -> bool {
                match self {
                    $(Self::$name(this) => this.is_pattern_all(),)*
                }
            }

            /// Makes a match from the attribute that stands for it.
            fn decode_one<'a>(
                attribute: Attribute<'a>,
                context: &mut DecodeContext<'_, '_>,
            ) -> NetlinkResult<'a, Self> {
                match attribute.kind() {
                    $(attributes::$attribute => {
                        Payload::read(attribute)
                            .and_then(|read| PacketMatch::new(read, attribute.nested(), context))
                            .map(Self::$name)
                    })*
                    _ => Err(ExtAckError::new(ENOENT, c"there is no such match")),
                }
                .map_err(|error| error.at(attribute))
            }

            /// Writes the attribute that stands for it.
            pub(super) fn encode(&self, message: &mut Message) -> Result {
                match self {
                    $(Self::$name(this) => {
                        this.attributes().write(attributes::$attribute, message)
                    })*
                }
            }

            /// Whether connection tracking has to see the packets of the namespace for it.
            pub(super) fn needs_conntrack(&self) -> bool {
                match self {
                    $(Self::$name(_) => <$kind>::NEEDS_CONNTRACK,)*
                }
            }

            /// How many packets it counts in a list, if it refers to the list.
            pub(super) fn uses(&self, list: &List) -> Option<u32> {
                match self {
                    $(Self::$name(this) => this.uses(list),)*
                }
            }
        }
    };
}

list_matches! {
    /// The ports of a TCP segment.
    Tcp(tcp::Tcp) = TCP,
    /// The ports of a UDP datagram.
    Udp(udp::Udp) = UDP,
    /// Who was seen recently.
    Recent(recent::Recent) = RECENT,
    /// Type and code of an ICMP message.
    Icmp(icmp::Icmp<IPPROTO_ICMP>) = ICMP,
    /// Type and code of an ICMPv6 message.
    Icmpv6(icmp::Icmp<IPPROTO_ICMPV6>) = ICMPV6,
    /// What connection tracking says of the packet.
    Conntrack(conntrack::Conntrack) = CONNTRACK,
    /// Bits of the packet's mark.
    Mark(mark::Mark) = MARK,
    /// Several ports at once.
    Multiport(multiport::Multiport) = MULTIPORT,
    /// Words for people.
    Comment(comment::Comment) = COMMENT,
    /// A limited rate.
    Limit(limit::Limit) = LIMIT,
    /// How many connections there are.
    Connlimit(connlimit::Connlimit) = CONNLIMIT,
    /// What the packet holds.
    String(string::StringMatch) = STRING,
    /// How long the packet is.
    Length(length::Length) = LENGTH,
    /// The TTL of an IPv4 packet.
    Ttl(hop_limit::HopLimit<false>) = TTL,
    /// The hop limit of an IPv6 packet.
    Hl(hop_limit::HopLimit<true>) = HL,
    /// Ranges of addresses.
    Iprange(iprange::Iprange) = IPRANGE,
}

impl Match {
    /// Looks at a packet.
    #[inline(always)]
    pub(super) fn matches(&self, packet: &Packet<'_>) -> MatchResult {
        match self {
            Self::Recent(recent) => recent.matches(packet),
            further => further.matches_further(packet),
        }
    }

    /// Makes a match from an attribute that holds exactly one that stands for it.
    pub(super) fn decode<'a>(
        attribute: Attribute<'a>,
        context: &mut DecodeContext<'_, '_>,
    ) -> NetlinkResult<'a, Self> {
        let mut inner = attribute.nested();
        match (inner.next(), inner.next()) {
            (Some(one), None) => Self::decode_one(one, context),
            _ => Err(ExtAckError::new(EINVAL, c"a match is exactly one thing").at(attribute)),
        }
    }
}
