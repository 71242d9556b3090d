// SPDX-License-Identifier: GPL-2.0

//! What is known of the servers: their options, floods, and the MSS that rules leave their clients.

pub(super) mod clamps;
#[cfg(CONFIG_KUNIT = "y")]
mod clamps_tests;
pub(super) mod floods;
#[cfg(CONFIG_KUNIT = "y")]
mod floods_tests;
pub(super) mod servers;
#[cfg(CONFIG_KUNIT = "y")]
mod servers_tests;
