// SPDX-License-Identifier: GPL-2.0

//! What rules do with a packet that matches: a file each.

mod jump;
mod log;
mod mark;
mod notrack;
mod redirect;
mod reject;
mod synproxy;
mod verdict;

use super::{
    chains::{
        ChainId,
        ChainNames, //
    },
    context::DecodeContext, //
};
use crate::{
    kernel_api::{
        netfilter::{
            HookNumber,
            Verdict, //
        },
        netlink::{
            extended_ack::{
                ExtAckError,
                NetlinkResult, //
            },
            message::Message,
            nest::Payload,
            Attribute,
            Attributes, //
        },
    },
    packet::Packet,
    spec::attribute::target as attributes, //
};
use kernel::prelude::*;

/// What happens to a packet after a rule that it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// It goes to the next rule.
    Continue,
    /// No further rule of the table sees it.
    Verdict(Verdict),
    /// It leaves the chain; in a built-in chain the policy decides.
    Return,
    /// It goes through another chain, and then to the next rule.
    Jump(ChainId),
    /// It goes through another chain, and then to where this one would have returned.
    Goto(ChainId),
}

/// Which packets a target can work on.
pub(super) struct Restriction {
    /// Where they come from.
    pub(super) hooknums: &'static [HookNumber],
    /// What is said to who wants something else.
    pub(super) message: &'static CStr,
}

/// What is done with a packet.
pub(super) trait PacketTarget: Sized {
    /// What its attribute holds.
    type Attributes: Payload + PartialEq;

    /// Whether connection tracking has to see the packets of the namespace for it.
    const NEEDS_CONNTRACK: bool = false;

    /// Whether SYNPROXY has to be at work in the namespace for it.
    const NEEDS_SYNPROXY: bool = false;

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

    /// Which packets it can work on, if not on all.
    fn restriction(&self) -> Option<&'static Restriction> {
        None
    }

    /// Does it.
    fn apply(&self, packet: &Packet<'_>) -> Decision;
}

/// Makes an enum of all targets.
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
            fn apply_further(&self, packet: &Packet<'_>) -> Decision {
                match self {
                    Self::Jump(jump) => jump.decision(),
                    $(Self::$name(this) => this.apply(packet),)*
                }
            }

            fn decode_one<'a>(
                attribute: Attribute<'a>,
                context: &mut DecodeContext<'_, '_>,
            ) -> NetlinkResult<'a, Self> {
                match attribute.kind() {
                    attributes::JUMP | attributes::GOTO => {
                        jump::Jump::decode(attribute, context).map(Self::Jump)
                    }
                    $(attributes::$attribute => {
                        Payload::read(attribute)
                            .and_then(|read| PacketTarget::new(read, attribute.nested(), context))
                            .map(Self::$name)
                    })*
                    _ => Err(ExtAckError::new(ENOENT, c"there is no such target")),
                }
                .map_err(|error| error.at(attribute))
            }

            /// Writes the attribute that stands for it, where chains have these names.
            pub(super) fn encode(&self, names: &dyn ChainNames, message: &mut Message) -> Result {
                match self {
                    Self::Jump(jump) => jump.encode(names, message),
                    $(Self::$name(this) => {
                        this.attributes().write(attributes::$attribute, message)
                    })*
                }
            }

            /// Whether connection tracking has to see the packets of the namespace for it.
            pub(super) fn needs_conntrack(&self) -> bool {
                match self {
                    Self::Jump(_) => false,
                    $(Self::$name(_) => <$kind>::NEEDS_CONNTRACK,)*
                }
            }

            /// Whether SYNPROXY has to be at work in the namespace for it.
            pub(super) fn needs_synproxy(&self) -> bool {
                match self {
                    Self::Jump(_) => false,
                    $(Self::$name(_) => <$kind>::NEEDS_SYNPROXY,)*
                }
            }

            /// Which packets it can work on, if not on all.
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
    /// Changing the packet's mark.
    Mark(mark::MarkTarget) = MARK,
    /// Passing connection tracking by.
    Notrack(notrack::Notrack) = NOTRACK,
    /// A refusal.
    Reject(reject::Reject) = REJECT,
    /// A line in the kernel's log.
    Log(log::Log) = LOG,
    /// Another destination: this machine.
    Redirect(redirect::Redirect) = REDIRECT,
    /// Answers in the server's name.
    Synproxy(synproxy::SynproxyTarget) = SYNPROXY,
}

impl Target {
    /// Does what it is there for.
    #[inline(always)]
    pub(super) fn apply(&self, packet: &Packet<'_>) -> Decision {
        match self {
            // What nearly all rules do costs no call.
            Self::Verdict(verdict) => verdict.apply(packet),
            further => further.apply_further(packet),
        }
    }

    /// Makes a target from an attribute that holds exactly one that stands for it.
    pub(super) fn decode<'a>(
        attribute: Attribute<'a>,
        context: &mut DecodeContext<'_, '_>,
    ) -> NetlinkResult<'a, Self> {
        let mut inner = attribute.nested();
        match (inner.next(), inner.next()) {
            (Some(one), None) => Self::decode_one(one, context),
            _ => Err(ExtAckError::new(EINVAL, c"a target is exactly one thing").at(attribute)),
        }
    }

    /// The chain that it leads to.
    pub(super) fn destination(&self) -> Option<ChainId> {
        match self {
            Self::Jump(jump) => Some(jump.destination()),
            _ => None,
        }
    }
}
