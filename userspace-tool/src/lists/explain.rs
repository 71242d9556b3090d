// SPDX-License-Identifier: GPL-2.0

//! Adds to the errors of the kernel what the CLI knows.

use nix::errno::Errno;

use super::wire;
use crate::{error::Error, netlink::ExtAckError};

/// The error for a request that the kernel refused.
pub(super) fn explain(error: Error, name: &str) -> Error {
    match error {
        Error::Kernel(refusal) if is_about_list(&refusal, name) => {
            Error::UnknownList(name.to_owned())
        }
        Error::Kernel(refusal) if refusal.is(Errno::EEXIST) => {
            Error::Failure(format!("there is a list {name} already"))
        }
        // The refusal may name an address or a setting, or nothing.
        Error::Kernel(refusal) if refusal.label != Some(wire::name_label(name)) => {
            Error::Failure(format!("list {name}: {refusal}"))
        }
        other => other,
    }
}

/// Whether the kernel did not find the list itself, rather than an address in it.
pub(super) fn is_about_list(refusal: &ExtAckError, name: &str) -> bool {
    let about = refusal
        .label
        .as_ref()
        .is_none_or(|label| *label == wire::name_label(name));
    refusal.is(Errno::ENOENT) && about
}
