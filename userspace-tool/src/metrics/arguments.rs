// SPDX-License-Identifier: GPL-2.0

//! The grammar of `palisade metrics`.

use std::net::SocketAddr;

use clap::Parser;

/// Print the counters of rules, lists and protected servers for Prometheus
#[derive(Debug, Parser)]
#[command(
    bin_name = "palisade metrics",
    override_usage = "palisade metrics [--output FILE | --listen ADDRESS:PORT...]"
)]
pub(crate) struct MetricsArguments {
    /// Replace this file as a whole, for the textfile collector; everybody may read it
    #[arg(long, value_name = "FILE")]
    pub(super) output: Option<String>,
    /// Go on, and answer GET /metrics there, such as 127.0.0.1:9789 or [::1]:9789; may be repeated
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        value_parser = endpoint,
        conflicts_with = "output"
    )]
    pub(super) listen: Vec<SocketAddr>,
}

fn endpoint(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        "give an address and a port, such as 127.0.0.1:9789, or [::]:9789 for all addresses"
            .to_owned()
    })
}
