// SPDX-License-Identifier: GPL-2.0

//! The match `conntrack`: what connection tracking says of a packet.

use super::{
    MatchResult,
    PacketMatch, //
};
use crate::{
    kernel_api::{
        conntrack::{
            Tracking,
            TrackingState, //
        },
        extended_ack::{
            ExtAckError,
            NetlinkResult, //
        },
        message::Message,
        netlink::Attribute, //
    },
    packet::Packet,
    rules::resources::{
        Resources,
        Surroundings, //
    },
    spec::attribute::{
        conntrack as attributes,
        r#match, //
    },
};
use kernel::prelude::*;

/// A set of states: the bits that the attribute has.
#[derive(Clone, Copy, PartialEq, Eq)]
struct States(u32);

impl States {
    const INVALID: u32 = 1;
    const NEW: u32 = 2;
    const ESTABLISHED: u32 = 4;
    const RELATED: u32 = 8;
    const UNTRACKED: u32 = 16;
    const SOURCE_TRANSLATED: u32 = 32;
    const DESTINATION_TRANSLATED: u32 = 64;

    /// Those that are true of a packet.
    #[inline]
    fn of(tracking: Tracking) -> Self {
        let state = match tracking.state {
            TrackingState::Invalid => Self::INVALID,
            TrackingState::New => Self::NEW,
            TrackingState::Established => Self::ESTABLISHED,
            TrackingState::Related => Self::RELATED,
            TrackingState::Untracked => Self::UNTRACKED,
        };
        let when = |condition, states| if condition { states } else { 0 };
        Self(
            state
                | when(tracking.source_translated, Self::SOURCE_TRANSLATED)
                | when(
                    tracking.destination_translated,
                    Self::DESTINATION_TRANSLATED,
                ),
        )
    }

    #[inline]
    fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// What connection tracking says of a packet.
#[derive(PartialEq, Eq)]
pub(in crate::rules) struct Conntrack {
    states: States,
    invert: bool,
}

impl PacketMatch for Conntrack {
    const ATTRIBUTE: u16 = r#match::CONNTRACK;
    const NEEDS_CONNTRACK: bool = true;

    #[inline(never)]
    fn matches(&self, packet: &Packet<'_>) -> MatchResult {
        let states = States::of(packet.skb().tracking());
        MatchResult::from(self.states.intersects(states) != self.invert)
    }

    fn decode<'a>(
        attribute: Attribute<'a>,
        _surroundings: &Surroundings<'_>,
        _resources: &mut Resources<'_>,
    ) -> NetlinkResult<'a, Self> {
        let conntrack = attribute.nested();
        let states = conntrack
            .get(attributes::STATES)
            .and_then(|attribute| attribute.u32())
            .filter(|&states| states != 0)
            .ok_or(ExtAckError::new(EINVAL, c"a conntrack match needs a state"))?;
        Ok(Self {
            states: States(states),
            invert: conntrack.has(attributes::STATES_INVERT),
        })
    }

    fn encode(&self, message: &mut Message) -> Result {
        message.nest(Self::ATTRIBUTE, |message| {
            message.put_u32(attributes::STATES, self.states.0)?;
            message.put_flag(attributes::STATES_INVERT, self.invert)
        })
    }
}
