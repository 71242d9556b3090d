// SPDX-License-Identifier: GPL-2.0

//! Which option a long name means.

use super::{
    CommandLine,
    foreign::{self, KEEP},
    getopt::{Named, by_name},
    options::{self, BaseOption},
};
use crate::{
    error::{Error, closest},
    rules::{
        matches,
        model::{
            extension::{ExtensionType, Loaded},
            options::ExtensionOption,
            protocol,
        },
        targets,
    },
    text::quote,
};

/// Whose option it is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Owner {
    /// The match with this index.
    Match(usize),
    Target,
}

/// An option that was found.
#[derive(Clone, Copy, Debug)]
pub(super) enum Found {
    Base(&'static BaseOption),
    Extension(Owner, &'static ExtensionOption),
}

impl Found {
    fn has_name(&self, name: &str) -> bool {
        match self {
            Self::Base(option) => option.names.contains(&name),
            Self::Extension(_, option) => option.all_names().any(|known| known == name),
        }
    }
}

impl PartialEq for Found {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Base(one), Self::Base(other)) => std::ptr::eq(*one, *other),
            (Self::Extension(_, one), Self::Extension(_, other)) => std::ptr::eq(*one, *other),
            _ => false,
        }
    }
}

impl CommandLine<'_> {
    pub(super) fn find(&mut self, name: &str) -> Result<Found, Error> {
        let mut named = self.find_loaded(name);
        if named == Named::None && self.load_protocol_match() {
            named = self.find_loaded(name);
        }
        match named {
            // An option whose match is missing does not abbreviate an option without match; but --dport
            // after -m multiport abbreviates --dports, as in iptables.
            Named::One(found @ Found::Base(_))
                if !found.has_name(name) && !owners(name).is_empty() =>
            {
                Err(self.unknown(name))
            }
            Named::One(found) => Ok(found),
            Named::Ambiguous(candidates) => Err(Error::usage(format!(
                "--{name} is ambiguous: it may be --{}",
                candidates.join(", --")
            ))),
            Named::None => Err(self.unknown(name)),
        }
    }

    /// The error for an option that does not exist, or whose match or target has not been given yet.
    fn unknown(&self, name: &str) -> Error {
        let given = self.specification.target.as_ref();
        let given = given.map(|loaded| (loaded.instance.target_option(), loaded.instance.name()));
        let later = self.arguments.later_target().map(|target| ("-j", target));
        let foreign = given
            .or(later)
            .and_then(|(option, target)| is_foreign_target(name, option, target, given.is_some()));
        let matches = self.specification.matches.iter();
        let mut matches = matches.map(|loaded| ("-m", loaded.kind.name));
        let foreign = foreign.or_else(|| {
            let (option, kind) = matches.find(|(_, kind)| foreign::is_option(kind, name))?;
            Some(lacks_option(name, option, kind))
        });
        foreign.map_or_else(|| unknown(name), Error::usage)
    }

    /// Search the options of the matches, the last one first, then of the target, then the others.
    /// Matches come first: `--check` is a command, but was an option of recent in old versions.
    fn find_loaded(&self, name: &str) -> Named<Found> {
        let matches = self.specification.matches.iter().enumerate().rev();
        let matches = matches.map(|(index, loaded)| (Owner::Match(index), loaded));
        let target = self.specification.target.iter();
        let extensions = matches.chain(target.map(|loaded| (Owner::Target, loaded)));
        let extension_options = extensions.flat_map(|(owner, loaded)| {
            let options = loaded.kind.options.iter();
            options.flat_map(move |option| {
                let names = option.all_names();
                names.map(move |name| (name, Found::Extension(owner, option)))
            })
        });
        let base_options = options::ALL.iter().flat_map(|option| {
            let names = option.names.iter();
            names.map(move |name| (*name, Found::Base(option)))
        });
        by_name(name, extension_options.chain(base_options))
    }

    /// Load the match with the name of the protocol, as `-m` does.
    fn load_protocol_match(&mut self) -> bool {
        let protocol = self
            .specification
            .protocol
            .filter(|protocol| !protocol.inverted);
        let Some(name) = protocol.map(|protocol| protocol::name(protocol.value)) else {
            return false;
        };
        let Some(kind) = matches::ALL.iter().find(|kind| kind.name == name) else {
            return false;
        };
        let matches = &mut self.specification.matches;
        if matches.iter().any(|loaded| loaded.kind.name == name) {
            return false;
        }
        matches.push(Loaded::new(kind));
        true
    }
}

fn names_of(kind: &ExtensionType) -> impl Iterator<Item = &'static str> {
    kind.options.iter().flat_map(ExtensionOption::all_names)
}

/// The `-m`, `-j` and `-p` that bring an option of exactly this name. A match with several names counts once.
fn owners(name: &str) -> Vec<String> {
    let mut owners: Vec<&ExtensionType> = Vec::new();
    let mut loaders = Vec::new();
    for (kinds, option) in [(matches::ALL, "-m"), (targets::ALL, "-j")] {
        for kind in kinds {
            let same = |owner: &&ExtensionType| std::ptr::eq(owner.options, kind.options);
            if names_of(kind).all(|known| known != name) || owners.iter().any(same) {
                continue;
            }
            owners.push(kind);
            loaders.push(match protocol::number(kind.name) {
                Some(_) => format!("-p {}", kind.name),
                None => format!("{option} {}", kind.name),
            });
        }
    }
    loaders
}

fn lacks_option(name: &str, option: &str, kind: &str) -> String {
    format!("{option} {kind} --{name}: Palisade's {kind} has no option --{name}: {KEEP}")
}

/// The error for an option of a target that Palisade lacks, or that lacks the option. Such an option must not be taken
/// for the option of another match or target.
fn is_foreign_target(name: &str, option: &str, target: &str, is_given: bool) -> Option<String> {
    if targets::ALL.iter().any(|kind| kind.name == target) {
        return foreign::is_option(target, name).then(|| lacks_option(name, option, target));
    }
    let quoted = quote(target);
    if foreign::is_target(target) {
        return Some(format!(
            "{option} {quoted}: Palisade has no target {target}: {KEEP}"
        ));
    }
    let known = || targets::ALL.iter().map(|kind| kind.name);
    let same = known().find(|kind| kind.eq_ignore_ascii_case(target));
    if let Some(similar) = same.or_else(|| closest(target, known())) {
        return Some(format!(
            "{option} {quoted}: there is no such target: did you mean {similar}?"
        ));
    }
    // The option may belong to a match whose -p was forgotten.
    let is_of_protocol = |loader: &String| loader.starts_with("-p ");
    let owners = owners(name);
    if !is_given || (!owners.is_empty() && owners.iter().all(is_of_protocol)) {
        return None;
    }
    Some(format!(
        "{option} {quoted} --{name}: Palisade has no target {quoted}, and a chain has no options"
    ))
}

/// The error for an option that does not exist, or whose match has not been given yet.
fn unknown(name: &str) -> Error {
    let owners = owners(name);
    if !owners.is_empty() {
        return Error::usage(format!(
            "unknown option --{name}: give {} before it",
            owners.join(" or ")
        ));
    }
    let base = options::ALL
        .iter()
        .flat_map(|option| option.names.iter().copied());
    let extensions = matches::ALL
        .iter()
        .chain(targets::ALL)
        .flat_map(|kind| names_of(kind));
    match closest(name, base.chain(extensions)) {
        Some(candidate) => Error::usage(format!(
            "unknown option --{name}: did you mean --{candidate}?"
        )),
        None => Error::usage(format!(
            "unknown option --{name}: palisade --help shows the options"
        )),
    }
}
