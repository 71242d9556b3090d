// SPDX-License-Identifier: GPL-2.0

//! Recent lists: `palisade list`.

mod arguments;
mod clock;
pub(crate) mod duration;
mod entries;
mod execute;
mod expiry;
mod explain;
mod feed;
mod input;
mod key;
mod saved;
mod show;
#[cfg(test)]
mod tests;
mod wire;

use crate::{error::Error, usage};
pub(crate) use arguments::{ListArguments, Setting};
pub(crate) use clock::{now, show as show_time};
pub(crate) use entries::{delete, read as entries, read_as as entries_as};
pub(crate) use execute::{add, create, destroy, lists, names};
pub(crate) use expiry::Expiry;
pub(crate) use feed::{Purpose, feed};
pub(crate) use input::{AddArgument, AddressArgument, addresses, new_addresses};
pub(crate) use key::EntryKey;
pub(crate) use show::{entry_json, left, list_json};
pub(crate) use wire::{Entry, List, NewEntry, decode_entry_key, decode_expiry};

/// All lists as `list save` prints them.
pub(crate) fn save() -> Result<String, Error> {
    execute::save(None)
}

/// Fill the lists of a file that has been read already, but those that have addresses.
pub(crate) fn restore_bytes(bytes: &[u8], file: &str) -> Result<(), Error> {
    let text = input::text(bytes, file)?;
    execute::restore(&text, file, execute::Present::Kept)
}

/// Run `list` with these arguments. Returns its output.
pub(crate) fn run(arguments: Vec<String>) -> Result<String, Error> {
    match usage::parse::<ListArguments>("list", arguments) {
        Ok(arguments) => execute::execute(arguments.command),
        Err(error) => arguments::explain(&error),
    }
}
