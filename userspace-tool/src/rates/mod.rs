// SPDX-License-Identifier: GPL-2.0

//! The rates that `-m hashlimit` limits: `palisade rates`.

mod arguments;
mod show;
#[cfg(test)]
mod tests;
mod wire;

use nix::errno::Errno;

use crate::{
    error::Error,
    netlink::{Connection, Writer, spec::command as operation},
    usage,
};
pub(crate) use arguments::RatesArguments;

/// Run `rates` with these arguments. Returns its output.
pub(crate) fn run(arguments: Vec<String>) -> Result<String, Error> {
    let arguments = match usage::parse::<RatesArguments>("rates", arguments) {
        Ok(arguments) => arguments,
        Err(error) => return usage::explain(&error, "rates"),
    };
    let mut connection = Connection::open()?;
    let Some(name) = arguments.name else {
        let request = Writer::default();
        let mut tables = connection.dump(operation::RATES_GET, &request, wire::decode_table)?;
        tables.sort_by(|one, other| one.name.cmp(&other.name));
        return Ok(match arguments.json {
            true => show::tables_json(&tables),
            false => show::tables(&tables),
        });
    };
    let request = wire::named(&name);
    if arguments.flush {
        let flushed = connection.change(operation::RATES_FLUSH, &request);
        return flushed
            .map(|()| String::new())
            .map_err(|error| explain(error, &name));
    }
    let rates = connection.dump(operation::RATE_GET, &request, wire::decode_rate);
    let mut rates = rates.map_err(|error| explain(error, &name))?;
    // Who has sent most comes first.
    rates.sort_by_key(|rate| {
        (
            std::cmp::Reverse(rate.full_in),
            rate.source,
            rate.destination,
        )
    });
    Ok(match arguments.json {
        true => show::rates_json(&rates),
        false => show::rates(&rates),
    })
}

fn explain(error: Error, name: &str) -> Error {
    match error {
        Error::Kernel(refusal) if refusal.is(Errno::ENOENT) => Error::Failure(format!(
            "rates: no rule has --hashlimit-name {name}: palisade rates shows those that there are"
        )),
        other => other,
    }
}
