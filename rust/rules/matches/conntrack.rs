// SPDX-License-Identifier: GPL-2.0

//! The match `conntrack`: a packet's state in connection tracking.

use crate::{
    kernel_api::conntrack::{
        Tracking,
        TrackingState, //
    },
    rules::prelude::*, //
};

const INVALID: u32 = 1;
const NEW: u32 = 2;
const ESTABLISHED: u32 = 4;
const RELATED: u32 = 8;
const UNTRACKED: u32 = 16;
const SOURCE_TRANSLATED: u32 = 32;
const DESTINATION_TRANSLATED: u32 = 64;

/// The states that a packet is in, as bits of the attribute.
#[inline]
fn states_of(tracking: Tracking) -> u32 {
    let state = match tracking.state {
        TrackingState::Invalid => INVALID,
        TrackingState::New => NEW,
        TrackingState::Established => ESTABLISHED,
        TrackingState::Related => RELATED,
        TrackingState::Untracked => UNTRACKED,
    };
    let when = |condition, states| if condition { states } else { 0 };
    state
        | when(tracking.source_translated, SOURCE_TRANSLATED)
        | when(tracking.destination_translated, DESTINATION_TRANSLATED)
}

nest! {
    /// A packet's state in connection tracking.
    #[derive(PartialEq, Eq)]
    pub(crate) struct Conntrack: attribute::conntrack {
        states: u32 = STATES, required c"a conntrack match needs a state";
        invert: bool = STATES_INVERT, flag;
    }
}

impl PacketMatch for Conntrack {
    type Attributes = Self;

    const NEEDS_CONNTRACK: bool = true;

    fn new<'a>(conntrack: Self, context: &mut DecodeContext<'a, '_>) -> NetlinkResult<'a, Self> {
        match conntrack.states {
            0 => Err(context.refuse(
                attribute::conntrack::STATES,
                c"a conntrack match needs a state",
            )),
            _ => Ok(conntrack),
        }
    }

    fn attributes(&self) -> &Self {
        self
    }

    #[inline(never)]
    fn matches(&self, packet: &Packet<'_>) -> MatchResult {
        let states = states_of(packet.skb().tracking());
        MatchResult::from((self.states & states != 0) != self.invert)
    }
}
