// SPDX-License-Identifier: GPL-2.0

//! What is kept and brought back, with a firewall that knows good rules from bad ones.

use std::{fs, path::Path};

use clap::Parser;

use super::{
    Firewall,
    arguments::{PersistArguments, PersistCommand},
    files::Files,
};
use crate::{error::Error, testing::Folder, usage};

const RULES: &str = "etc/palisade/rules";
const GOOD: &str = "var/lib/palisade/rules.good";
const LISTS: &str = "var/lib/palisade/lists";

#[derive(Default)]
struct Pretended {
    rules: String,
    lists: String,
    /// Nothing can be asked of it.
    absent: bool,
}

impl Pretended {
    fn take(&self, bytes: &[u8], file: &Path) -> Result<String, Error> {
        if self.absent {
            return Err(Error::NotLoaded("there is none".to_owned()));
        }
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let line = text.lines().position(|line| line.contains("bad"));
        match line {
            Some(line) => Err(Error::Failure(format!(
                "{}:{}: bad",
                file.display(),
                line + 1
            ))),
            None => Ok(text),
        }
    }
}

impl Firewall for Pretended {
    fn rules(&mut self) -> Result<String, Error> {
        Ok(self.rules.clone())
    }

    fn lists(&mut self) -> Result<String, Error> {
        Ok(self.lists.clone())
    }

    fn restore_rules(&mut self, bytes: &[u8], file: &Path) -> Result<(), Error> {
        self.rules = self.take(bytes, file)?;
        Ok(())
    }

    fn restore_lists(&mut self, bytes: &[u8], file: &Path) -> Result<(), Error> {
        self.lists = self.take(bytes, file)?;
        Ok(())
    }
}

/// A machine that boots: its files, and a firewall without anything.
struct Machine {
    folder: Folder,
    files: Files,
    firewall: Pretended,
    warnings: Vec<String>,
}

impl Machine {
    fn with(files: &[(&str, &str)]) -> Self {
        let folder = Folder::new();
        for (path, contents) in files {
            folder.write(path, contents);
        }
        Self {
            files: Files::below(folder.path()),
            folder,
            firewall: Pretended::default(),
            warnings: Vec::new(),
        }
    }

    fn restore(&mut self) -> Result<(), String> {
        let warnings = &mut self.warnings;
        let restored = self.files.restore(&mut self.firewall, &mut |text| {
            warnings.push(text.to_owned())
        });
        restored.map_err(|error| self.without_folder(&error.to_string()))
    }

    fn reload(&mut self) -> Result<(), String> {
        let reloaded = self.files.reload(&mut self.firewall, &mut |_| {});
        reloaded.map_err(|error| self.without_folder(&error.to_string()))
    }

    fn without_folder(&self, text: &str) -> String {
        text.replace(&*self.folder.path().to_string_lossy(), "")
    }

    fn file(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.folder.path().join(path)).ok()
    }
}

#[test]
fn what_is_kept_comes_back() {
    let mut machine = Machine::with(&[]);
    machine.firewall.rules = "one".to_owned();
    machine.firewall.lists = "two".to_owned();
    machine.files.keep_rules(&mut machine.firewall).unwrap();
    machine.files.keep_lists(&mut machine.firewall).unwrap();
    machine.firewall = Pretended::default();
    machine.restore().unwrap();
    assert_eq!(machine.firewall.rules, "one");
    assert_eq!(machine.firewall.lists, "two");
    assert_eq!(machine.file(GOOD).as_deref(), Some("one"));
}

#[test]
fn a_machine_on_which_nothing_was_kept_boots() {
    let mut machine = Machine::with(&[]);
    machine.firewall.absent = true;
    assert_eq!(machine.restore(), Ok(()));
    assert_eq!(machine.reload(), Ok(()));
}

#[test]
fn good_rules_are_remembered_and_bad_ones_replaced_by_them() {
    let mut machine = Machine::with(&[(RULES, "edited")]);
    machine.restore().unwrap();
    assert_eq!(machine.file(GOOD).as_deref(), Some("edited"));
    machine.folder.write(RULES, "fine\nbad");
    machine.firewall = Pretended::default();
    assert_eq!(
        machine.restore().unwrap_err(),
        "/etc/palisade/rules:2: bad: the last good rules are in force instead \
         (/var/lib/palisade/rules.good)"
    );
    assert_eq!(machine.firewall.rules, "edited");
    assert_eq!(machine.file(RULES).as_deref(), Some("fine\nbad"));
}

