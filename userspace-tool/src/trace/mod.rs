// SPDX-License-Identifier: GPL-2.0

//! What rules packets meet: `palisade trace`.

mod arguments;
mod show;
mod step;
#[cfg(test)]
mod tests;

use crate::{
    error::Error,
    follow::follow,
    netlink::spec::{command as operation, group},
    usage,
};
pub(crate) use arguments::TraceArguments;

/// Run `trace` with these arguments. It prints by itself.
pub(crate) fn run(arguments: Vec<String>) -> Result<String, Error> {
    let arguments = match usage::parse::<TraceArguments>("trace", arguments) {
        Ok(arguments) => arguments,
        Err(error) => return usage::explain(&error, "trace"),
    };
    let mut text = show::Text::default();
    follow("trace", group::TRACE, |told| {
        let step = match told {
            Some((operation::TRACE_NTF, attributes)) => Some(step::decode(attributes)?),
            // Something of a newer module.
            Some(_) => return Ok(None),
            None => None,
        };
        Ok(Some(match (step, arguments.json) {
            (Some(step), true) => format!("{}\n", show::json(&step)),
            (Some(step), false) => text.step(&step),
            (None, true) => show::LOST_JSON.to_owned(),
            (None, false) => text.lost(),
        }))
    })
}
