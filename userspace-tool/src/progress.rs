// SPDX-License-Identifier: GPL-2.0

//! A line that says how far a command is, if it takes more than a second and standard error is a terminal. It is gone when
//! the command is done.

use std::{
    io::{self, IsTerminal, Read},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What takes less is not worth a line.
const PATIENCE: Duration = Duration::from_secs(1);

/// How far something is.
pub(crate) struct Progress {
    started: Instant,
    bar: ProgressBar,
}

impl Progress {
    /// Something that is done once `total` of `units` are. `what` it is done to comes first in the line.
    pub(crate) fn of(what: &str, total: usize, units: &str) -> Self {
        let total = u64::try_from(total).unwrap_or(u64::MAX);
        let line = format!("{{prefix}}: {{human_pos}} of {{human_len}} {units}, {{eta}} left");
        Self::new(Some(total), what, &line)
    }

    /// Reading of what may have any number of bytes.
    fn reading(what: &str) -> Self {
        Self::new(None, what, "{prefix}: {bytes} read")
    }

    fn new(total: Option<u64>, what: &str, line: &str) -> Self {
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden());
        bar.set_prefix(what.to_owned());
        if let Ok(style) = ProgressStyle::with_template(line) {
            bar.set_style(style);
        }
        Self {
            started: Instant::now(),
            bar,
        }
    }

    /// So much more is done.
    pub(crate) fn add(&self, more: usize) {
        if self.bar.is_hidden() && self.started.elapsed() > PATIENCE {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.inc(u64::try_from(more).unwrap_or(u64::MAX));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Standard input, which says how much of it was read unless a person types it.
pub(crate) fn standard_input() -> impl Read {
    let source = io::stdin().lock();
    let is_typed = source.is_terminal();
    Reading {
        progress: (!is_typed).then(|| Progress::reading("standard input")),
        source,
    }
}

struct Reading<R> {
    source: R,
    progress: Option<Progress>,
}

impl<R: Read> Read for Reading<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let length = self.source.read(bytes)?;
        if let Some(progress) = &self.progress {
            progress.add(length);
        }
        Ok(length)
    }
}
