// SPDX-License-Identifier: GPL-2.0

//! The targets of rules, one per file.

mod jump;
mod log;
mod mark;
mod nat;
mod notrack;
mod port_range;
mod redirect;
mod reject;
mod synproxy;
mod tcpmss;
mod trace;
mod verdict;

use crate::{
    rules::prelude::*,
    spec::attribute::target as attributes, //
};

/// What happens to a packet after a rule that it matches.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// It continues with the next rule.
    Continue,
    /// No further rule of the table sees it.
    Verdict(Verdict),
    /// It leaves the chain; in a built-in chain, the policy decides.
    Return,
    /// It traverses another chain, and then continues with the next rule.
    Jump(ChainId),
    /// It traverses another chain, and then continues where this chain would have returned to.
    Goto(ChainId),
}

/// A target.
pub(super) trait PacketTarget: Sized {
    /// The type of its attribute.
    type Attributes: Payload + PartialEq;

    /// Whether it needs connection tracking in the namespace.
    const NEEDS_CONNTRACK: bool = false;

    /// Whether it needs SYNPROXY in the namespace.
    const NEEDS_SYNPROXY: bool = false;

    /// Whether it translates connections.
    const TRANSLATES: bool = false;

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

    /// Which packets it can handle; `None` means all.
    fn restriction(&self) -> Option<&'static Restriction> {
        None
    }

    /// Applies it to a packet.
    fn apply(&self, packet: &mut Packet<'_>) -> Decision;
}

/// Defines an enum of all targets.
macro_rules! list_targets {
    ($($(#[$documentation:meta])* $name:ident($kind:ty) = $attribute:ident,)*) => {
        /// Any target.
        pub(super) enum Target {
            /// Another chain.
            Jump(jump::Jump),
            $($(#[$documentation])* $name($kind),)*
        }

        impl PartialEq for Target {
            fn eq(&self, other: &Self) -> bool {
                match (self, other) {
                    (Self::Jump(this), Self::Jump(other)) => this == other,
                    $((Self::$name(this), Self::$name(other)) => {
                        this.attributes() == other.attributes()
                    })*
                    _ => false,
                }
            }
        }

        impl Target {
            #[inline(never)]
            fn apply_further(&self, packet: &mut Packet<'_>) -> Decision {
                match self {
                    Self::Jump(jump) => jump.decision(),
                    $(Self::$name(this) => this.apply(packet),)*
                }
            }

            fn decode_one<'a>(
                attribute: Attribute<'a>,
                context: &mut DecodeContext<'a, '_>,
            ) -> NetlinkResult<'a, Self> {
                context.nest = attribute.nested();
                match attribute.kind() {
                    attributes::JUMP | attributes::GOTO => {
                        jump::Jump::decode(attribute, context).map(Self::Jump)
                    }
                    $(attributes::$attribute => {
                        Payload::read(attribute)
                            .and_then(|read| PacketTarget::new(read, context))
                            .map(Self::$name)
                    })*
                    _ => Err(ExtAckError::new(ENOENT, c"there is no such target")),
                }
                .map_err(|error| error.at(attribute))
            }

            /// Writes its attribute. `names` has the names of chains.
            pub(super) fn encode(&self, names: &dyn ChainNames, message: &mut Message<'_>) -> Result {
                match self {
                    Self::Jump(jump) => jump.encode(names, message),
                    $(Self::$name(this) => {
                        this.attributes().write(attributes::$attribute, message)
                    })*
                }
            }

            /// Whether it needs connection tracking in the namespace.
            pub(super) fn needs_conntrack(&self) -> bool {
                match self {
                    Self::Jump(_) => false,
                    $(Self::$name(_) => <$kind>::NEEDS_CONNTRACK,)*
                }
            }

            /// Whether it needs SYNPROXY in the namespace.
            pub(super) fn needs_synproxy(&self) -> bool {
                match self {
                    Self::Jump(_) => false,
                    $(Self::$name(_) => <$kind>::NEEDS_SYNPROXY,)*
                }
            }

            /// Whether it translates connections.
            pub(super) fn translates(&self) -> bool {
                match self {
                    Self::Jump(_) => false,
                    $(Self::$name(_) => <$kind>::TRANSLATES,)*
                }
            }

            /// Which packets it can handle; `None` means all.
            pub(super) fn restriction(&self) -> Option<&'static Restriction> {
                match self {
                    Self::Jump(_) => None,
                    $(Self::$name(this) => this.restriction(),)*
                }
            }
        }
    };
}

list_targets! {
    /// A verdict.
    Verdict(verdict::VerdictTarget) = VERDICT,
    /// Sets the packet's mark.
    Mark(mark::MarkTarget) = MARK,
    /// Bypasses connection tracking.
    Notrack(notrack::Notrack) = NOTRACK,
    /// Drops the packet and tells the sender.
    Reject(reject::Reject) = REJECT,
    /// Logs the packet.
    Log(log::Log) = LOG,
    /// Redirects the connection to this machine.
    Redirect(redirect::Redirect) = REDIRECT,
    /// Answers in the server's name.
    Synproxy(synproxy::SynproxyTarget) = SYNPROXY,
    /// Lowers the MSS that a SYN announces.
    Tcpmss(tcpmss::Tcpmss) = TCPMSS,
    /// Translates the connection's destination.
    Dnat(nat::Nat<{ attributes::DNAT }>) = DNAT,
    /// Translates its source.
    Snat(nat::Nat<{ attributes::SNAT }>) = SNAT,
    /// Translates its source to an address of the interface that it goes out by.
    Masquerade(nat::Nat<{ attributes::MASQUERADE }>) = MASQUERADE,
    /// Has the packet traced.
    Trace(trace::Trace) = TRACE,
}

impl Target {
    /// Applies it to a packet.
    #[inline]
    pub(super) fn apply(&self, packet: &mut Packet<'_>) -> Decision {
        match self {
            // The most frequent target costs no call.
            Self::Verdict(verdict) => verdict.apply(packet),
            further => further.apply_further(packet),
        }
    }

    /// Decodes a target from an attribute that contains exactly one.
    pub(super) fn decode<'a>(
        attribute: Attribute<'a>,
        context: &mut DecodeContext<'a, '_>,
    ) -> NetlinkResult<'a, Self> {
        match attribute.nested().only() {
            Some(one) => Self::decode_one(one, context),
            None => Err(ExtAckError::new(EINVAL, c"a target is exactly one thing").at(attribute)),
        }
    }

    /// The chain that it jumps to.
    pub(super) fn destination(&self) -> Option<ChainId> {
        match self {
            Self::Jump(jump) => Some(jump.destination()),
            _ => None,
        }
    }
}
