// SPDX-License-Identifier: GPL-2.0

//! Runs the commands of `palisade list`.

use super::{
    arguments::{ListCommand, Setting},
    clock, entries,
    explain::explain,
    feed::{ListOnly, feed},
    input,
    saved::{self, Saved},
    show,
    wire::{self, Entry, List, NewEntry, named},
};
use crate::{
    error::Error,
    netlink::{Connection, Writer, spec::command as operation},
    output,
    progress::standard_input,
};

/// Run a command. Returns its output.
pub(super) fn execute(command: ListCommand) -> Result<String, Error> {
    match command {
        ListCommand::Ls { json } => ls(json),
        ListCommand::Show { name, json } => show_list(&name, json),
        ListCommand::Add { name, new, exist } => {
            let addresses = input::new_addresses(&format!("list add {name}"), &new)?;
            add(&name, &addresses, exist)
        }
        ListCommand::Del {
            name,
            addresses,
            exist,
        } => {
            if addresses.is_empty() {
                return Err(Error::usage(format!(
                    "list del {name}: no address given: palisade list flush {name} removes all, \
                     palisade list destroy {name} the list itself"
                )));
            }
            let addresses = entries::without_repetitions(input::addresses(&addresses)?);
            let mut connection = Connection::open()?;
            let command = operation::ENTRY_DELETE;
            entries::change(&mut connection, command, &name, &addresses, exist)?;
            Ok(String::new())
        }
        ListCommand::Feed { name } => feed(&name, &mut ListOnly),
        ListCommand::Flush { name } => change(operation::LIST_FLUSH, &name, &named(&name)),
        ListCommand::Create {
            name,
            settings,
            exist,
        } => {
            let request = with_settings("create", &name, &settings, exist)?;
            change(operation::LIST_CREATE, &name, &request)
        }
        ListCommand::Set { name, settings } => {
            let request = with_settings("set", &name, &settings, false)?;
            change(operation::LIST_SET, &name, &request)
        }
        ListCommand::Save { name } => save(name.as_deref()),
        ListCommand::Restore { file } => {
            let (name, text) = read(file.as_deref())?;
            restore(&text, name, Present::Merged)?;
            Ok(String::new())
        }
        ListCommand::Destroy { name } => destroy(&name),
    }
}

/// Add addresses to a list. Returns how many were new, as a line.
pub(crate) fn add(name: &str, addresses: &[NewEntry], exist: bool) -> Result<String, Error> {
    let mut connection = Connection::open()?;
    let command = operation::ENTRY_ADD;
    let added = entries::change(&mut connection, command, name, addresses, exist)?;
    Ok(added.map_or_else(String::new, |added| {
        show::added(name, added, addresses.len())
    }))
}

/// Create a list, or change its settings.
pub(crate) fn create(name: &str, settings: &[Setting]) -> Result<(), Error> {
    let request = with_settings("create", name, settings, true)?;
    change_list(
        &mut Connection::open()?,
        operation::LIST_CREATE,
        name,
        &request,
    )
}

/// Destroy a list. Returns an empty output.
pub(crate) fn destroy(name: &str) -> Result<String, Error> {
    change(operation::LIST_DESTROY, name, &named(name))
}

fn change(command: u8, name: &str, request: &Writer) -> Result<String, Error> {
    change_list(&mut Connection::open()?, command, name, request)?;
    Ok(String::new())
}

fn change_list(
    connection: &mut Connection,
    command: u8,
    name: &str,
    request: &Writer,
) -> Result<(), Error> {
    let warning = connection
        .change_with_warning(command, request)
        .map_err(|error| explain(error, name))?;
    if let Some(warning) = warning {
        output::warn(&format!("list {name}: {warning}"));
    }
    Ok(())
}

fn with_settings(
    command: &str,
    name: &str,
    settings: &[Setting],
    exist: bool,
) -> Result<Writer, Error> {
    let mut request = wire::named_again(name, exist);
    for (index, setting) in settings.iter().enumerate() {
        let mut earlier = settings.iter().take(index);
        if earlier.any(|earlier| earlier.name() == setting.name()) {
            return Err(Error::usage(format!(
                "list {command} {name}: {} is given twice",
                setting.name()
            )));
        }
        wire::encode_setting(setting, &mut request);
    }
    Ok(request)
}

