// SPDX-License-Identifier: GPL-2.0

//! Reading and changing the entries of a list.

use std::collections::HashSet;

use nix::errno::Errno;

use super::{
    explain::{explain, is_about_list},
    key::EntryKey,
    wire::{self, Encode, Entry},
};
use crate::{
    error::Error,
    netlink::{self, Connection, Writer, spec::command as operation},
    output,
    progress::Progress,
};

/// Messages of entries are at most about this long.
pub(super) const BATCH_LENGTH: usize = 60_000;

/// Read all entries of a list.
pub(crate) fn read(connection: &mut Connection, name: &str) -> Result<Vec<Entry>, Error> {
    read_as(connection, name, |entry| entry)
}

/// Read all entries of a list, of which there may be millions, and keep of each what `keep` makes of it.
pub(crate) fn read_as<T>(
    connection: &mut Connection,
    name: &str,
    mut keep: impl FnMut(Entry) -> T,
) -> Result<Vec<T>, Error> {
    let request = wire::named(name);
    let read = |answer: &[u8], kept: &mut Vec<T>| {
        let mut entries = Vec::new();
        wire::decode_entries(answer, &mut entries)?;
        kept.extend(entries.into_iter().map(&mut keep));
        Ok(())
    };
    connection
        .dump_several(operation::ENTRY_GET, &request, read)
        .map_err(|error| explain(error, name))
}

/// Drop repeated addresses: a second message could not delete them again.
pub(super) fn without_repetitions(mut addresses: Vec<EntryKey>) -> Vec<EntryKey> {
    let mut seen = HashSet::new();
    addresses.retain(|address| seen.insert(*address));
    addresses
}

/// Add or delete entries, in as many messages as needed; with `exist`, also what was added or deleted before. Returns how
/// many were new, if they were added and the kernel told.
pub(super) fn change(
    connection: &mut Connection,
    command: u8,
    name: &str,
    entries: &[impl Encode],
    exist: bool,
) -> Result<Option<u32>, Error> {
    let mut done = 0;
    let mut added = Some(0u32);
    let mut warnings = Warnings::default();
    let mut request = wire::named_again(name, exist);
    let progress = Progress::of(&format!("list {name}"), entries.len(), "addresses");
    for (index, entry) in entries.iter().enumerate() {
        entry.encode(&mut request);
        if index + 1 < entries.len() && request.len() < BATCH_LENGTH {
            continue;
        }
        let changed = connection.change_with_answer(command, &request, wire::decode_added);
        let batch = entries.get(done..=index).unwrap_or_default();
        let (answers, warning) = changed.map_err(|error| {
            let error = netlink::explain(error, &labelled(name, exist, batch));
            after(done, explain(error, name))
        })?;
        warnings.add(warning);
        let answered = answers.first().copied();
        added = added.and_then(|added| added.checked_add(answered?));
        progress.add(batch.len());
        done = index + 1;
        request = wire::named_again(name, exist);
    }
    drop(progress);
    warnings.show(name);
    Ok(added)
}

/// Delete an entry. Returns whether it was there.
pub(crate) fn delete(
    connection: &mut Connection,
    name: &str,
    key: EntryKey,
) -> Result<bool, Error> {
    let request = labelled(name, false, &[key]);
    match connection.change(operation::ENTRY_DELETE, &request) {
        Ok(()) => Ok(true),
        Err(Error::Kernel(refusal))
            if refusal.is(Errno::ENOENT) && !is_about_list(&refusal, name) =>
        {
            Ok(false)
        }
        Err(error) => Err(explain(error, name)),
    }
}

/// The same message with labels, which takes longer to make.
fn labelled(name: &str, exist: bool, batch: &[impl Encode]) -> Writer {
    let mut request = wire::named_again(name, exist);
    for entry in batch {
        request.labelled(entry.key().to_string(), |request| {
            entry.encode(request);
        });
    }
    request
}

/// Warnings of the kernel about several messages. Those that differ in one number only are added up.
#[derive(Debug, Default)]
struct Warnings(Vec<(String, Option<u64>, String)>);

impl Warnings {
    fn add(&mut self, warning: Option<String>) {
        let Some(warning) = warning else {
            return;
        };
        let start = warning
            .find(|character: char| character.is_ascii_digit())
            .unwrap_or(warning.len());
        let (before, rest) = warning.split_at(start);
        let end = rest
            .find(|character: char| !character.is_ascii_digit())
            .unwrap_or(rest.len());
        let (number, after) = rest.split_at(end);
        let number = number.parse::<u64>().ok();
        let same =
            |(one, _, other): &&mut (String, Option<u64>, String)| one == before && other == after;
        match self.0.iter_mut().find(same) {
            Some((_, Some(sum), _)) => *sum = sum.saturating_add(number.unwrap_or(0)),
            Some(_) => {}
            None => self.0.push((before.to_owned(), number, after.to_owned())),
        }
    }

    fn show(&self, name: &str) {
        for (before, number, after) in &self.0 {
            let number = number.map(|number| number.to_string()).unwrap_or_default();
            output::warn(&format!("list {name}: {before}{number}{after}"));
        }
    }
}

/// Add to an error how much was done before it.
fn after(done: usize, error: Error) -> Error {
    if done == 0 {
        return error;
    }
    Error::Failure(format!("{error} (the first {done} addresses were done)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_are_left_out_and_the_order_stays() {
        let [one, two] = [[192, 0, 2, 1], [192, 0, 2, 2]]
            .map(|address| EntryKey::from(std::net::IpAddr::from(address)));
        assert_eq!(without_repetitions(vec![two, one, two, one]), [two, one]);
    }

    #[test]
    fn warnings_are_added_up() {
        let mut warnings = Warnings::default();
        for text in ["full: 3 had to go", "full: 4 had to go", "else"] {
            warnings.add(Some(text.to_owned()));
        }
        warnings.add(None);
        let sums: Vec<Option<u64>> = warnings.0.iter().map(|(_, sum, _)| *sum).collect();
        assert_eq!(sums, [Some(7), None]);
    }
}
