// SPDX-License-Identifier: GPL-2.0

//! Changes of a list that another program writes, as it writes them: `palisade list feed` and `palisade ban --feed`.

mod batch;
mod crowdsec;
mod line;
mod reader;
mod remembered;

use std::{collections::HashSet, fs::File, io, os::fd::AsFd};

use super::{input::STANDARD_INPUT, wire::NewEntry};
use crate::{error::Error, output, text::quote};
use batch::Batches;
use line::{Request, parse};
use reader::{Event, Reader};

/// What a feed is for.
pub(crate) trait Purpose {
    /// What is added for an address, or why it is not.
    fn entry(&self, entry: NewEntry) -> Result<NewEntry, String>;

    /// Make what has to be there for the list to have an effect. This is called before the first line, and once addresses
    /// were added.
    fn prepare(&mut self) -> Result<(), Error>;
}

/// A feed of a list, and of nothing else.
pub(super) struct ListOnly;

impl Purpose for ListOnly {
    fn entry(&self, entry: NewEntry) -> Result<NewEntry, String> {
        Ok(entry)
    }

    fn prepare(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

/// Create the list where it is not there, and do what the lines on standard input say until they end. What is refused is
/// told, and makes this fail at the end.
pub(crate) fn feed(name: &str, purpose: &mut dyn Purpose) -> Result<String, Error> {
    let broken =
        |error: io::Error| Error::Failure(format!("cannot read {STANDARD_INPUT}: {error}"));
    let input = io::stdin().as_fd().try_clone_to_owned();
    let mut reader = Reader::new(File::from(input.map_err(broken)?)).map_err(broken)?;
    let mut batches = Batches::open(name, purpose)?;
    let mut skipped = HashSet::new();
    let mut flush_on_exit = false;
    for number in 1.. {
        let mut event = reader.next(batches.is_pending()).map_err(broken)?;
        if event == Event::Pause {
            batches.send();
            event = reader.next(false).map_err(broken)?;
        }
        let line = match event {
            Event::Line(line) => String::from_utf8_lossy(&line).into_owned(),
            Event::TooLong => {
                batches.refuse(&format!("line {number}"), "it is too long");
                continue;
            }
            Event::Pause | Event::End => break,
        };
        let refuse = |batches: &mut Batches<'_>, reason: &str| {
            batches.refuse(
                &format!("line {number}"),
                &format!("{}: {reason}", shown(&line)),
            );
        };
        match parse(&line) {
            Ok(None) => {}
            Ok(Some(Request::Add(entry))) => match batches.accept(entry) {
                Ok(entry) => batches.add(number, entry),
                Err(reason) => refuse(&mut batches, &reason),
            },
            Ok(Some(Request::Delete(key))) => batches.delete(number, key),
            Ok(Some(Request::Flush)) => batches.flush(number),
            Ok(Some(Request::FlushOnExit)) => flush_on_exit = true,
            Ok(Some(Request::Skip(what))) => {
                if skipped.insert(what.clone()) {
                    output::warn(&format!(
                        "list {name}: {what} are passed over, as in line {number}"
                    ));
                }
            }
            Err(reason) => refuse(&mut batches, &reason),
        }
    }
    if flush_on_exit {
        batches.flush(0);
    }
    batches.finish()
}

/// A line as a message has it.
fn shown(line: &str) -> String {
    const LENGTH: usize = 100;
    let start: String = line.chars().take(LENGTH).collect();
    let dots = if start.len() < line.len() { "..." } else { "" };
    quote(&format!("{start}{dots}"))
}
