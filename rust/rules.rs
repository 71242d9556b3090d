// SPDX-License-Identifier: GPL-2.0

//! Rules, and running a packet through them.

mod address_range;
mod chain;
pub(crate) mod chains;
mod context;
mod draft;
mod evaluate;
#[cfg(CONFIG_KUNIT = "y")]
mod evaluate_tests;
mod header;
mod index;
mod jumps;
mod matches;
mod policy;
mod prelude;
mod references;
mod rule;
mod ruleset;
mod targets;
mod trace;

pub(crate) use chain::Chain;
pub(crate) use context::{
    FindChain,
    Resources,
    RuleLimits, //
};
pub(crate) use draft::Draft;
pub(crate) use evaluate::evaluate;
pub(crate) use policy::ChainPolicy;
pub(crate) use references::References;
pub(crate) use rule::{
    Rule,
    RuleSpec, //
};
pub(crate) use ruleset::{
    Needs,
    Ruleset, //
};
