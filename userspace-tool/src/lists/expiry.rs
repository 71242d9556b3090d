// SPDX-License-Identifier: GPL-2.0

//! When an address expires that was told so.

use std::{fmt, str::FromStr};

use super::duration;

/// The end of an address, whatever the timeout of its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expiry {
    /// It stays until it is deleted.
    Never,
    /// In so many milliseconds.
    After(u64),
}

/// What stands for [`Expiry::Never`].
pub(super) const EVER: &str = "ever";

impl FromStr for Expiry {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            EVER => Ok(Self::Never),
            _ => match duration::parse(text) {
                Ok(0) => Err(format!("an address is kept for some time, or for {EVER}")),
                Ok(milliseconds) => Ok(Self::After(milliseconds)),
                Err(reason) => Err(format!("{reason}, or {EVER}")),
            },
        }
    }
}

impl fmt::Display for Expiry {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => out.write_str(EVER),
            Self::After(milliseconds) => out.write_str(&duration::show(*milliseconds)),
        }
    }
}
