// SPDX-License-Identifier: GPL-2.0

//! The grammar of `palisade metrics`.

use clap::Parser;

/// Print the counters of rules, lists and protected servers for Prometheus
#[derive(Debug, Parser)]
#[command(
    bin_name = "palisade metrics",
    override_usage = "palisade metrics [--output FILE]"
)]
pub(crate) struct MetricsArguments {
    /// Replace this file as a whole, for the textfile collector; everybody may read it
    #[arg(long, value_name = "FILE")]
    pub(super) output: Option<String>,
}
