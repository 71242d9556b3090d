// SPDX-License-Identifier: GPL-2.0

//! Giving up what SYNPROXY has in a network namespace when nothing needs it any more.
//!
//! Its hooks see every segment, and its own connections go on when the last rule is gone. Nobody is told when connection
//! tracking forgets one; so somebody looks from time to time, as long as there are no rules that may open more.

use crate::{
    kernel_api::{
        sync::rcu::{
            self as retirement,
            RcuBox, //
        },
        time::JIFFIES_PER_SECOND,
        work::Background, //
    },
    namespace::Configured,
    rules::Ruleset, //
};
use kernel::sync::{
    rcu,
    Arc,
    Mutex, //
};

/// After how many jiffies somebody looks again whether the last connection is over.
const PERIOD: u32 = 5 * JIFFIES_PER_SECOND;

/// The longest time that may pass between two looks where there is nothing to look for, in jiffies.
pub(crate) const NEVER: u32 = 3600 * JIFFIES_PER_SECOND;

/// Gives up what SYNPROXY has, once there is neither a rule nor a connection. It takes the lock of those who change the
/// rules: who holds that may have it run, but not wait for it.
pub(crate) struct Release {
    configured: Arc<Mutex<Configured>>,
    ruleset: Arc<RcuBox<Arc<Ruleset>>>,
}

impl Release {
    /// Of what is there for these rules.
    pub(crate) fn new(
        configured: Arc<Mutex<Configured>>,
        ruleset: Arc<RcuBox<Arc<Ruleset>>>,
    ) -> Self {
        Self {
            configured,
            ruleset,
        }
    }
}

impl Background for Release {
    fn run(&self) -> u32 {
        let mut configured = self.configured.lock();
        let is_wanted = self.ruleset.read(&rcu::read_lock()).needs().synproxy;
        let Some(synproxy) = configured.synproxy().filter(|_| !is_wanted) else {
            return NEVER;
        };
        if synproxy.has_connections() {
            return PERIOD;
        }
        // A packet that still meets a rule may open one.
        retirement::wait_for_retired();
        if synproxy.has_connections() {
            return PERIOD;
        }
        configured.release_synproxy();
        NEVER
    }
}
