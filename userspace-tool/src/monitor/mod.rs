// SPDX-License-Identifier: GPL-2.0

//! Events as they happen: `palisade monitor`.

mod arguments;
mod event;
mod show;
#[cfg(test)]
mod tests;

use crate::{error::Error, follow::follow, netlink::spec::group, usage};
pub(crate) use arguments::MonitorArguments;
pub(crate) use event::{Event, What, decode};
pub(crate) use show::{json as event_json, sentences};

/// Run `monitor` with these arguments. It prints by itself.
pub(crate) fn run(arguments: Vec<String>) -> Result<String, Error> {
    let arguments = match usage::parse::<MonitorArguments>("monitor", arguments) {
        Ok(arguments) => arguments,
        Err(error) => return usage::explain(&error, "monitor"),
    };
    follow("monitor", group::EVENTS, |told| {
        let event = match told {
            // None if it is one of a newer module.
            Some((command, attributes)) => decode(command, attributes)?,
            None => Some(Event::overrun()),
        };
        let event = event.filter(|event| is_wanted(event, &arguments.lists));
        Ok(event.map(|event| match arguments.json {
            true => format!("{}\n", show::json(&event)),
            false => show::text(&event),
        }))
    })
}

/// Whether an event is about one of these lists, if there are any, or that events were lost.
fn is_wanted(event: &Event, lists: &[String]) -> bool {
    let is_listed = || {
        let list = event.list.as_ref();
        list.is_some_and(|list| lists.contains(&list.name))
    };
    lists.is_empty() || event.tells_of_loss() || is_listed()
}
