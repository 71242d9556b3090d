// SPDX-License-Identifier: GPL-2.0

//! Carrying out a command about lists.

use nix::errno::Errno;

use super::{
    arguments::{ListCommand, Setting},
    entries, input, show,
    wire::{self, List, named},
};
use crate::{
    error::Error,
    netlink::{Connection, Refusal, Writer, spec::command as operation},
};

pub(super) fn execute(command: ListCommand) -> Result<String, Error> {
    match command {
        ListCommand::Ls { json } => ls(json),
        ListCommand::Show { name, json } => show_list(&name, json),
        ListCommand::Add { name, addresses } => {
            let addresses = input::addresses(&addresses)?;
            let mut connection = Connection::open()?;
            entries::change(&mut connection, operation::ENTRY_ADD, &name, &addresses)?;
            Ok(String::new())
        }
        ListCommand::Del { name, addresses } => {
            if addresses.is_empty() {
                return Err(Error::usage(format!(
                    "list del {name}: no address given: palisade list flush {name} removes all, \
                     palisade list destroy {name} the list itself"
                )));
            }
            let addresses = entries::without_repetitions(input::addresses(&addresses)?);
            let mut connection = Connection::open()?;
            entries::change(&mut connection, operation::ENTRY_DELETE, &name, &addresses)?;
            Ok(String::new())
        }
        ListCommand::Flush { name } => change(operation::LIST_FLUSH, &name, &named(&name)),
        ListCommand::Create { name, settings } => create(&name, &settings),
        ListCommand::Destroy { name } => change(operation::LIST_DESTROY, &name, &named(&name)),
    }
}

/// Say more about a refusal than the kernel can.
pub(super) fn explain(error: Error, name: &str) -> Error {
    match error {
        Error::Refused(refusal) if is_about_list(&refusal, name) => {
            Error::UnknownList(name.to_owned())
        }
        Error::Refused(refusal) if refusal.is(Errno::EEXIST) => {
            Error::Failure(format!("there is a list {name} already"))
        }
        // The refusal may name an address or a setting, or nothing.
        Error::Refused(refusal) if refusal.label != Some(wire::name_label(name)) => {
            Error::Failure(format!("list {name}: {refusal}"))
        }
        other => other,
    }
}

/// Whether the kernel did not find the list itself, rather than an address in it.
fn is_about_list(refusal: &Refusal, name: &str) -> bool {
    let about = refusal
        .label
        .as_ref()
        .is_none_or(|label| *label == wire::name_label(name));
    refusal.is(Errno::ENOENT) && about
}

fn change(command: u8, name: &str, request: &Writer) -> Result<String, Error> {
    let mut connection = Connection::open()?;
    let changed = connection.change(command, request);
    changed
        .map(|()| String::new())
        .map_err(|error| explain(error, name))
}

fn create(name: &str, settings: &[Setting]) -> Result<String, Error> {
    let mut request = named(name);
    for (index, setting) in settings.iter().enumerate() {
        let mut earlier = settings.iter().take(index);
        if earlier.any(|earlier| earlier.name() == setting.name()) {
            return Err(Error::usage(format!(
                "list create {name}: {} is given twice",
                setting.name()
            )));
        }
        wire::encode_setting(*setting, &mut request);
    }
    change(operation::LIST_CREATE, name, &request)
}

fn ls(json: bool) -> Result<String, Error> {
    let mut connection = Connection::open()?;
    let request = Writer::default();
    let mut lists = connection.dump(operation::LIST_GET, &request, wire::decode_list)?;
    lists.sort_by(|one, other| one.name.cmp(&other.name));
    if json {
        let lists: serde_json::Value = lists.iter().map(show::list_json).collect();
        return Ok(format!("{lists:#}\n"));
    }
    Ok(show::lists(&lists))
}

fn get(connection: &mut Connection, name: &str) -> Result<List, Error> {
    let lists = connection
        .get(operation::LIST_GET, &named(name), wire::decode_list)
        .map_err(|error| explain(error, name))?;
    lists
        .into_iter()
        .next()
        .ok_or_else(|| Error::UnknownList(name.to_owned()))
}

fn show_list(name: &str, json: bool) -> Result<String, Error> {
    let mut connection = Connection::open()?;
    let list = get(&mut connection, name)?;
    let mut entries = entries::read(&mut connection, name)?;
    entries.sort_by_key(|entry| {
        (
            entry.ages.first().copied().unwrap_or(u64::MAX),
            entry.address,
        )
    });
    if !json {
        return Ok(show::entries(&entries));
    }
    let mut value = show::list_json(&list);
    // Here the entries themselves say how many there are.
    value["entries"] = entries.iter().map(show::entry_json).collect();
    Ok(format!("{value:#}\n"))
}
