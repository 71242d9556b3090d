// SPDX-License-Identifier: GPL-2.0

//! Counters for Prometheus: `palisade metrics`.

mod arguments;
mod families;
mod http;
mod listen;
#[cfg(test)]
mod tests;
mod text;

use std::path::Path;

use crate::{
    error::Error,
    lists, netlink, protect,
    replace::{EVERYBODY, replace},
    rules::Session,
    usage,
};
pub(crate) use arguments::MetricsArguments;
use families::Values;

/// Run `metrics` with these arguments. Returns its output.
pub(crate) fn run(arguments: Vec<String>) -> Result<String, Error> {
    let arguments = match usage::parse::<MetricsArguments>("metrics", arguments) {
        Ok(arguments) => arguments,
        Err(error) => return usage::explain(&error, "metrics"),
    };
    if !arguments.listen.is_empty() {
        return listen::run(&arguments.listen, scrape);
    }
    let text = scrape()?;
    let Some(file) = arguments.output else {
        return Ok(text);
    };
    replace(Path::new(&file), text.as_bytes(), EVERYBODY)
        .map_err(|error| Error::Failure(format!("metrics: cannot write {file}: {error}")))?;
    Ok(String::new())
}

/// What there is to say now of this network namespace.
fn scrape() -> Result<String, Error> {
    // Asking often must not bring back a module that was unloaded.
    if !netlink::is_loaded() {
        return Err(Error::NotLoaded(
            "there is nothing to count until a rule is made, or palisade protect has made one"
                .to_owned(),
        ));
    }
    let values = Values {
        release: netlink::loaded_release(),
        chains: Session::open(None)?.chains(None, None, None)?,
        lists: lists::lists()?,
        servers: protect::servers()?,
    };
    Ok(families::text(&values))
}
