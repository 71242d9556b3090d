// SPDX-License-Identifier: GPL-2.0

//! What is protected, and the servers behind it.

use super::{
    protection::{Protection, protections},
    wire::Server,
};
use crate::rules::{Chain, Statistics};

/// A rule, and the servers that it protects.
pub(crate) struct Row<'a> {
    pub(crate) protection: Protection<'a>,
    pub(crate) servers: Vec<&'a Server>,
}

/// The rows for all rules that protect a port.
pub(crate) fn rows<'a>(chains: &'a [Chain], servers: &'a [Server]) -> Vec<Row<'a>> {
    protections(chains)
        .map(|protection| Row {
            servers: servers
                .iter()
                .filter(|server| protection.covers(server.address, server.port))
                .collect(),
            protection,
        })
        .collect()
}

impl Row<'_> {
    /// Connections that its servers have accepted since the rule was appended, as the rule's own counters count.
    pub(crate) fn opened(&self) -> u64 {
        self.since(|server| server.opened, |rule| rule.opened_before)
    }

    /// Those of them that sockets of this host took over.
    pub(super) fn handed_over(&self) -> u64 {
        self.since(|server| server.handed_over, |rule| rule.handed_over_before)
    }

    /// Connections that they have refused since.
    pub(crate) fn refused(&self) -> u64 {
        self.since(|server| server.refused, |rule| rule.refused_before)
    }

    /// Connections for which they did not answer since.
    pub(crate) fn unanswered(&self) -> u64 {
        self.since(|server| server.unanswered, |rule| rule.unanswered_before)
    }

    /// How often clients had to send again what they sent before their server had answered, since.
    pub(super) fn dropped(&self) -> u64 {
        self.since(|server| server.dropped, |rule| rule.dropped_before)
    }

    /// Whether its clients have to say something before they are connected.
    pub(super) fn waits(&self) -> bool {
        self.protection.synproxy.until_data.is_some()
    }

    /// Clients that wait now until their first bytes are there.
    pub(super) fn waiting(&self) -> u64 {
        self.sum(Server::waiting)
    }

    /// Connections that the client's first bytes have opened since.
    pub(super) fn opened_by_data(&self) -> u64 {
        self.since(
            |server| server.opened_by_data,
            |rule| rule.opened_by_data_before,
        )
    }

    /// Connections that were opened since because the client had said nothing in time.
    pub(super) fn opened_by_timeout(&self) -> u64 {
        self.since(
            |server| server.opened_by_timeout,
            |rule| rule.opened_by_timeout_before,
        )
    }

    /// Clients that nobody waited for any more since.
    pub(super) fn given_up(&self) -> u64 {
        self.since(|server| server.given_up, |rule| rule.given_up_before)
    }

    /// What a counter of its servers has counted since the rule was appended.
    fn since(&self, count: fn(&Server) -> u64, before: fn(&Statistics) -> u64) -> u64 {
        let statistics = self.protection.synproxy.statistics();
        self.sum(count).saturating_sub(before(&statistics))
    }

    /// The sum of a counter over its servers.
    fn sum(&self, count: impl Fn(&Server) -> u64) -> u64 {
        self.servers
            .iter()
            .fold(0, |sum, server| sum.saturating_add(count(server)))
    }
}

impl Server {
    /// Clients that wait now until their first bytes are there.
    pub(crate) fn waiting(&self) -> u64 {
        [self.opened_by_data, self.opened_by_timeout, self.given_up]
            .into_iter()
            .fold(self.waited, u64::saturating_sub)
    }

    /// The TCP options that were learned from it, if any were.
    pub(super) fn options(&self) -> Option<String> {
        let mut options = vec![format!("mss {}", self.mss?)];
        options.extend(self.wscale.map(|wscale| format!("wscale {wscale}")));
        for (used, name) in [
            (self.sack_perm, "sack"),
            (self.timestamp, "timestamp"),
            (self.ecn, "ecn"),
        ] {
            options.extend(used.then(|| name.to_owned()));
        }
        Some(options.join(" "))
    }
}
