// SPDX-License-Identifier: GPL-2.0

//! The grammar of `palisade trace`.

use clap::Parser;

/// Print what rules the packets meet that -j TRACE is for, in this network namespace, as they meet them
#[derive(Debug, Parser)]
#[command(
    bin_name = "palisade trace",
    override_usage = "palisade trace [--json]"
)]
pub(crate) struct TraceArguments {
    /// Print JSON, an object a line
    #[arg(long)]
    pub(super) json: bool,
}
