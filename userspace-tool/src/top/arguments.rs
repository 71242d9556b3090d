// SPDX-License-Identifier: GPL-2.0

//! The grammar of `palisade top`.

use std::time::Duration;

use clap::Parser;

use crate::{lists::duration, rules::list_name};

/// The shortest time between two frames, in milliseconds.
const INTERVAL_MIN: u64 = 100;

/// The longest, a day.
const INTERVAL_MAX: u64 = 86_400_000;

/// Show who comes and what the rules do, a frame a second; q quits, Tab shows another list
#[derive(Debug, Parser)]
#[command(
    bin_name = "palisade top",
    override_usage = "palisade top [--list LIST] [--interval TIME] [--once] [--json]"
)]
pub(crate) struct TopArguments {
    /// Show the busiest addresses of this list, and not of the one with the most
    #[arg(long, value_name = "LIST", value_parser = list_name)]
    pub(super) list: Option<String>,
    /// Time from one frame to the next, such as 2s or 500ms
    #[arg(long, value_name = "TIME", value_parser = interval, default_value = "1s")]
    pub(super) interval: Duration,
    /// Print one frame, with the rates of that time, and end
    #[arg(long)]
    pub(super) once: bool,
    /// Print JSON: with --once an object, else an object a line until nobody reads any more
    #[arg(long)]
    pub(super) json: bool,
}

fn interval(text: &str) -> Result<Duration, String> {
    let milliseconds = duration::parse(text)?;
    if (INTERVAL_MIN..=INTERVAL_MAX).contains(&milliseconds) {
        Ok(Duration::from_millis(milliseconds))
    } else {
        Err("give a time from 100ms to 1d".to_owned())
    }
}
