// SPDX-License-Identifier: GPL-2.0

//! The IP versions that `palisade save` and `palisade restore` are for.

use clap::Args;

use super::model::family::Family;

/// `-4` and `-6`.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Families {
    /// Only what there is for IPv4
    #[arg(short = '4', long)]
    ipv4: bool,
    /// Only what there is for IPv6
    #[arg(short = '6', long)]
    ipv6: bool,
}

impl Families {
    /// The only family that counts.
    pub(super) fn only(self) -> Option<Family> {
        Family::only(self.ipv4, self.ipv6)
    }

    /// Whether one was given, or both.
    pub(super) fn are_given(self) -> bool {
        self.ipv4 || self.ipv6
    }
}
