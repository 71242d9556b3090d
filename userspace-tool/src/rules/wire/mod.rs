// SPDX-License-Identifier: GPL-2.0

//! Rules and chains as netlink attributes.

mod answer;
mod change;
mod rule;

pub(crate) use answer::{PositionedRule, decode_chain, decode_rule_answer};
pub(crate) use change::{chain_label, encode_change};
pub(crate) use rule::target_label;
#[cfg(test)]
pub(crate) use rule::{decode_rule, encode_rule};
