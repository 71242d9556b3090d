// SPDX-License-Identifier: GPL-2.0

//! What a feed changes, many entries in each message.

use nix::errno::Errno;

use super::{
    super::{
        entries::BATCH_LENGTH,
        explain::explain,
        key::EntryKey,
        wire::{self, Encode, NewEntry, named},
    },
    Purpose,
    remembered::Remembered,
};
use crate::{
    error::Error,
    netlink::{Connection, Writer, spec::command as operation},
    output,
};

/// A change of an entry, and the line that asks for it, or 0.
type Change = (usize, NewEntry);

/// Sends changes in the order in which they came.
pub(super) struct Batches<'a> {
    name: &'a str,
    purpose: &'a mut dyn Purpose,
    /// None if the list is lost.
    connection: Option<Connection>,
    /// What is to be sent: changes of one kind, as a message has them.
    command: u8,
    changes: Vec<Change>,
    request: Writer,
    remembered: Remembered,
    refused: usize,
    has_failed: bool,
}

impl<'a> Batches<'a> {
    /// Create the list where it is not there.
    pub(super) fn open(name: &'a str, purpose: &'a mut dyn Purpose) -> Result<Self, Error> {
        let mut batches = Self {
            name,
            purpose,
            connection: None,
            command: operation::ENTRY_ADD,
            changes: Vec::new(),
            request: Writer::default(),
            remembered: Remembered::default(),
            refused: 0,
            has_failed: false,
        };
        batches.connect()?;
        Ok(batches)
    }

    pub(super) fn is_pending(&self) -> bool {
        !self.changes.is_empty()
    }

    pub(super) fn accept(&self, entry: NewEntry) -> Result<NewEntry, String> {
        self.purpose.entry(entry)
    }

    pub(super) fn add(&mut self, line: usize, entry: NewEntry) {
        self.remembered.add(&entry);
        self.push(operation::ENTRY_ADD, line, entry);
    }

    pub(super) fn delete(&mut self, line: usize, key: EntryKey) {
        self.remembered.delete(key);
        self.push(operation::ENTRY_DELETE, line, key.into());
    }

    pub(super) fn flush(&mut self, line: usize) {
        self.send();
        self.remembered.clear();
        let name = self.name;
        let flushed = self.retry(|connection| {
            let request = named(name);
            connection.change(operation::LIST_FLUSH, &request)
        });
        if let Err(error) = flushed {
            self.refuse_lines(line, line, 1, &error);
        }
    }

    fn push(&mut self, command: u8, line: usize, entry: NewEntry) {
        if self.command != command {
            self.send();
            self.command = command;
        }
        if self.changes.is_empty() {
            self.request = request(self.name, command);
        }
        encode(command, &entry, &mut self.request);
        self.changes.push((line, entry));
        if self.request.len() >= BATCH_LENGTH {
            self.send();
        }
    }

    /// Send what is pending.
    pub(super) fn send(&mut self) {
        if self.changes.is_empty() {
            return;
        }
        let changes = std::mem::take(&mut self.changes);
        let whole = std::mem::take(&mut self.request);
        let (name, command) = (self.name, self.command);
        let sent = self.retry(|connection| change(connection, command, name, &whole));
        match sent {
            Ok(()) => {}
            // One of them is at fault, or there is not room for all.
            Err(Error::Kernel(_)) => self.send_one_by_one(&changes),
            Err(error) => self.refuse_all(&changes, &error),
        }
        if command == operation::ENTRY_ADD && self.connection.is_some() {
            if let Err(error) = self.purpose.prepare() {
                self.has_failed = true;
                output::error(&error.to_string());
            }
        }
    }

