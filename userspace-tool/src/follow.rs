// SPDX-License-Identifier: GPL-2.0

//! Printing what a multicast group tells, as it comes.

use std::{io, os::fd::AsFd};

use crate::{
    error::Error,
    netlink::{Listener, Received},
    output,
};

/// Print what `show` makes of each message of a group, by its command and its attributes, or of the loss of some, until
/// nobody reads it any more. `name` is the command's.
pub(crate) fn follow(
    name: &str,
    group: usize,
    mut show: impl FnMut(Option<(u8, &[u8])>) -> Result<Option<String>, Error>,
) -> Result<String, Error> {
    let mut listener = Listener::open(group)?;
    while let Some(received) = listener.next(io::stdout().as_fd())? {
        let told = match &received {
            Received::Event {
                command,
                attributes,
            } => Some((*command, attributes.as_slice())),
            Received::Overrun => None,
            Received::Unloaded => {
                return Err(Error::Failure(format!(
                    "{name}: the palisade kernel module was unloaded: start this again when it is loaded"
                )));
            }
        };
        let Some(text) = show(told)? else {
            continue;
        };
        if !output::goes_on(&text)? {
            break;
        }
    }
    Ok(String::new())
}
