// SPDX-License-Identifier: GPL-2.0

//! Printing what a multicast group tells, as it comes.

use std::{io, os::fd::AsFd};

use crate::{
    error::Error,
    netlink::{Listener, Received},
    output,
};

/// What comes from a multicast group.
pub(crate) enum Told {
    /// A message, by its command and its attributes.
    Message { command: u8, attributes: Vec<u8> },
    /// Messages were lost, since they came faster than they were read.
    Overrun,
}

/// Print what `show` makes of each message of a group, until nobody reads it any more. `name` is the command's.
pub(crate) fn follow(
    name: &str,
    group: usize,
    mut show: impl FnMut(Told) -> Result<Option<String>, Error>,
) -> Result<String, Error> {
    let mut listener = Listener::open(group)?;
    while let Some(received) = listener.next(io::stdout().as_fd())? {
        let told = match received {
            Received::Event {
                command,
                attributes,
            } => Told::Message {
                command,
                attributes,
            },
            Received::Overrun => Told::Overrun,
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
