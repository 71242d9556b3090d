// SPDX-License-Identifier: GPL-2.0

//! Limits jumps between chains, so that no packet runs forever.
//!
//! Chains may jump to chains, but not in a loop, not deeper than [`DEPTH_MAX`], and not so that a
//! packet could traverse more rules than a namespace may have: a few chains, each jumping twice to
//! the next, would otherwise keep it busy for days.

use super::{
    context::RuleLimits,
    draft::Draft, //
};
use crate::{
    kernel_api::work::cond_resched,
    rules::prelude::*, //
};

/// The maximum depth of jumps.
pub(super) const DEPTH_MAX: usize = 32;

/// Which packets a match or target can handle.
pub(super) struct Restriction {
    /// The hooks that they may come from.
    pub(super) hooknums: &'static [HookNumber],
    /// The message for other hooks.
    pub(super) message: &'static CStr,
}

/// A rule that jumps from one chain to another.
struct Edge {
    from: usize,
    to: usize,
}

/// What is known of a chain.
#[derive(Clone, Copy, Default)]
struct ChainInfo {
    /// The longest path of jumps to it.
    depth: usize,
    /// The maximum number of rules that a packet traverses from here on.
    rules: usize,
    /// A bit for each built-in chain whose packets may get here.
    origins: u32,
}

/// Checks a draft.
///
/// # Errors
///
/// `EMLINK` if there are too many jumps, `EINVAL` if a match or target cannot handle packets that get
/// to it.
pub(super) fn check<'a>(draft: &Draft, limits: &RuleLimits) -> NetlinkResult<'a> {
    let mut jumps = KVVec::new();
    let mut chains = KVVec::new();
    for (id, chain) in draft.chains() {
        let own = ChainInfo {
            rules: chain.rules.len(),
            origins: id
                .base()
                .map_or(0, |_| 1u32.wrapping_shl(id.number() as u32)),
            ..ChainInfo::default()
        };
        chains.resize(id.number(), ChainInfo::default(), GFP_KERNEL_ACCOUNT)?;
        chains.push(own, GFP_KERNEL_ACCOUNT)?;
        for to in chain.rules.iter().filter_map(|rule| rule.destination()) {
            let (from, to) = (id.number(), to.number());
            jumps.push(Edge { from, to }, GFP_KERNEL_ACCOUNT)?;
        }
        cond_resched();
    }
    if !jumps.is_empty() {
        let deepest = measure_depth(&jumps, &mut chains)?;
        count_rules(&jumps, &mut chains, deepest);
        if chains.iter().any(|chain| chain.rules > limits.rules) {
            let message =
                c"a packet could meet more rules than max_rules on its way through the chains";
            return Err(ExtAckError::new(EMLINK, message));
        }
    }
    check_restrictions(draft, &chains)
}

/// Computes the depth of each chain and the origin of its packets; returns the greatest depth.
fn measure_depth<'a>(jumps: &[Edge], chains: &mut [ChainInfo]) -> NetlinkResult<'a, usize> {
    let mut deepest = 0;
    let mut is_changed = true;
    while is_changed {
        is_changed = false;
        for jump in jumps {
            let Some(from) = chains.get(jump.from).copied() else {
                continue;
            };
            let Some(to) = chains.get_mut(jump.to) else {
                continue;
            };
            let depth = to.depth.max(from.depth.saturating_add(1));
            let origins = to.origins | from.origins;
            if depth > DEPTH_MAX {
                let message = c"chains jump in a circle, or more than 32 deep";
                return Err(ExtAckError::new(EMLINK, message));
            }
            is_changed |= (depth, origins) != (to.depth, to.origins);
            (to.depth, to.origins) = (depth, origins);
            deepest = deepest.max(depth);
        }
        cond_resched();
    }
    Ok(deepest)
}

/// Adds to each chain the rules of the chains it jumps to, deepest first.
fn count_rules(jumps: &[Edge], chains: &mut [ChainInfo], deepest: usize) {
    for depth in (0..deepest).rev() {
        for jump in jumps {
            let more = chains.get(jump.to).map_or(0, |to| to.rules);
            match chains.get_mut(jump.from) {
                Some(from) if from.depth == depth => from.rules = from.rules.saturating_add(more),
                _ => {}
            }
        }
        cond_resched();
    }
}

/// Checks that matches and targets can handle all packets that get to them.
fn check_restrictions<'a>(draft: &Draft, chains: &[ChainInfo]) -> NetlinkResult<'a> {
    for (id, chain) in draft.chains() {
        let origins = chains.get(id.number()).map_or(0, |chain| chain.origins);
        for restriction in chain.rules.iter().flat_map(|rule| rule.restrictions()) {
            for (origin, base) in ChainId::built_in() {
                let comes_here = origins & 1u32.wrapping_shl(origin.number() as u32) != 0;
                if comes_here && !restriction.hooknums.contains(&base.hooknum) {
                    return Err(ExtAckError::new(EINVAL, restriction.message));
                }
            }
        }
        cond_resched();
    }
    Ok(())
}
