// SPDX-License-Identifier: GPL-2.0

//! Events as they happen: `palisade monitor`.

mod arguments;
mod event;
mod show;
#[cfg(test)]
mod tests;

use std::{
    io::{self, Write},
    os::fd::AsFd,
};

use crate::{
    error::Error,
    netlink::{Listener, Received},
    usage,
};
pub(crate) use arguments::MonitorArguments;
pub(crate) use event::{Event, What, decode};
pub(crate) use show::{json as event_json, sentences};

/// Run `monitor` with these arguments. It prints by itself.
pub(crate) fn run(arguments: Vec<String>) -> Result<String, Error> {
    let arguments = match usage::parse::<MonitorArguments>("monitor", arguments) {
        Ok(arguments) => arguments,
        Err(error) => return usage::explain(&error, "monitor"),
    };
    let mut listener = Listener::open()?;
    let mut out = io::stdout().lock();
    while let Some(received) = listener.next(io::stdout().as_fd())? {
        let Some(event) = read(received)? else {
            continue;
        };
        if !is_wanted(&event, &arguments.lists) {
            continue;
        }
        let text = match arguments.json {
            true => format!("{}\n", show::json(&event)),
            false => show::text(&event),
        };
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => break,
            Err(error) => {
                return Err(Error::Failure(format!(
                    "monitor: cannot write to standard output: {error}"
                )));
            }
        }
    }
    Ok(String::new())
}

/// The event; none if it is one of a newer module.
fn read(received: Received) -> Result<Option<Event>, Error> {
    match received {
        Received::Event {
            command,
            attributes,
        } => decode(command, &attributes),
        Received::Overrun => Ok(Some(Event::overrun())),
        Received::Unloaded => Err(Error::Failure(
            "monitor: the palisade kernel module was unloaded: start this again when it is loaded"
                .to_owned(),
        )),
    }
}

/// Whether an event is about one of these lists, if there are any, or that events were lost.
fn is_wanted(event: &Event, lists: &[String]) -> bool {
    let is_listed = || {
        let list = event.list.as_ref();
        list.is_some_and(|list| lists.contains(&list.name))
    };
    lists.is_empty() || event.tells_of_loss() || is_listed()
}