#[test]
fn bad_rules_without_good_ones_leave_none() {
    let mut machine = Machine::with(&[(RULES, "bad")]);
    assert_eq!(
        machine.restore().unwrap_err(),
        "/etc/palisade/rules:1: bad: no rules are in force, since there were none before"
    );
    machine.folder.write(GOOD, "\nbad");
    assert_eq!(
        machine.restore().unwrap_err(),
        "/etc/palisade/rules:1: bad: nor are the last good rules in force: \
         /var/lib/palisade/rules.good:2: bad"
    );
}

#[test]
fn a_reload_of_bad_rules_changes_nothing() {
    let mut machine = Machine::with(&[(RULES, "bad"), (GOOD, "older")]);
    machine.firewall.rules = "newer".to_owned();
    assert_eq!(machine.reload().unwrap_err(), "/etc/palisade/rules:1: bad");
    assert_eq!(machine.firewall.rules, "newer");
    machine.folder.write(RULES, "right");
    machine.reload().unwrap();
    assert_eq!(machine.firewall.rules, "right");
    assert_eq!(machine.file(GOOD).as_deref(), Some("right"));
}

#[test]
fn broken_lists_are_put_aside_and_the_rules_come_back() {
    let mut machine = Machine::with(&[(RULES, "one"), (LISTS, "bad")]);
    assert_eq!(
        machine.restore().unwrap_err(),
        "persist: /var/lib/palisade/lists:1: bad: the file is /var/lib/palisade/lists.broken now"
    );
    assert_eq!(machine.firewall.rules, "one");
    assert_eq!(machine.file(LISTS), None);
    machine.folder.write(LISTS, "bad again");
    machine.folder.write(RULES, "bad");
    let error = machine.restore().unwrap_err();
    assert!(
        error.starts_with("/etc/palisade/rules:1: bad: the last good"),
        "{error}"
    );
    assert_eq!(machine.warnings.len(), 1);
}

#[test]
fn without_the_module_all_files_stay_and_one_error_is_enough() {
    let mut machine = Machine::with(&[(RULES, "one"), (LISTS, "two"), (GOOD, "three")]);
    machine.firewall.absent = true;
    assert_eq!(
        machine.restore().unwrap_err(),
        "the palisade kernel module is not loaded: there is none"
    );
    assert!(machine.warnings.is_empty());
    for (path, contents) in [(RULES, "one"), (LISTS, "two"), (GOOD, "three")] {
        assert_eq!(machine.file(path).as_deref(), Some(contents));
    }
}

#[test]
fn lists_of_a_module_that_was_loaded_anew_are_others() {
    let machine = Machine::with(&[]);
    assert!(machine.files.is_remembered("1").is_ok());
    machine.files.remember("1").unwrap();
    assert!(machine.files.is_remembered("1").is_ok());
    assert!(machine.files.is_remembered("2").is_err());
}

#[test]
fn what_cannot_be_written_is_said() {
    // Where the folder should be there is a file.
    let mut machine = Machine::with(&[("var/lib", ""), (RULES, "one")]);
    let error = machine.files.keep_lists(&mut machine.firewall).unwrap_err();
    let error = machine.without_folder(&error.to_string());
    assert!(
        error.starts_with("persist: cannot write /var/lib/palisade/lists: "),
        "{error}"
    );
    assert!(
        error.ends_with(": what was kept there before stays"),
        "{error}"
    );
}

#[test]
fn options_are_read() {
    let parse = |options: &str| {
        let words = ["persist"].into_iter().chain(options.split_whitespace());
        PersistArguments::try_parse_from(words)
            .map(|arguments| arguments.command())
            .map_err(|error| usage::explain(&error, "persist").unwrap_err().to_string())
    };
    for (options, expected) in [
        ("", PersistCommand::Keep),
        ("--lists", PersistCommand::KeepLists),
        ("--restore", PersistCommand::Restore),
        ("--reload", PersistCommand::Reload),
    ] {
        assert_eq!(parse(options), Ok(expected));
    }
    for options in [
        "--lists --restore",
        "--lists --reload",
        "--reload --restore",
        "x",
    ] {
        assert!(parse(options).is_err(), "{options}");
    }
}
