// SPDX-License-Identifier: GPL-2.0

//! Running a packet through a chain, and those that it jumps to.

use super::{
    chain::RuleEntry,
    jumps::DEPTH_MAX,
    ruleset::Ruleset,
    trace, //
};
use crate::{
    rules::prelude::*,
    spec::TraceOutcome, //
};

/// The rest of a chain, which the packet has not traversed yet.
type Rest<'a> = &'a [RuleEntry];

/// The verdict on a packet of a built-in chain. Only if it `IS_HEARD`, what traced packets meet is told:
/// asking at each rule would cost a packet a tenth of what the rule costs it.
#[inline(always)]
pub(crate) fn evaluate<const IS_HEARD: bool>(
    ruleset: &Ruleset,
    base: ChainId,
    packet: &mut Packet<'_>,
) -> Verdict {
    let Some(chain) = ruleset.chain(base) else {
        return Verdict::Accept;
    };
    let mut rest = chain.rules.entries();
    let verdict = match run::<IS_HEARD>(ruleset, base, &mut rest, packet) {
        // Each by itself, so that the compiler leads it to the hook's return value without a detour.
        Decision::Verdict(Verdict::Drop) => return Verdict::Drop,
        Decision::Verdict(Verdict::Accept) => return Verdict::Accept,
        Decision::Verdict(verdict) => return verdict,
        Decision::Continue | Decision::Return => None,
        jump @ (Decision::Jump(_) | Decision::Goto(_)) => {
            follow::<IS_HEARD>(ruleset, (base, rest), jump, packet)
        }
    };
    match (verdict, &chain.policies) {
        (Some(verdict), _) => verdict,
        (None, Some(policies)) => {
            let policy = policies.of(packet.family);
            policy.counters.count(packet.len());
            if IS_HEARD && ruleset.tracing.is_wanted(packet) {
                let outcome = match policy.accepts {
                    true => TraceOutcome::Accept,
                    false => TraceOutcome::Drop,
                };
                trace::tell_end(ruleset, base, outcome, packet);
            }
            policy.verdict()
        }
        (None, None) => Verdict::Accept,
    }
}

/// Runs a packet through the rest of a chain until a rule has it leave the chain;
/// [`Decision::Continue`] at the end of the chain.
#[inline(always)]
fn run<const IS_HEARD: bool>(
    ruleset: &Ruleset,
    chain: ChainId,
    rest: &mut Rest<'_>,
    packet: &mut Packet<'_>,
) -> Decision {
    while let Some(entry) = next_admitted(rest, packet) {
        let rule = &*entry.rule;
        match rule.matches_admitted(&entry.pattern, packet) {
            MatchResult::Mismatch => continue,
            MatchResult::Hotdrop => {
                if IS_HEARD && ruleset.tracing.is_wanted(packet) {
                    trace::tell_malformed(ruleset, (chain, rest), entry, packet);
                }
                return Decision::Verdict(Verdict::Drop);
            }
            MatchResult::Match => rule.counters.count(packet.len()),
        }
        let decision = if IS_HEARD && ruleset.tracing.is_wanted(packet) {
            Some(trace::apply(ruleset, (chain, rest), entry, packet))
        } else {
            rule.target().map(|target| target.apply(packet))
        };
        match decision {
            None | Some(Decision::Continue) => {}
            Some(decision) => return decision,
        }
    }
    Decision::Continue
}

/// The next rule whose pattern admits the packet.
#[inline(always)]
fn next_admitted<'a>(rest: &mut Rest<'a>, packet: &Packet<'_>) -> Option<&'a RuleEntry> {
    let (entry, further) = rest.split_first()?;
    *rest = further;
    if packet.profile.admits(&entry.pattern) {
        return Some(entry);
    }
    // Two at a time, since most rules of a long chain are skipped.
    while let [first, second, further @ ..] = rest {
        if packet.profile.admits(&first.pattern) || packet.profile.admits(&second.pattern) {
            break;
        }
        *rest = further;
    }
    while let [entry, further @ ..] = rest {
        *rest = further;
        if packet.profile.admits(&entry.pattern) {
            return Some(entry);
        }
    }
    None
}

/// Follows a jump and all further ones. `None` if the built-in chain's policy decides.
// Not inlined: most packets do not jump, and the callers take up some stack.
#[inline(never)]
fn follow<'a, const IS_HEARD: bool>(
    ruleset: &'a Ruleset,
    first: (ChainId, Rest<'a>),
    jump: Decision,
    packet: &mut Packet<'_>,
) -> Option<Verdict> {
    let mut callers = Callers::new();
    let ((mut chain, mut rest), mut decision) = (first, jump);
    loop {
        (chain, rest) = match decision {
            Decision::Verdict(verdict) => return Some(verdict),
            Decision::Continue => {
                let is_user_defined = chain.base().is_none();
                if IS_HEARD && is_user_defined && ruleset.tracing.is_wanted(packet) {
                    trace::tell_end(ruleset, chain, TraceOutcome::Return, packet);
                }
                callers.pop()?
            }
            Decision::Return => callers.pop()?,
            Decision::Jump(id) => match ruleset.chain(id) {
                Some(next) if callers.push((chain, rest)) => (id, next.rules.entries()),
                // Checking the jumps made sure that the chain exists, and that there is room.
                _ => return Some(Verdict::Drop),
            },
            Decision::Goto(id) => (id, ruleset.chain(id)?.rules.entries()),
        };
        decision = run::<IS_HEARD>(ruleset, chain, &mut rest, packet);
    }
}

/// The stack of calling chains.
struct Callers<'a> {
    frames: [(ChainId, Rest<'a>); DEPTH_MAX],
    depth: usize,
}

impl<'a> Callers<'a> {
    fn new() -> Self {
        Self {
            frames: [(ChainId::new(0), &[]); DEPTH_MAX],
            depth: 0,
        }
    }

    /// Returns `false` if there is no room.
    fn push(&mut self, caller: (ChainId, Rest<'a>)) -> bool {
        let Some(frame) = self.frames.get_mut(self.depth) else {
            return false;
        };
        *frame = caller;
        self.depth = self.depth.wrapping_add(1);
        true
    }

    fn pop(&mut self) -> Option<(ChainId, Rest<'a>)> {
        self.depth = self.depth.checked_sub(1)?;
        self.frames.get(self.depth).copied()
    }
}
