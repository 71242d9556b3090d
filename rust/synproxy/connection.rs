// SPDX-License-Identifier: GPL-2.0

//! Connections of clients that returned a cookie: opening them to the server, translation, and
//! their end.

pub(super) mod answers;
pub(super) mod established;
#[cfg(CONFIG_KUNIT = "y")]
mod established_tests;
mod handover;
mod handshake;
pub(super) mod held;
#[cfg(CONFIG_KUNIT = "y")]
mod held_tests;
pub(super) mod lost;
pub(super) mod pre_routing;
pub(super) mod proxy_state;
#[cfg(CONFIG_KUNIT = "y")]
mod proxy_state_tests;
pub(super) mod resets;
pub(super) mod syn_sent;
pub(super) mod translation;
mod unreachable;
