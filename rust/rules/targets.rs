// SPDX-License-Identifier: GPL-2.0

//! What rules do with a packet that matches: a file each.

mod verdict;

use crate::{
    kernel_api::{
        extended_ack::{
            Handled,
            Refusal, //
        },
        message::Message,
        netlink::Attribute, //
    },
    packet::Packet, //
};
use kernel::prelude::*;

/// How it goes on after a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// The packet goes on; no further rule sees it.
    Accept,
    /// The packet is dropped.
    Drop,
    /// The chain is left; of a built-in chain the policy decides.
    Return,
}

/// What is done with a packet.
pub(super) trait PacketTarget: PartialEq + Sized {
    /// The attribute of the set `target` that stands for it.
    const ATTRIBUTE: u16;

    /// Does it.
    fn apply(&self, packet: &Packet<'_>) -> Action;

    /// Makes it from its attribute.
    fn decode<'a>(attribute: Attribute<'a>) -> Handled<'a, Self>;

    /// Writes its attribute.
    fn encode(&self, message: &mut Message) -> Result;
}

/// Makes an enum of all targets.
macro_rules! list_targets {
    ($($(#[$documentation:meta])* $name:ident($kind:ty),)*) => {
        /// Any target.
        #[derive(PartialEq)]
        pub(super) enum Target {
            $($(#[$documentation])* $name($kind),)*
        }

        impl Target {
            /// Does what it is there for.
            #[inline]
            pub(super) fn apply(&self, packet: &Packet<'_>) -> Action {
                match self {
                    $(Self::$name(this) => this.apply(packet),)*
                }
            }

            fn decode_one<'a>(attribute: Attribute<'a>) -> Handled<'a, Self> {
                match attribute.kind() {
                    $(<$kind>::ATTRIBUTE => <$kind>::decode(attribute).map(Self::$name),)*
                    _ => Err(Refusal::new(ENOENT, c"there is no such target")),
                }
                .map_err(|refusal| refusal.at(attribute))
            }

            /// Writes the attribute that stands for it.
            pub(super) fn encode(&self, message: &mut Message) -> Result {
                match self {
                    $(Self::$name(this) => this.encode(message),)*
                }
            }
        }
    };
}

list_targets! {
    /// A verdict.
    Verdict(verdict::VerdictTarget),
}

impl Target {
    /// Makes a target from an attribute that holds exactly one that stands for it.
    pub(super) fn decode<'a>(attribute: Attribute<'a>) -> Handled<'a, Self> {
        let mut inner = attribute.nested();
        match (inner.next(), inner.next()) {
            (Some(one), None) => Self::decode_one(one),
            _ => Err(Refusal::new(EINVAL, c"a target is exactly one thing").at(attribute)),
        }
    }
}