    /// The kernel's reason is told once for all changes with the same one.
    fn send_one_by_one(&mut self, changes: &[Change]) {
        let mut told: Vec<String> = Vec::new();
        for (index, (line, entry)) in changes.iter().enumerate() {
            let (name, command) = (self.name, self.command);
            let sent = self.retry(|connection| {
                let mut request = request(name, command);
                encode(command, entry, &mut request);
                change(connection, command, name, &request)
            });
            match sent {
                Ok(()) => {}
                Err(Error::Kernel(refusal)) => {
                    self.remembered.delete(entry.key);
                    self.refused += 1;
                    let reason = refusal.reason();
                    if !told.contains(&reason) {
                        let error = explain(refusal.into(), name);
                        output::error(&format!("line {line}: {}: {error}", entry.key));
                        told.push(reason);
                    }
                }
                Err(error) => {
                    return self.refuse_all(changes.get(index..).unwrap_or_default(), &error);
                }
            }
        }
    }

    /// Make a request, and another one if the list was lost meanwhile.
    fn retry(
        &mut self,
        mut attempt: impl FnMut(&mut Connection) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if let Some(connection) = &mut self.connection {
            match attempt(connection) {
                // Neither additions nor deletions mind what is in the list: the list or the module is gone.
                Err(Error::Kernel(refusal)) if refusal.is(Errno::ENOENT) => {
                    self.connection = None;
                }
                result => return result,
            }
        }
        self.connect()?;
        self.fill_again()?;
        match &mut self.connection {
            Some(connection) => attempt(connection),
            None => Ok(()),
        }
    }

    fn connect(&mut self) -> Result<(), Error> {
        let mut connection = Connection::open()?;
        let request = wire::named_again(self.name, true);
        connection
            .change(operation::LIST_CREATE, &request)
            .map_err(|error| explain(error, self.name))?;
        self.purpose.prepare()?;
        self.connection = Some(connection);
        Ok(())
    }

    /// Add what the list had.
    fn fill_again(&mut self) -> Result<(), Error> {
        let entries = self.remembered.entries();
        output::warn(&format!(
            "list {}: it was gone, as when the module is loaded anew: it is made again, with the {} addresses that were fed",
            self.name,
            entries.len()
        ));
        let Some(connection) = &mut self.connection else {
            return Ok(());
        };
        let command = operation::ENTRY_ADD;
        super::super::entries::change(connection, command, self.name, &entries, false).map(drop)
    }

    /// Tell that something is refused.
    pub(super) fn refuse(&mut self, what: &str, reason: &str) {
        self.refused += 1;
        output::error(&format!("{what}: {reason}"));
    }

    fn refuse_all(&mut self, changes: &[Change], error: &Error) {
        let lines = || changes.iter().map(|(line, _)| *line);
        if let (Some(first), Some(last)) = (lines().next(), lines().next_back()) {
            self.refuse_lines(first, last, changes.len(), error);
        }
    }

    fn refuse_lines(&mut self, first: usize, last: usize, count: usize, error: &Error) {
        self.refused += count;
        match first {
            0 => output::error(&error.to_string()),
            _ if first == last => output::error(&format!("line {first}: {error}")),
            _ => output::error(&format!("lines {first} to {last}: {error}")),
        }
    }

    /// Send what is pending, and fail if anything was refused.
    pub(super) fn finish(mut self) -> Result<String, Error> {
        self.send();
        let lines = match self.refused {
            0 if !self.has_failed => return Ok(String::new()),
            1 => "1 line was refused".to_owned(),
            refused => format!("{refused} lines were refused"),
        };
        Err(Error::Failure(format!("list {}: {lines}", self.name)))
    }
}

fn request(name: &str, command: u8) -> Writer {
    // Whoever is deleted need not be there, and whoever is added is stamped.
    wire::named_again(name, command == operation::ENTRY_DELETE)
}

/// Make a change of entries. The kernel warns when others had to make room.
fn change(
    connection: &mut Connection,
    command: u8,
    name: &str,
    request: &Writer,
) -> Result<(), Error> {
    if let Some(warning) = connection.change_with_warning(command, request)? {
        output::warn(&format!("list {name}: {warning}"));
    }
    Ok(())
}

fn encode(command: u8, entry: &NewEntry, request: &mut Writer) {
    match command {
        operation::ENTRY_DELETE => entry.key.encode(request),
        _ => entry.encode(request),
    }
}
