// SPDX-License-Identifier: GPL-2.0

//! Releases SYNPROXY's state and the hooks of NAT in a network namespace once nothing needs them.
//!
//! Their hooks see every packet, and the connections that they are for outlive the last rule. Nobody
//! is notified when connection tracking forgets one, so poll for that as long as no rule can open
//! more.

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

/// Releases them once there are neither rules nor connections. It takes the mutex for changes of
/// rules: its holder may schedule this, but not wait for it.
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

/// Whether there are no connections, nor will there be any.
fn are_over(has_connections: impl Fn() -> bool) -> bool {
    if has_connections() {
        return false;
    }
    // A packet still in an old rule may open one.
    retirement::wait_for_retired();
    !has_connections()
}

impl Background for Release {
    fn run(&self) -> u32 {
        let mut configured = self.configured.lock();
        let needs = self.ruleset.read(&rcu::read_lock()).needs;
        let mut period = NEVER;
        if let Some(synproxy) = configured.synproxy().filter(|_| !needs.synproxy) {
            match are_over(|| synproxy.has_connections()) {
                true => configured.release_synproxy(),
                false => period = PERIOD,
            }
        }
        let hooks = configured.hooks();
        if hooks.outlast(&needs) {
            match are_over(|| hooks.has_translated_connections()) {
                true => hooks.release_translation(&needs),
                false => period = PERIOD,
            }
        }
        period
    }
}
