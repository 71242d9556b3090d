// SPDX-License-Identifier: GPL-2.0

//! Rules and lists that outlive a reboot: `palisade persist`.

mod arguments;
mod files;
mod machine;
#[cfg(test)]
mod tests;

use std::path::Path;

use crate::{error::Error, lists, output, rules, usage};
pub(crate) use arguments::PersistArguments;
use arguments::PersistCommand;
use files::Files;

/// Run `persist` with these arguments. Returns its output.
pub(crate) fn run(arguments: Vec<String>) -> Result<String, Error> {
    let command = match usage::parse::<PersistArguments>("persist", arguments) {
        Ok(arguments) => arguments.command(),
        Err(error) => return usage::explain(&error, "persist"),
    };
    machine::is_in_host_namespace()?;
    let files = Files::below("/");
    let firewall = &mut Palisade;
    match command {
        PersistCommand::Keep => {
            let module = machine::module()?;
            files.keep_rules(firewall)?;
            files.keep_lists(firewall)?;
            files.remember(&module)?;
            if let Some(warning) = machine::what_is_missing_at_boot() {
                output::warn(&warning);
            }
        }
        PersistCommand::KeepLists => {
            files.is_remembered(&machine::module()?)?;
            files.keep_lists(firewall)?;
        }
        PersistCommand::Restore => {
            let restored = files.restore(firewall, &mut output::warn);
            // Without the module nothing was brought back.
            if let Ok(module) = machine::module() {
                files.remember(&module)?;
            }
            restored?;
        }
        PersistCommand::Reload => files.reload(firewall, &mut output::warn)?,
    }
    Ok(String::new())
}

/// What is kept, and brought back.
trait Firewall {
    fn rules(&mut self) -> Result<String, Error>;
    fn lists(&mut self) -> Result<String, Error>;
    /// Put the rules of a file into force, all of them or none.
    fn restore_rules(&mut self, bytes: &[u8], file: &Path) -> Result<(), Error>;
    /// Fill the lists of a file, but those that have addresses already.
    fn restore_lists(&mut self, bytes: &[u8], file: &Path) -> Result<(), Error>;
}

/// The module.
struct Palisade;

impl Firewall for Palisade {
    fn rules(&mut self) -> Result<String, Error> {
        rules::save(Vec::new())
    }

    fn lists(&mut self) -> Result<String, Error> {
        lists::save()
    }

    fn restore_rules(&mut self, bytes: &[u8], file: &Path) -> Result<(), Error> {
        rules::restore_bytes(bytes, &file.display().to_string())
    }

    fn restore_lists(&mut self, bytes: &[u8], file: &Path) -> Result<(), Error> {
        lists::restore_bytes(bytes, &file.display().to_string())
    }
}
