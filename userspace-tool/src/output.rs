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
