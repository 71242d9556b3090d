// SPDX-License-Identifier: GPL-2.0

//! The further matches of a rule: a file each.

mod comment;
mod connlimit;
mod conntrack;
mod icmp;
mod icmp_type;
mod icmpv6;
mod limit;
mod mark;
mod multiport;
mod ports;
mod recent;
mod string;
mod tcp;
mod udp;

use super::resources::{
    Resources,
    Surroundings, //
};
use crate::{
    kernel_api::{
        extended_ack::{
            ExtAckError,
            NetlinkResult, //
        },
        message::Message,
        netlink::Attribute, //
    },
    packet::{
        Packet,
        Pattern, //
    },
    recent::List, //
};
use kernel::prelude::*;

/// What a match says of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MatchResult {
    /// It agrees.
    Match,
    /// It does not agree.
    Mismatch,
    /// The packet is malformed in a way that no rule should decide on: it is dropped.
    Drop,
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
pub(crate) trait PacketMatch: PartialEq + Sized {
    /// The attribute of the set `match` that stands for it.
    const ATTRIBUTE: u16;

    /// Whether connection tracking has to see the packets of the namespace for it.
    const NEEDS_CONNTRACK: bool = false;

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

    /// Makes it from its attribute.
    fn decode<'a>(
        attribute: Attribute<'a>,
        surroundings: &Surroundings<'_>,
        resources: &mut Resources<'_>,
    ) -> NetlinkResult<'a, Self>;

    /// Writes its attribute.
    fn encode(&self, message: &mut Message) -> Result;

    /// How many packets it counts in a list, if it refers to the list.
    fn uses(&self, _list: &List) -> Option<u32> {
        None
    }
}

/// Makes an enum of all matches.
macro_rules! list_matches {
    ($($(#[$documentation:meta])* $name:ident($kind:ty),)*) => {
        /// Any match.
        #[derive(PartialEq)]
        pub(super) enum Match {
            $($(#[$documentation])* $name($kind),)*
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
                surroundings: &Surroundings<'_>,
                resources: &mut Resources<'_>,
            ) -> NetlinkResult<'a, Self> {
                match attribute.kind() {
                    $(<$kind>::ATTRIBUTE => {
                        <$kind>::decode(attribute, surroundings, resources).map(Self::$name)
                    })*
                    _ => Err(ExtAckError::new(ENOENT, c"there is no such match")),
                }
                .map_err(|refusal| refusal.at(attribute))
            }

            /// Writes the attribute that stands for it.
            pub(super) fn encode(&self, message: &mut Message) -> Result {
                match self {
                    $(Self::$name(this) => this.encode(message),)*
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
    Tcp(tcp::Tcp),
    /// The ports of a UDP datagram.
    Udp(udp::Udp),
    /// Who was seen recently.
    Recent(recent::Recent),
    /// Type and code of an ICMP message.
    Icmp(icmp::Icmp),
    /// Type and code of an ICMPv6 message.
    Icmpv6(icmpv6::Icmpv6),
    /// What connection tracking says of the packet.
    Conntrack(conntrack::Conntrack),
    /// Bits of the packet's mark.
    Mark(mark::Mark),
    /// Several ports at once.
    Multiport(multiport::Multiport),
    /// Words for people.
    Comment(comment::Comment),
    /// A limited rate.
    Limit(limit::Limit),
    /// How many connections there are.
    Connlimit(connlimit::Connlimit),
    /// What the packet holds.
    String(string::StringMatch),
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
        surroundings: &Surroundings<'_>,
        resources: &mut Resources<'_>,
    ) -> NetlinkResult<'a, Self> {
        let mut inner = attribute.nested();
        match (inner.next(), inner.next()) {
            (Some(one), None) => Self::decode_one(one, surroundings, resources),
            _ => Err(ExtAckError::new(EINVAL, c"a match is exactly one thing").at(attribute)),
        }
    }
}
