// SPDX-License-Identifier: GPL-2.0

//! The grammar of `palisade monitor`.

use clap::Parser;

use crate::rules::list_name;

/// Print what happens in this network namespace, as it happens
#[derive(Debug, Parser)]
#[command(
    bin_name = "palisade monitor",
    override_usage = "palisade monitor [--list LIST]... [--json]"
)]
pub(crate) struct MonitorArguments {
    /// Print only what happens to this list; may be repeated. That events were lost is always printed
    #[arg(long = "list", value_name = "LIST", value_parser = list_name)]
    pub(super) lists: Vec<String>,
    /// Print JSON, an object a line
    #[arg(long)]
    pub(super) json: bool,
}
