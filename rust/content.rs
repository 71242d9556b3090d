// SPDX-License-Identifier: GPL-2.0

//! What clients say first: which server they want, by TLS and HTTP.
//!
//! Whoever reads here has the first bytes of a connection, and perhaps not all of them. What is found, or
//! not, stays so whatever comes behind.

pub(crate) mod glob;
#[cfg(CONFIG_KUNIT = "y")]
mod glob_tests;
mod host;
pub(crate) mod host_set;
#[cfg(CONFIG_KUNIT = "y")]
mod host_set_tests;
pub(crate) mod http;
#[cfg(CONFIG_KUNIT = "y")]
mod http_tests;
mod reader;
pub(crate) mod tls;
#[cfg(CONFIG_KUNIT = "y")]
mod tls_tests;
#[cfg(CONFIG_KUNIT = "y")]
mod whole_tests;

pub(crate) use reader::Bytes;

/// Why something is not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// It is not there, or what is there is malformed.
    Absent,
    /// More bytes are needed to tell.
    Incomplete,
}

/// What was found.
pub(crate) type Found<T> = core::result::Result<T, Missing>;

/// How much is looked at, in bytes: a ClientHello, or a request with its headers, is shorter.
pub(crate) const LENGTH_MAX: usize = 16384;

/// Whether the first bytes of a connection have all that rules can look for: a ClientHello, or a request with
/// its headers, has come to its end. Of anything else there is nothing to wait for.
pub(crate) fn is_whole<B: Bytes + ?Sized>(bytes: &B) -> bool {
    match tls::find_end(bytes) {
        Err(Missing::Absent) => http::find_end(bytes) != Err(Missing::Incomplete),
        found => found.is_ok(),
    }
}
