// SPDX-License-Identifier: GPL-2.0

//! Writing to standard output.

use std::io::{self, Write};

use crate::error::Error;

/// Write what a command has to say. A reader that stops reading, as `head` does, is no error.
pub(crate) fn write(text: &str) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::Failure(format!(
            "cannot write to standard output: {error}"
        ))),
        _ => Ok(()),
    }
}

/// Tell the person at the keyboard of something that does not make the command fail.
pub(crate) fn warn(text: &str) {
    // Standard error may be closed; there is nobody left to tell.
    let _ = writeln!(io::stderr(), "palisade: warning: {}", printable(text));
}

/// A text from the kernel with what would disturb a terminal replaced.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|character| {
            if character.is_control() {
                '?'
            } else {
                character
            }
        })
        .collect()
}

/// A table whose columns are as wide as they have to be; numbers stand to the right.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>], left: &[usize]) -> String {
    let width = |column: usize, title: &str| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells
            .map(|cell| cell.chars().count())
            .chain([title.len()])
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = header
        .iter()
        .enumerate()
        .map(|(column, title)| width(column, title))
        .collect();
    let line = |cells: Vec<&str>| {
        let cells = cells.into_iter().zip(&widths).enumerate();
        let padded = cells.map(|(column, (cell, width))| {
            if left.contains(&column) {
                format!("{cell:<width$}")
            } else {
                format!("{cell:>width$}")
            }
        });
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    let mut text = line(header.to_vec());
    for row in rows {
        text += &line(row.iter().map(String::as_str).collect());
    }
    text
}
