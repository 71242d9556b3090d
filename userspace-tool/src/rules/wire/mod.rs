// SPDX-License-Identifier: GPL-2.0

//! Rules and chains as netlink attributes.

mod answer;
mod change;
mod rule;

pub(crate) use answer::{PositionedRule, decode_chain, decode_rule_answer};
pub(crate) use change::{chain_label, encode_change};
#[cfg(test)]
pub(crate) use rule::encode_rule;
pub(crate) use rule::{decode_rule, target_label};
