// SPDX-License-Identifier: GPL-2.0

//! What rules refer to outside of themselves.

use crate::recent::{
    Growth,
    Lists, //
};

/// What a rule that is being made may refer to.
pub(crate) struct Resources<'a> {
    /// The recent lists of the network namespace.
    pub(crate) lists: &'a Lists,
    /// Most rules of the network namespace.
    pub(crate) max_rules: usize,
    /// What the lists are to become with the rule.
    pub(crate) growth: Growth,
}
