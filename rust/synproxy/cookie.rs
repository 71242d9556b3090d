// SPDX-License-Identifier: GPL-2.0

//! What a client is told before its connection exists, and what it returns.

pub(super) mod announcement;
#[cfg(CONFIG_KUNIT = "y")]
mod announcement_tests;
pub(super) mod clocks;
#[cfg(CONFIG_KUNIT = "y")]
mod clocks_tests;
mod cookies;
#[cfg(CONFIG_KUNIT = "y")]
mod cookies_tests;
pub(super) mod sent;
#[cfg(CONFIG_KUNIT = "y")]
mod sent_tests;

#[cfg(palisade_host)]
pub(super) use cookies::ValidCookie;
pub(super) use cookies::{
    CookieOptions,
    Cookies,
    NO_SCALE, //
};
