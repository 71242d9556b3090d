// SPDX-License-Identifier: GPL-2.0

//! Rules: what they are, and running a packet through them.

pub(crate) mod chains;
mod draft;
mod evaluate;
#[cfg(CONFIG_KUNIT = "y")]
mod evaluate_tests;
mod header;
mod matches;
mod resources;
mod rule;
mod ruleset;
mod targets;

pub(crate) use draft::Draft;
pub(crate) use evaluate::evaluate;
pub(crate) use resources::Resources;
pub(crate) use rule::{
    Rule,
    RuleSpec, //
};
pub(crate) use ruleset::{
    Chain,
    Ruleset, //
};
