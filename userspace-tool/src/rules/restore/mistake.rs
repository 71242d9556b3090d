// SPDX-License-Identifier: GPL-2.0

//! What is wrong with a file, and where.

use crate::error::Error;

/// An error, and where it is.
#[derive(Debug)]
pub(super) enum Mistake {
    /// In a line, counted from 1.
    Line(usize, String),
    /// In the file as a whole.
    File(String),
    /// Not in the file.
    Other(Error),
}

impl Mistake {
    pub(super) fn in_file(self, name: &str) -> Error {
        match self {
            Self::Line(line, message) => {
                Error::Failure(format!("restore: {name}:{line}: {message}"))
            }
            Self::File(message) => Error::Failure(format!("restore: {name}: {message}")),
            Self::Other(error) => error,
        }
    }
}
