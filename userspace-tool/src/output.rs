// SPDX-License-Identifier: GPL-2.0

//! Writing to standard output.

use std::io::{self, Write};

use crate::{error::Error, text::printable};

/// Write the output of a command. A reader that stops reading, as `head` does, is no error.
pub(crate) fn write(text: &str) -> Result<(), Error> {
    goes_on(text).map(drop)
}

/// Write some of the output of a command that goes on. Returns whether anybody reads it still.
pub(crate) fn goes_on(text: &str) -> Result<bool, Error> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Error::Failure(format!(
            "cannot write to standard output: {error}"
        ))),
    }
}

/// Print a warning, which does not make the command fail.
pub(crate) fn warn(text: &str) {
    error(&format!("warning: {text}"));
}

/// Print an error of a command that goes on.
pub(crate) fn error(text: &str) {
    // Standard error may be closed; there is nobody left to tell.
    let _ = writeln!(io::stderr(), "palisade: {}", printable(text));
}
