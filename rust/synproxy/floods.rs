// SPDX-License-Identifier: GPL-2.0

//! Telling of floods, and of servers that are learned.

use super::server::{
    floods::{
        FloodChange,
        QUIET, //
    },
    servers::{
        ServerOptions,
        Servers, //
    },
};
use crate::{
    kernel_api::{
        time::jiffies32,
        work::Background, //
    },
    monitor::{
        LearnedOptions,
        Monitor,
        MonitorEvent,
        Subject, //
    },
    spec::command,
    synproxy::prelude::*, //
};

/// Jiffies between two looks for floods that are over, as long as there is no flood.
pub(super) const IDLE: u32 = 3600 * JIFFIES_PER_SECOND;

fn tell(
    monitor: &Monitor,
    command: u8,
    endpoint: &Endpoint,
    options: impl FnOnce() -> Option<LearnedOptions>,
) {
    monitor.put(|| {
        Some(MonitorEvent {
            command,
            time: jiffies32(),
            family: endpoint.family,
            address: endpoint.address,
            subject: Subject::Server {
                port: endpoint.port,
                options: options(),
            },
        })
    });
}

impl Synproxy {
    /// Whether a SYN to the server may pass at this rate.
    #[inline]
    pub(super) fn admits(&self, endpoint: &Endpoint, rate: &Rate) -> bool {
        let (is_admitted, change) = self.servers.judge(endpoint, rate);
        if let Some(change) = change {
            self.tell_flood(endpoint, change);
        }
        is_admitted
    }

    #[cold]
    #[inline(never)]
    fn tell_flood(&self, endpoint: &Endpoint, change: FloodChange) {
        let command = match change {
            FloodChange::Begins => command::FLOOD_START_NTF,
            FloodChange::Ends => command::FLOOD_END_NTF,
        };
        tell(&self.monitor, command, endpoint, || None);
        if change == FloodChange::Begins {
            self.flood_work.run_after(QUIET);
        }
    }

    /// Tells what is new about a server.
    #[cold]
    pub(super) fn tell_learned(&self, endpoint: &Endpoint, options: &ServerOptions) {
        tell(&self.monitor, command::SERVER_LEARN_NTF, endpoint, || {
            Some(options.learned())
        });
    }
}

/// Looks for floods that are over, as nobody else does when no SYN comes any more.
pub(super) struct FloodWork {
    servers: Arc<Servers>,
    monitor: Arc<Monitor>,
}

impl FloodWork {
    /// For the floods of these servers.
    pub(super) fn new(servers: Arc<Servers>, monitor: Arc<Monitor>) -> Self {
        Self { servers, monitor }
    }
}

impl Background for FloodWork {
    fn run(&self) -> u32 {
        let are_left = self.servers.end_floods(|endpoint| {
            tell(&self.monitor, command::FLOOD_END_NTF, endpoint, || None);
        });
        match are_left {
            true => JIFFIES_PER_SECOND,
            false => IDLE,
        }
    }
}
