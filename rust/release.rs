// SPDX-License-Identifier: GPL-2.0

//! Releases SYNPROXY's state in a network namespace once nothing needs it.
//!
//! Its hooks see every segment, and its connections outlive the last rule. Nobody is notified when
//! connection tracking forgets one, so poll for that as long as no rule can open more.

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

/// Jiffies between two checks for the last connection.
const PERIOD: u32 = 5 * JIFFIES_PER_SECOND;

/// The longest time between two checks while there is nothing to check for, in jiffies.
pub(crate) const NEVER: u32 = 3600 * JIFFIES_PER_SECOND;

/// Releases SYNPROXY's state once there are neither rules nor connections. It takes the mutex for
/// changes of rules: its holder may schedule this, but not wait for it.
pub(crate) struct Release {
    configured: Arc<Mutex<Configured>>,
    ruleset: Arc<RcuBox<Arc<Ruleset>>>,
}

impl Release {
    /// For the state that belongs to this ruleset.
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
        let is_wanted = self.ruleset.read(&rcu::read_lock()).needs.synproxy;
        let Some(synproxy) = configured.synproxy().filter(|_| !is_wanted) else {
            return NEVER;
        };
        if synproxy.has_connections() {
            return PERIOD;
        }
        // A packet still in an old rule may open one.
        retirement::wait_for_retired();
        if synproxy.has_connections() {
            return PERIOD;
        }
        configured.release_synproxy();
        NEVER
    }
}
