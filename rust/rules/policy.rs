// SPDX-License-Identifier: GPL-2.0

//! Policies: the verdict on packets that reach the end of a built-in chain.

use crate::{
    kernel_api::sync::counters::Counters,
    rules::prelude::*, //
};

/// The policy for one family.
#[derive(Clone)]
pub(crate) struct ChainPolicy {
    /// Whether packets are accepted, not dropped.
    pub(crate) accepts: bool,
    /// The packets that it decided on.
    pub(crate) counters: Arc<Counters>,
}

impl ChainPolicy {
    fn accept() -> Result<Self> {
        Ok(Self {
            accepts: true,
            counters: Arc::new(Counters::new()?, GFP_KERNEL_ACCOUNT)?,
        })
    }

    #[inline]
    pub(super) fn verdict(&self) -> Verdict {
        match self.accepts {
            true => Verdict::Accept,
            false => Verdict::Drop,
        }
    }
}

/// The policies of a chain, one per family: a server closed to one of them may have to stay
/// reachable by the other.
#[derive(Clone)]
pub(crate) struct Policies {
    ipv4: ChainPolicy,
    ipv6: ChainPolicy,
}

impl Policies {
    /// Both families accept.
    pub(super) fn accept() -> Result<Self> {
        Ok(Self {
            ipv4: ChainPolicy::accept()?,
            ipv6: ChainPolicy::accept()?,
        })
    }

    /// The policy for a family.
    #[inline]
    pub(crate) fn of(&self, family: Family) -> &ChainPolicy {
        match family {
            Family::Ipv4 => &self.ipv4,
            Family::Ipv6 => &self.ipv6,
        }
    }

    /// The policy for a family, mutable.
    pub(crate) fn of_mut(&mut self, family: Family) -> &mut ChainPolicy {
        match family {
            Family::Ipv4 => &mut self.ipv4,
            Family::Ipv6 => &mut self.ipv6,
        }
    }

    /// Both policies, with their families.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Family, &ChainPolicy)> {
        [(Family::Ipv4, &self.ipv4), (Family::Ipv6, &self.ipv6)].into_iter()
    }
}
