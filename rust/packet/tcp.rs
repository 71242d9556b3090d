// SPDX-License-Identifier: GPL-2.0

//! TCP segments: reading them and their options, and writing them.

pub(crate) mod compose;
#[cfg(CONFIG_KUNIT = "y")]
mod compose_tests;
mod insert;
pub(crate) mod options;
#[cfg(CONFIG_KUNIT = "y")]
pub(crate) mod options_tests;
pub(crate) mod segment;
