// SPDX-License-Identifier: GPL-2.0

//! Background removal of expired entries.

use super::lists::Lists;
use crate::{
    kernel_api::{
        time::JIFFIES_PER_SECOND,
        work::Background, //
    },
    recent::prelude::*, //
};

/// The longest time between two runs, in jiffies: far less than stamps need to become ambiguous.
const LONGEST_PERIOD: u32 = 3600 * JIFFIES_PER_SECOND;

/// Removes expired entries from the lists of a network namespace.
pub(crate) struct Ageing(Arc<Lists>);

impl Ageing {
    /// Ages `lists`.
    pub(crate) fn new(lists: Arc<Lists>) -> Self {
        Self(lists)
    }

    /// How long an expired entry may keep its slot, in jiffies. Lookups do not see it any more.
    pub(crate) fn period(timeout: u32) -> u32 {
        (timeout / 8).clamp(JIFFIES_PER_SECOND, LONGEST_PERIOD)
    }
}

impl Background for Ageing {
    fn run(&self) -> u32 {
        let mut period = LONGEST_PERIOD;
        let mut index = 0usize;
        while let Some(list) = self.0.nth(index) {
            list.age();
            period = period.min(Self::period(list.settings().timeout));
            index = index.wrapping_add(1);
        }
        period
    }
}
