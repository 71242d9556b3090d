// SPDX-License-Identifier: GPL-2.0

//! What becomes of packets that no rule of a built-in chain decides on.

use crate::{
    kernel_api::{
        netfilter::Verdict,
        sync::counters::Counters, //
    },
    packet::Family, //
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// What becomes of packets of one IP version.
#[derive(Clone)]
pub(crate) struct ChainPolicy {
    /// Whether they are accepted, and not dropped.
    pub(crate) accepts: bool,
    /// How many they were.
    pub(crate) counters: Arc<Counters>,
}

impl ChainPolicy {
    fn accept() -> Result<Self> {
        Ok(Self {
            accepts: true,
            counters: Arc::new(Counters::new()?, GFP_KERNEL_ACCOUNT)?,
        })
    }

    #[inline(always)]
    pub(super) fn verdict(&self) -> Verdict {
        match self.accepts {
            true => Verdict::Accept,
            false => Verdict::Drop,
        }
    }
}

/// The policies of a chain: one for each IP version, since a server that is closed to one of them is to stay
/// reachable by the other.
#[derive(Clone)]
pub(crate) struct Policies {
    ipv4: ChainPolicy,
    ipv6: ChainPolicy,
}

impl Policies {
    /// All packets go on.
    pub(super) fn accept() -> Result<Self> {
        Ok(Self {
            ipv4: ChainPolicy::accept()?,
            ipv6: ChainPolicy::accept()?,
        })
    }

    /// That for packets of an IP version.
    #[inline(always)]
    pub(crate) fn of(&self, family: Family) -> &ChainPolicy {
        match family {
            Family::Ipv4 => &self.ipv4,
            Family::Ipv6 => &self.ipv6,
        }
    }

    /// That for packets of an IP version, to change it.
    pub(crate) fn of_mut(&mut self, family: Family) -> &mut ChainPolicy {
        match family {
            Family::Ipv4 => &mut self.ipv4,
            Family::Ipv6 => &mut self.ipv6,
        }
    }

    /// Both, each with its IP version.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Family, &ChainPolicy)> {
        [(Family::Ipv4, &self.ipv4), (Family::Ipv6, &self.ipv6)].into_iter()
    }
}
