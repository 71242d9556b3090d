// SPDX-License-Identifier: GPL-2.0

//! The files in which rules and lists are kept.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::Firewall;
use crate::{
    error::Error,
    replace::{OWNER, replace},
};

/// Where everything is kept.
pub(super) struct Files {
    /// What is to be in force; people may edit it.
    rules: PathBuf,
    /// What was in force when there was no mistake in it.
    good: PathBuf,
    lists: PathBuf,
    /// Lists that could not be brought back.
    broken: PathBuf,
    /// The module whose lists these are.
    module: PathBuf,
}

impl Files {
    pub(super) fn below(root: impl AsRef<Path>) -> Self {
        let root = root.as_ref();
        let state = root.join("var/lib/palisade");
        Self {
            rules: root.join("etc/palisade/rules"),
            good: state.join("rules.good"),
            lists: state.join("lists"),
            broken: state.join("lists.broken"),
            module: root.join("run/palisade/module"),
        }
    }

    pub(super) fn keep_rules(&self, firewall: &mut impl Firewall) -> Result<(), Error> {
        let rules = firewall.rules()?;
        keep(&self.rules, rules.as_bytes())?;
        keep(&self.good, rules.as_bytes())
    }

    pub(super) fn keep_lists(&self, firewall: &mut impl Firewall) -> Result<(), Error> {
        keep(&self.lists, firewall.lists()?.as_bytes())
    }

    /// Remember the module that has the lists that are kept.
    pub(super) fn remember(&self, module: &str) -> Result<(), Error> {
        keep(&self.module, module.as_bytes())
    }

    /// Whether this module has the lists that are kept. One that was loaded since they were brought back has none of
    /// them, and would take their place.
    pub(super) fn is_remembered(&self, module: &str) -> Result<(), Error> {
        match fs::read_to_string(&self.module) {
            Ok(other) if other != module => Err(Error::Failure(
                "persist: the module was loaded anew, and has not got the lists that were kept: palisade \
                 persist --restore brings them back, palisade persist keeps what there is now"
                    .to_owned(),
            )),
            _ => Ok(()),
        }
    }

    /// Bring everything back. Rules come back whatever there is about lists, and if there is a mistake in them, the
    /// last ones without one do.
    pub(super) fn restore(
        &self,
        firewall: &mut impl Firewall,
        warn: &mut dyn FnMut(&str),
    ) -> Result<(), Error> {
        // Rules count hits in lists, and would make empty ones.
        let lists = self.restore_lists(firewall);
        let rules = match self.load_rules(firewall, warn) {
            Err(error @ Error::Failure(_)) => Err(self.fall_back(firewall, error)),
            other => other,
        };
        match (rules, lists) {
            (Err(rules), Err(lists)) if rules.to_string() != lists.to_string() => {
                warn(&lists.to_string());
                Err(rules)
            }
            (rules, lists) => rules.and(lists),
        }
    }

    /// Put the rules into force, or change nothing.
    pub(super) fn reload(
        &self,
        firewall: &mut impl Firewall,
        warn: &mut dyn FnMut(&str),
    ) -> Result<(), Error> {
        self.load_rules(firewall, warn)
    }

    fn restore_lists(&self, firewall: &mut impl Firewall) -> Result<(), Error> {
        let Some(bytes) = read(&self.lists)? else {
            return Ok(());
        };
        let restored = firewall.restore_lists(&bytes, &self.lists);
        let Err(Error::Failure(message)) = restored else {
            return restored;
        };
        // The next time that lists are kept would overwrite it.
        let kept = match fs::rename(&self.lists, &self.broken) {
            Ok(()) => format!("the file is {} now", self.broken.display()),
            Err(error) => format!("it cannot be moved to {}: {error}", self.broken.display()),
        };
        Err(Error::Failure(format!("persist: {message}: {kept}")))
    }

    fn load_rules(
        &self,
        firewall: &mut impl Firewall,
        warn: &mut dyn FnMut(&str),
    ) -> Result<(), Error> {
        let Some(bytes) = read(&self.rules)? else {
            return Ok(());
        };
        firewall.restore_rules(&bytes, &self.rules)?;
        if fs::read(&self.good).is_ok_and(|good| good == bytes) {
            return Ok(());
        }
        // The rules are in force, which is what counts.
        if let Err(error) = keep(&self.good, &bytes) {
            warn(&error.to_string());
        }
        Ok(())
    }

    /// Put the last good rules into force. Returns what is to be said.
    fn fall_back(&self, firewall: &mut impl Firewall, mistake: Error) -> Error {
        let good = self.good.display();
        let outcome = match read(&self.good) {
            Ok(None) => "no rules are in force, since there were none before".to_owned(),
            Ok(Some(bytes)) => match firewall.restore_rules(&bytes, &self.good) {
                Ok(()) => format!("the last good rules are in force instead ({good})"),
                Err(error) => format!("nor are the last good rules in force: {error}"),
            },
            Err(error) => error.to_string(),
        };
        Error::Failure(format!("{mistake}: {outcome}"))
    }
}

fn keep(path: &Path, contents: &[u8]) -> Result<(), Error> {
    replace(path, contents, OWNER).map_err(|error| {
        Error::Failure(format!(
            "persist: cannot write {}: {error}: what was kept there before stays",
            path.display()
        ))
    })
}

/// The contents of a file; none if it is not there.
fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::Failure(format!(
            "persist: cannot read {}: {error}",
            path.display()
        ))),
    }
}
