// SPDX-License-Identifier: GPL-2.0

//! Running a packet through a chain.

use super::{
    matches::Outcome,
    ruleset::Chain,
    targets::Action, //
};
use crate::{
    kernel_api::netfilter::Verdict,
    packet::Packet, //
};

/// What becomes of a packet.
pub(crate) fn evaluate(chain: &Chain, packet: &Packet<'_>) -> Verdict {
    for rule in &chain.rules {
        match rule.matches(packet) {
            Outcome::Mismatch => continue,
            Outcome::Drop => return Verdict::Drop,
            Outcome::Match => rule.counters().count(packet.len()),
        }
        match rule.target().map(|target| target.apply(packet)) {
            None => {}
            Some(Action::Accept) => return Verdict::Accept,
            Some(Action::Drop) => return Verdict::Drop,
            Some(Action::Return) => break,
        }
    }
    chain.policy_counters.count(packet.len());
    chain.policy
}