/// A list's entries, the one that was seen last first.
fn sorted_entries(connection: &mut Connection, name: &str) -> Result<Vec<Entry>, Error> {
    let mut entries = entries::read(connection, name)?;
    entries.sort_by_key(|entry| (entry.ages.first().copied().unwrap_or(u64::MAX), entry.key));
    Ok(entries)
}

pub(super) fn save(name: Option<&str>) -> Result<String, Error> {
    let mut connection = Connection::open()?;
    let lists = match name {
        Some(name) => vec![get(&mut connection, name)?],
        None => all(&mut connection)?,
    };
    let mut text = String::new();
    for list in lists {
        let entries = sorted_entries(&mut connection, &list.name)?;
        // Writing to a String does not fail, and the clock does not show the year 10000.
        let _ = saved::save(&Saved { list, entries }, clock::now(), &mut text);
    }
    Ok(text)
}

/// What a file or standard input is called, and holds.
fn read(file: Option<&str>) -> Result<(&str, String), Error> {
    match file {
        None | Some("-") => {
            let name = input::STANDARD_INPUT;
            Ok((name, input::text(standard_input(), name)?))
        }
        Some(name) => {
            let open = std::fs::File::open(name);
            let file =
                open.map_err(|error| Error::Failure(format!("cannot open {name}: {error}")))?;
            Ok((name, input::text(file, name)?))
        }
    }
}

/// What becomes of lists that have addresses already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Present {
    /// They get those of the file besides.
    Merged,
    /// They are left alone.
    Kept,
}

pub(super) fn restore(text: &str, name: &str, present_lists: Present) -> Result<(), Error> {
    let lists = saved::restore(text, name, clock::now())?;
    let mut connection = Connection::open()?;
    let present = all(&mut connection)?;
    let mut exceptions = Vec::new();
    for Saved { list, mut entries } in lists {
        let before = present.iter().find(|other| other.name == list.name);
        let has_entries = before.is_some_and(|before| before.entries > 0);
        if present_lists == Present::Kept && has_entries {
            continue;
        }
        let (command, hits) = match before {
            // A rule may count more hits than the list did when it was saved.
            Some(before) => (operation::LIST_SET, list.hits.max(before.hits)),
            None => (operation::LIST_CREATE, list.hits),
        };
        let limits = [
            Setting::Size(list.size),
            Setting::Hits(hits),
            Setting::Timeout(list.timeout),
        ];
        let networks = list.networks.then_some(Setting::Networks);
        let settings: Vec<Setting> = limits.into_iter().chain(networks).collect();
        let request = with_settings("restore", &list.name, &settings, false)?;
        change_list(&mut connection, command, &list.name, &request)?;
        let except_before = before.map_or("", |before| &before.except);
        if list.except != except_before {
            exceptions.push((list.name.clone(), Setting::Except(list.except)));
        }
        // If there is not room for all, the last ones stay.
        entries.reverse();
        let command = operation::ENTRY_ADD;
        entries::change(&mut connection, command, &list.name, &entries, false)?;
    }
    // The list that is the exception may come later in the file.
    for (name, except) in exceptions {
        let request = with_settings("restore", &name, &[except], false)?;
        change_list(&mut connection, operation::LIST_SET, &name, &request)?;
    }
    Ok(())
}

fn ls(json: bool) -> Result<String, Error> {
    let lists = lists()?;
    if json {
        let lists: serde_json::Value = lists.iter().map(show::list_json).collect();
        return Ok(format!("{lists:#}\n"));
    }
    Ok(show::lists(&lists))
}

fn all(connection: &mut Connection) -> Result<Vec<List>, Error> {
    let request = Writer::default();
    let mut lists = connection.dump(operation::LIST_GET, &request, wire::decode_list)?;
    lists.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(lists)
}

/// All lists, by their names.
pub(crate) fn lists() -> Result<Vec<List>, Error> {
    all(&mut Connection::open()?)
}

/// The names of all lists.
pub(crate) fn names() -> Result<Vec<String>, Error> {
    Ok(lists()?.into_iter().map(|list| list.name).collect())
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
    let entries = sorted_entries(&mut connection, name)?;
    if !json {
        return Ok(show::entries(&entries));
    }
    let mut value = show::list_json(&list);
    // The entries replace their number.
    value["entries"] = entries.iter().map(show::entry_json).collect();
    Ok(format!("{value:#}\n"))
}
