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
    resources::{
        Resources,
        Surroundings, //
    },
};
use crate::{
    kernel_api::{
        extended_ack::{
            ExtAckError,
            NetlinkResult, //
        },
        message::Message,
        netfilter::HookNumber,
        netlink::Attribute,
        rewrite::Rewritten, //
    },
    packet::Packet,
    spec::attribute::target as attributes, //
};
use kernel::prelude::*;

/// How it goes on after a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// With the next rule.
    Continue,
    /// The packet goes on; no further rule of the table sees it.
    Accept,
    /// The packet is dropped.
    Drop,
    /// The packet goes back to where it came from.
    Transmit(Rewritten),
    /// The chain is left; of a built-in chain the policy decides.
    Return,
    /// In another chain, and then behind this rule.
    Jump(ChainId),
    /// In another chain, and then where this one would have gone on.
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
pub(super) trait PacketTarget: PartialEq + Sized {
    /// The attribute of the set `target` that stands for it.
    const ATTRIBUTE: u16;

    /// Which packets all of its kind can work on, if not on all.
    const RESTRICTION: Option<Restriction> = None;

    /// Whether connection tracking has to see the packets of the namespace for it.
    const NEEDS_CONNTRACK: bool = false;

    /// Whether SYNPROXY has to be at work in the namespace for it.
    const NEEDS_SYNPROXY: bool = false;

    /// Which packets it can work on, if not on all.
    fn restriction(&self) -> Option<&'static Restriction> {
        const { &Self::RESTRICTION }.as_ref()
    }

    /// Does it.
    fn apply(&self, packet: &Packet<'_>) -> Action;

    /// Makes it from its attribute.
    fn decode<'a>(
        attribute: Attribute<'a>,
        surroundings: &Surroundings<'_>,
        resources: &mut Resources<'_>,
    ) -> NetlinkResult<'a, Self>;

    /// Writes its attribute.
    fn encode(&self, message: &mut Message) -> Result;
}

/// Makes an enum of all targets.
macro_rules! list_targets {
    ($($(#[$documentation:meta])* $name:ident($kind:ty),)*) => {
        /// Any target.
        #[derive(PartialEq)]
        pub(super) enum Target {
            /// Another chain.
            Jump(jump::Jump),
            $($(#[$documentation])* $name($kind),)*
        }

        impl Target {
            #[inline(never)]
            fn apply_further(&self, packet: &Packet<'_>) -> Action {
                match self {
                    Self::Jump(jump) => jump.action(),
                    $(Self::$name(this) => this.apply(packet),)*
                }
            }

            fn decode_one<'a>(
                attribute: Attribute<'a>,
                surroundings: &Surroundings<'_>,
                resources: &mut Resources<'_>,
            ) -> NetlinkResult<'a, Self> {
                match attribute.kind() {
                    attributes::JUMP | attributes::GOTO => {
                        jump::Jump::decode(attribute, surroundings).map(Self::Jump)
                    }
                    $(<$kind>::ATTRIBUTE => {
                        <$kind>::decode(attribute, surroundings, resources).map(Self::$name)
                    })*
                    _ => Err(ExtAckError::new(ENOENT, c"there is no such target")),
                }
                .map_err(|refusal| refusal.at(attribute))
            }

            /// Writes the attribute that stands for it, where chains have these names.
            pub(super) fn encode(&self, names: &dyn ChainNames, message: &mut Message) -> Result {
                match self {
                    Self::Jump(jump) => jump.encode(names, message),
                    $(Self::$name(this) => this.encode(message),)*
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
    Verdict(verdict::VerdictTarget),
    /// Changing the packet's mark.
    Mark(mark::MarkTarget),
    /// Passing connection tracking by.
    Notrack(notrack::Notrack),
    /// A refusal.
    Reject(reject::Reject),
    /// A line in the kernel's log.
    Log(log::Log),
    /// Another destination: this machine.
    Redirect(redirect::Redirect),
    /// Answers in the server's name.
    Synproxy(synproxy::SynproxyTarget),
}

impl Target {
    /// Does what it is there for.
    #[inline(always)]
    pub(super) fn apply(&self, packet: &Packet<'_>) -> Action {
        match self {
            // What nearly all rules do costs no call.
            Self::Verdict(verdict) => verdict.apply(packet),
            further => further.apply_further(packet),
        }
    }

    /// Makes a target from an attribute that holds exactly one that stands for it.
    pub(super) fn decode<'a>(
        attribute: Attribute<'a>,
        surroundings: &Surroundings<'_>,
        resources: &mut Resources<'_>,
    ) -> NetlinkResult<'a, Self> {
        let mut inner = attribute.nested();
        match (inner.next(), inner.next()) {
            (Some(one), None) => Self::decode_one(one, surroundings, resources),
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
