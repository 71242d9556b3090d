// SPDX-License-Identifier: GPL-2.0

//! Running a packet through a chain, and through those that it jumps to.

use super::{
    chain::Chain,
    chains::ChainId,
    jumps::DEPTH_MAX,
    matches::Outcome,
    ruleset::Ruleset,
    targets::Action, //
};
use crate::{
    kernel_api::netfilter::Verdict,
    packet::Packet, //
};

/// What becomes of a packet of a built-in chain.
pub(crate) fn evaluate(ruleset: &Ruleset, base: ChainId, packet: &Packet<'_>) -> Verdict {
    let Some(first) = ruleset.chain(base) else {
        return Verdict::Accept;
    };
    let mut place = 0;
    let decision = match run(first, &mut place, packet) {
        Action::Continue | Action::Return => None,
        Action::Accept => Some(Verdict::Accept),
        Action::Drop => Some(Verdict::Drop),
        jump @ (Action::Jump(_) | Action::Goto(_)) => follow(ruleset, first, place, jump, packet),
    };
    match (decision, &first.policy) {
        (Some(verdict), _) => verdict,
        (None, Some(policy)) => {
            policy.counters.count(packet.len());
            policy.verdict
        }
        (None, None) => Verdict::Accept,
    }
}

/// Runs the packet through a chain from a place on, until it leaves it.
#[inline]
fn run(chain: &Chain, place: &mut usize, packet: &Packet<'_>) -> Action {
    let mut next = *place;
    while let Some(rule) = chain.rules.get(next) {
        next = next.wrapping_add(1);
        match rule.matches(packet) {
            Outcome::Mismatch => continue,
            Outcome::Drop => return Action::Drop,
            Outcome::Match => rule.counters().count(packet.len()),
        }
        match rule.target().map(|target| target.apply(packet)) {
            None | Some(Action::Continue) => {}
            Some(action) => {
                *place = next;
                return action;
            }
        }
    }
    Action::Return
}

/// Follows a jump, and all further ones. None if the policy of the built-in chain decides.
// Apart, since most packets do not jump, and the callers take up some stack.
#[inline(never)]
fn follow(
    ruleset: &Ruleset,
    first: &Chain,
    place: usize,
    jump: Action,
    packet: &Packet<'_>,
) -> Option<Verdict> {
    let mut callers = Callers::new();
    let (mut chain, mut place, mut action) = (first, place, jump);
    loop {
        (chain, place) = match action {
            Action::Continue => (chain, place),
            Action::Accept => return Some(Verdict::Accept),
            Action::Drop => return Some(Verdict::Drop),
            Action::Return => callers.pop()?,
            Action::Jump(id) => match ruleset.chain(id) {
                Some(next) if callers.push(chain, place) => (next, 0),
                // Checking the jumps has made sure that there is such a chain, and room.
                _ => return Some(Verdict::Drop),
            },
            Action::Goto(id) => (ruleset.chain(id)?, 0),
        };
        action = run(chain, &mut place, packet);
    }
}

/// Where it goes on when a chain ends.
struct Callers<'a> {
    frames: [Option<(&'a Chain, usize)>; DEPTH_MAX],
    depth: usize,
}

impl<'a> Callers<'a> {
    fn new() -> Self {
        Self {
            frames: [None; DEPTH_MAX],
            depth: 0,
        }
    }

    /// Whether there was room.
    fn push(&mut self, chain: &'a Chain, place: usize) -> bool {
        let Some(frame) = self.frames.get_mut(self.depth) else {
            return false;
        };
        *frame = Some((chain, place));
        self.depth = self.depth.wrapping_add(1);
        true
    }

    fn pop(&mut self) -> Option<(&'a Chain, usize)> {
        self.depth = self.depth.checked_sub(1)?;
        self.frames.get(self.depth).copied().flatten()
    }
}
