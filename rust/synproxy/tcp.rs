// SPDX-License-Identifier: GPL-2.0

//! TCP segments: reading them and their options, and writing them.

pub(super) mod compose;
#[cfg(CONFIG_KUNIT = "y")]
mod compose_tests;
pub(super) mod options;
#[cfg(CONFIG_KUNIT = "y")]
pub(super) mod options_tests;
pub(super) mod segment;
