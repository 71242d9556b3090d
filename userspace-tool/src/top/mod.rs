// SPDX-License-Identifier: GPL-2.0

//! A live view of who comes and what the rules do: `palisade top`.

mod arguments;
mod busiest;
mod history;
mod json;
mod lately;
mod rates;
mod sample;
mod state;
mod terminal;
#[cfg(test)]
mod tests;
mod view;
mod watch;

use std::{
    io::{self, IsTerminal},
    thread,
    time::{Duration, Instant},
};

use crate::{error::Error, output, usage};
pub(crate) use arguments::TopArguments;
use busiest::{Reader, Worker};
use watch::{Lists, Watch};

/// The width of a frame that goes into a file or a pipe.
const TEXT_WIDTH: u16 = 80;

/// How often events are read, so that their socket does not get full.
const TICK: Duration = Duration::from_millis(200);

/// Run `top` with these arguments. Returns its output, unless it prints by itself.
pub(crate) fn run(arguments: Vec<String>) -> Result<String, Error> {
    let arguments = match usage::parse::<TopArguments>("top", arguments) {
        Ok(arguments) => arguments,
        Err(error) => return usage::explain(&error, "top"),
    };
    let TopArguments {
        list,
        interval,
        once,
        json,
    } = arguments;
    if once || json {
        let mut watch = Watch::begin(list, Lists::Here(Reader::default()))?;
        if !once {
            return stream(&mut watch, interval);
        }
        // However long reading the list takes, its rates are wanted.
        watch.state.reading = None;
        next(&mut watch, interval);
        if let Some(notice) = watch.state.notice {
            return Err(Error::Failure(notice));
        }
        return Ok(match json {
            true => format!("{:#}\n", json::frame(&mut watch.state)),
            false => view::text(&watch.state, width()),
        });
    }
    if !io::stdout().is_terminal() {
        return Err(Error::Failure(
            "top: standard output is not a terminal: use --once or --json".to_owned(),
        ));
    }
    let begin = || Watch::begin(list, Lists::Meanwhile(Worker::start()?));
    terminal::run(begin, interval)?;
    Ok(String::new())
}

/// Wait for the next frame.
fn next(watch: &mut Watch, interval: Duration) {
    let due = Instant::now() + interval;
    loop {
        watch.collect();
        let left = due.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        thread::sleep(left.min(TICK));
    }
    watch.sample();
}

/// Print a frame a line until nobody reads any more.
fn stream(watch: &mut Watch, interval: Duration) -> Result<String, Error> {
    loop {
        next(watch, interval);
        let line = format!("{}\n", json::frame(&mut watch.state));
        if !output::goes_on(&line)? {
            return Ok(String::new());
        }
    }
}

/// The width of the terminal, where a frame goes to one.
fn width() -> u16 {
    let size = match io::stdout().is_terminal() {
        true => ratatui::crossterm::terminal::size().ok(),
        false => None,
    };
    size.map_or(TEXT_WIDTH, |(width, _)| width)
}
