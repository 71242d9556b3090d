// SPDX-License-Identifier: GPL-2.0

//! A rule as it is written on the command line, before names become addresses.

use crate::{
    fields::Negatable,
    rules::model::{extension::Loaded, family::Family, rule::Counters},
};

/// Addresses, networks and host names, separated by commas.
#[derive(Debug)]
pub(crate) struct Addresses {
    /// The option as it was written.
    pub(crate) option: String,
    pub(crate) list: Negatable<String>,
}

/// A rule, and the options that it was given by.
#[derive(Debug, Default)]
pub(crate) struct Specification {
    /// The family with the option that asked for it.
    pub(crate) family: Option<Family>,
    pub(crate) protocol: Option<Negatable<u8>>,
    pub(crate) source: Option<Addresses>,
    pub(crate) destination: Option<Addresses>,
    pub(crate) in_interface: Option<Negatable<String>>,
    pub(crate) out_interface: Option<Negatable<String>>,
    pub(crate) fragment: Option<bool>,
    pub(crate) matches: Vec<Loaded>,
    pub(crate) target: Option<Loaded>,
    pub(crate) counters: Option<Counters>,
}

impl Specification {
    /// The matches and the target, each with the option that loads it.
    pub(crate) fn loaded(&self) -> impl Iterator<Item = (&'static str, &Loaded)> {
        let matches = self.matches.iter().map(|one| ("-m", one));
        matches.chain(self.target.iter().map(|one| ("-j", one)))
    }

    /// As [`Self::loaded`].
    pub(crate) fn loaded_mut(&mut self) -> impl Iterator<Item = (&'static str, &mut Loaded)> {
        let matches = self.matches.iter_mut().map(|one| ("-m", one));
        matches.chain(self.target.iter_mut().map(|one| ("-j", one)))
    }

    /// The first option that only a rule can have, if there is one.
    pub(crate) fn rule_option(&self) -> Option<&'static str> {
        let given = [
            (self.protocol.is_some(), "-p"),
            (self.source.is_some(), "-s"),
            (self.destination.is_some(), "-d"),
            (self.in_interface.is_some(), "-i"),
            (self.out_interface.is_some(), "-o"),
            (self.fragment.is_some(), "-f"),
            (!self.matches.is_empty(), "-m"),
            (self.target.is_some(), "-j"),
        ];
        given
            .into_iter()
            .find_map(|(given, option)| given.then_some(option))
    }
}
