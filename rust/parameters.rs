// SPDX-License-Identifier: GPL-2.0

//! The module parameters.

use crate::{
    kernel_api::time::JIFFIES_PER_SECOND,
    recent::{
        ListLimits,
        ListSettings,
        AGE_MAX, //
    },
    rules, //
};
use core::{
    borrow::Borrow,
    ops::RangeInclusive, //
};
use kernel::{
    prelude::*,
    sync::SetOnce, //
};

/// The parameters of the loaded module.
static PARAMETERS: SetOnce<Parameters> = SetOnce::new();

/// The parameters, checked.
#[derive(Clone, Copy)]
pub(crate) struct Parameters {
    max_entries: u32,
    max_lists: u32,
    max_rules: u32,
    max_chains: u32,
    entry_timeout: u32,
    max_held: u32,
}

/// The longest `entry_timeout`, in seconds; depends on HZ.
const TIMEOUT_MAX: i64 = (AGE_MAX / JIFFIES_PER_SECOND) as i64;

impl Parameters {
    /// Checks and keeps the values given at load time: numbers since Linux 7.3, references to them
    /// before.
    ///
    /// # Errors
    ///
    /// `EINVAL` if a value is out of range, which is logged.
    pub(crate) fn set(
        max_entries: impl Borrow<i64>,
        max_lists: impl Borrow<i64>,
        max_rules: impl Borrow<i64>,
        max_chains: impl Borrow<i64>,
        entry_timeout: impl Borrow<i64>,
        max_held: impl Borrow<i64>,
    ) -> Result {
        let parameters = Self {
            max_entries: check("max_entries", max_entries, 1..=16_777_216)?,
            max_lists: check("max_lists", max_lists, 1..=65_536)?,
            max_rules: check("max_rules", max_rules, 1..=1_048_576)?,
            max_chains: check("max_chains", max_chains, 1..=65_536)?,
            entry_timeout: check("entry_timeout", entry_timeout, 0..=TIMEOUT_MAX)?,
            max_held: check("max_held", max_held, 0..=67_108_864)?,
        };
        PARAMETERS.populate(parameters);
        Ok(())
    }

    /// The parameters of the module.
    pub(crate) fn get() -> Self {
        PARAMETERS.copy().unwrap_or(Self {
            max_entries: 1,
            max_lists: 1,
            max_rules: 1,
            max_chains: 1,
            entry_timeout: 0,
            max_held: 0,
        })
    }

    /// Limits and defaults of recent lists.
    pub(crate) fn list_limits(&self) -> ListLimits {
        let timeout = u64::from(self.entry_timeout).wrapping_mul(1000);
        ListLimits {
            lists: self.max_lists,
            entries: self.max_entries,
            timeout: ListSettings::timeout(timeout).unwrap_or(AGE_MAX),
        }
    }

    /// Limits of rules.
    pub(crate) fn rule_limits(&self) -> rules::RuleLimits {
        rules::RuleLimits {
            rules: self.max_rules as usize,
            chains: self.max_chains as usize,
            held: self.max_held,
        }
    }
}

fn check(name: &str, value: impl Borrow<i64>, range: RangeInclusive<i64>) -> Result<u32> {
    let value = *value.borrow();
    if range.contains(&value) {
        return u32::try_from(value).map_err(|_| EINVAL);
    }
    pr_err!(
        "parameter {name}={value} is out of range: it has to be from {} to {}\n",
        range.start(),
        range.end()
    );
    Err(EINVAL)
}
