// SPDX-License-Identifier: GPL-2.0

//! The grammar of `palisade rates`.

use clap::Parser;

use crate::rules::list_name;

/// Show whose rates the rules with -m hashlimit limit
#[derive(Debug, Parser)]
#[command(
    bin_name = "palisade rates",
    override_usage = "\
palisade rates [--json]
       palisade rates NAME [--json]
       palisade rates NAME --flush"
)]
pub(crate) struct RatesArguments {
    /// What the rules have behind --hashlimit-name; without it, all names are shown
    #[arg(value_name = "NAME", value_parser = list_name)]
    pub(super) name: Option<String>,
    /// Forget all addresses: each may send at the full burst again
    #[arg(long, requires = "name", conflicts_with = "json")]
    pub(super) flush: bool,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}
