// SPDX-License-Identifier: GPL-2.0

//! Errors, as messages of one line.

use thiserror::Error;

use crate::netlink::ExtAckError;

/// Why a command failed.
#[derive(Debug, Error)]
pub(crate) enum Error {
    /// The command line is wrong; nothing was done.
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    Failure(String),
    /// Why the module is not loaded, and what to do.
    #[error("the palisade kernel module is not loaded: {0}")]
    NotLoaded(String),
    #[error("needs CAP_NET_ADMIN over this network namespace: run it as root")]
    NotPermitted,
    #[error("there is no list {0}: palisade list ls shows them")]
    UnknownList(String),
    #[error(transparent)]
    Kernel(#[from] ExtAckError),
    #[error("the kernel's answer cannot be understood: {0}: use a palisade as new as the module")]
    Answer(String),
}

impl Error {
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self::Usage(text.into())
    }

    pub(crate) fn exit_status(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            _ => 1,
        }
    }
}

/// The candidate that `word` is probably meant to be.
pub(crate) fn closest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| {
            (
                strsim::normalized_damerau_levenshtein(word, candidate),
                candidate,
            )
        })
        .filter(|(similarity, _)| *similarity > 0.6)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, candidate)| candidate)
}

/// The end of a message about an unknown word: the candidate it resembles, else all of them.
pub(crate) fn suggestion(word: &str, candidates: &[&str]) -> String {
    match closest(word, candidates.iter().copied()) {
        Some(candidate) => format!("did you mean {candidate}?"),
        None => format!("known are {}", candidates.join(", ")),
    }
}
