// SPDX-License-Identifier: GPL-2.0

//! The further matches of a rule, one per file.

mod addrtype;
#[cfg(CONFIG_KUNIT = "y")]
mod addrtype_tests;
mod comment;
mod connlimit;
mod conntrack;
mod glob_option;
mod hashlimit;
mod hop_limit;
mod hosts_file;
mod http;
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
mod tls;
mod udp;

use crate::{
    packet::{
        IPPROTO_ICMP,
        IPPROTO_ICMPV6, //
    },
    rates::RateTable,
    rules::prelude::*,
    spec::attribute::r#match as attributes, //
};

/// The result of a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MatchResult {
    /// The packet matches.
    Match,
    /// The packet does not match.
    Mismatch,
    /// The packet is malformed so that no rule should decide on it: it is dropped (`hotdrop` of
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

pub(super) trait PacketMatch: Sized {
    /// The type of its attribute.
    type Attributes: Payload + PartialEq;

    /// Whether it needs connection tracking in the namespace.
    const NEEDS_CONNTRACK: bool = false;

    /// Creates it from its attributes, which are those of the context.
    ///
    /// # Errors
    ///
    /// If the attributes do not fit together, or do not fit where the rule goes.
    fn new<'a>(
        attributes: Self::Attributes,
        context: &mut DecodeContext<'a, '_>,
    ) -> NetlinkResult<'a, Self>;

    /// The attributes that it was created from.
    fn attributes(&self) -> &Self::Attributes;

    /// Matches a packet.
    fn matches(&self, packet: &Packet<'_>) -> MatchResult;

    /// Which packets it can handle; `None` means all.
    fn restriction(&self) -> Option<&'static Restriction> {
        None
    }

    /// Features that every matching packet has, as far as a pattern can express them.
    fn pattern(&self) -> Pattern {
        Pattern::ANY
    }

    /// Whether every packet with these features matches.
    fn is_pattern_exact(&self) -> bool {
        false
    }

    /// How many packets it counts in a list; `None` if it does not use the list.
    fn uses(&self, _list: &List) -> Option<u32> {
        None
    }

    /// The table of rates that it uses.
    fn rates(&self) -> Option<&RateTable> {
        None
    }
}

/// Defines an enum of all matches.
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

            /// Features that every matching packet has, as far as a pattern can express them.
            pub(super) fn pattern(&self) -> Pattern {
                match self {
                    $(Self::$name(this) => this.pattern(),)*
                }
            }

            /// Whether every packet with these features matches.
            pub(super) fn is_pattern_exact(&self) -> bool {
                match self {
                    $(Self::$name(this) => this.is_pattern_exact(),)*
                }
            }

            /// Decodes a match from its attribute.
            fn decode_one<'a>(
                attribute: Attribute<'a>,
                context: &mut DecodeContext<'a, '_>,
            ) -> NetlinkResult<'a, Self> {
                context.nest = attribute.nested();
                match attribute.kind() {
                    $(attributes::$attribute => {
                        Payload::read(attribute)
                            .and_then(|read| PacketMatch::new(read, context))
                            .map(Self::$name)
                    })*
                    _ => Err(ExtAckError::new(ENOENT, c"there is no such match")),
                }
                .map_err(|error| error.at(attribute))
            }

            /// Writes its attribute.
            pub(super) fn encode(&self, message: &mut Message<'_>) -> Result {
                match self {
                    $(Self::$name(this) => {
                        this.attributes().write(attributes::$attribute, message)
                    })*
                }
            }

            /// Whether it needs connection tracking in the namespace.
            pub(super) fn needs_conntrack(&self) -> bool {
                match self {
                    $(Self::$name(_) => <$kind>::NEEDS_CONNTRACK,)*
                }
            }

            /// Which packets it can handle; `None` means all.
            pub(super) fn restriction(&self) -> Option<&'static Restriction> {
                match self {
                    $(Self::$name(this) => this.restriction(),)*
                }
            }

            /// How many packets it counts in a list; `None` if it does not use the list.
            pub(super) fn uses(&self, list: &List) -> Option<u32> {
                match self {
                    $(Self::$name(this) => this.uses(list),)*
                }
            }

            /// The table of rates that it uses.
            pub(super) fn rates(&self) -> Option<&RateTable> {
                match self {
                    $(Self::$name(this) => this.rates(),)*
                }
            }
        }
    };
}

list_matches! {
    /// The ports and flags of a TCP segment.
    Tcp(tcp::Tcp) = TCP,
    /// The ports of a UDP datagram.
    Udp(udp::Udp) = UDP,
    /// Addresses seen recently.
    Recent(recent::Recent) = RECENT,
    /// Type and code of an ICMP message.
    Icmp(icmp::Icmp<IPPROTO_ICMP>) = ICMP,
    /// Type and code of an ICMPv6 message.
    Icmpv6(icmp::Icmp<IPPROTO_ICMPV6>) = ICMPV6,
    /// The state from connection tracking.
    Conntrack(conntrack::Conntrack) = CONNTRACK,
    /// Bits of the packet's mark.
    Mark(mark::MarkMatch) = MARK,
    /// Several ports at once.
    Multiport(multiport::Multiport) = MULTIPORT,
    /// A comment.
    Comment(comment::Comment) = COMMENT,
    /// A limited rate.
    Limit(limit::LimitMatch) = LIMIT,
    /// The number of connections.
    Connlimit(connlimit::Connlimit) = CONNLIMIT,
    /// The packet's contents.
    String(string::StringMatch) = STRING,
    /// How long the packet is.
    Length(length::Length) = LENGTH,
    /// The TTL of an IPv4 packet.
    Ttl(hop_limit::HopLimit<false>) = TTL,
    /// The hop limit of an IPv6 packet.
    Hl(hop_limit::HopLimit<true>) = HL,
    /// Ranges of addresses.
    Iprange(iprange::Iprange) = IPRANGE,
    /// The types of the addresses.
    Addrtype(addrtype::Addrtype) = ADDRTYPE,
    /// What a ClientHello asks for.
    Tls(tls::TlsMatch) = TLS,
    /// What a request of HTTP asks for.
    Http(http::HttpMatch) = HTTP,
    /// A limited rate by address and port.
    Hashlimit(hashlimit::Hashlimit) = HASHLIMIT,
}

impl Match {
    /// Matches a packet.
    #[inline]
    pub(super) fn matches(&self, packet: &Packet<'_>) -> MatchResult {
        match self {
            Self::Recent(recent) => recent.matches(packet),
            further => further.matches_further(packet),
        }
    }

    /// Decodes a match from an attribute that contains exactly one.
    pub(super) fn decode<'a>(
        attribute: Attribute<'a>,
        context: &mut DecodeContext<'a, '_>,
    ) -> NetlinkResult<'a, Self> {
        match attribute.nested().only() {
            Some(one) => Self::decode_one(one, context),
            None => Err(ExtAckError::new(EINVAL, c"a match is exactly one thing").at(attribute)),
        }
    }
}
