// SPDX-License-Identifier: GPL-2.0

//! `palisade restore`: a file as iptables-save writes it becomes one request, and so one change.

mod arguments;
mod evidence;
mod line;
mod mistake;
mod plan;
mod request;
#[cfg(test)]
mod tests;

use std::io::Read;

use super::{execute::session::Session, model::names};
use crate::{error::Error, output, progress::standard_input, usage};
pub(crate) use arguments::RestoreArguments;
use mistake::Mistake;
use request::Request;

/// Run `restore` with these arguments. Returns its output.
pub(crate) fn run(arguments: Vec<String>) -> Result<String, Error> {
    let wanted = match arguments::parse(arguments) {
        Ok(wanted) => wanted,
        Err(error) => return usage::explain(&error, "restore"),
    };
    let bytes = read(&wanted)?;
    apply(&bytes, &wanted)
}

/// Put the rules of a file into force that has been read already.
pub(crate) fn bytes(bytes: &[u8], file: &str) -> Result<(), Error> {
    let words = vec!["--".to_owned(), file.to_owned()];
    let wanted = arguments::parse(words).map_err(|error| Error::Failure(error.to_string()))?;
    apply(bytes, &wanted).map(drop)
}

fn apply(bytes: &[u8], wanted: &RestoreArguments) -> Result<String, Error> {
    let mut session = Session::open(None)?;
    let chains = session.dump_chains(None)?;
    let names = names::System::default();
    // Warnings wait for success: an error is one line, and they would bury it.
    let mut warnings = Vec::new();
    let mut warn = |line: usize, reading: &str| {
        let file = wanted.file_name();
        warnings.push(format!("restore: {file}:{line}: {reading}"));
    };
    let in_file = |mistake: Mistake| mistake.in_file(wanted.file_name());
    let plan = plan::make(bytes, wanted, &chains, &names, &mut warn).map_err(in_file)?;
    let request = Request::new(&plan).map_err(in_file)?;
    request.send(&mut session, wanted.test).map_err(in_file)?;
    for warning in &warnings {
        output::warn(warning);
    }
    let summary = wanted.verbose.then(|| plan.summary());
    Ok(summary.unwrap_or_default())
}

fn read(wanted: &RestoreArguments) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let name = wanted.file_name();
    let result = match wanted.file() {
        Some(path) => std::fs::read(path).map(|contents| bytes = contents),
        None => standard_input().read_to_end(&mut bytes).map(drop),
    };
    let failure = |error| Error::Failure(format!("restore: cannot read {name}: {error}"));
    result.map_err(failure)?;
    Ok(bytes)
}
