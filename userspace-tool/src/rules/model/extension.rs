// SPDX-License-Identifier: GPL-2.0

//! What every match (`-m`) and every target (`-j`) can do.

use std::{fmt::Debug, rc::Rc};

use serde_json::Value;

use super::{
    names::Names,
    rule::{Family, Negatable},
};
use crate::{
    error::Error,
    netlink::{Attribute, Writer},
    rules::targets::Synproxy,
};

/// An option of an extension.
#[derive(Debug)]
pub(crate) struct ExtensionOption {
    /// Its names without the dashes; the first one is the name that is printed.
    pub(crate) names: &'static [&'static str],
    /// How many values follow it.
    pub(crate) values: usize,
    pub(crate) negatable: bool,
}

impl ExtensionOption {
    pub(crate) const fn flag(names: &'static [&'static str]) -> Self {
        Self {
            names,
            values: 0,
            negatable: false,
        }
    }

    pub(crate) const fn value(names: &'static [&'static str]) -> Self {
        Self {
            names,
            values: 1,
            negatable: false,
        }
    }

    pub(crate) const fn two_values(names: &'static [&'static str]) -> Self {
        Self {
            names,
            values: 2,
            negatable: false,
        }
    }

    /// The same option, which may have a `!` before it.
    pub(crate) const fn negatable(mut self) -> Self {
        self.negatable = true;
        self
    }
}

/// What a match or target is called, and how one comes into being.
#[derive(Debug)]
pub(crate) struct ExtensionType {
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    pub(crate) options: &'static [ExtensionOption],
    /// The number of the attribute that says which match or target it is.
    pub(crate) attribute: u16,
    pub(crate) new: fn() -> Box<dyn Extension>,
    pub(crate) decode: fn(&Attribute<'_>) -> Result<Rc<dyn Extension>, Error>,
}

/// A match or target and what it has been told so far.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) kind: &'static ExtensionType,
    pub(crate) instance: Box<dyn Extension>,
}

impl Loaded {
    pub(crate) fn new(kind: &'static ExtensionType) -> Self {
        Self {
            kind,
            instance: (kind.new)(),
        }
    }
}

/// An option as it was given.
pub(crate) struct Given<'a> {
    /// The first name of the option.
    pub(crate) name: &'static str,
    pub(crate) values: &'a [String],
    pub(crate) inverted: bool,
    pub(crate) names: &'a dyn Names,
}

impl Given<'_> {
    /// The value of an option that takes one.
    pub(crate) fn value(&self) -> &str {
        self.values.first().map_or("", String::as_str)
    }
}

/// One match or target of a rule.
pub(crate) trait Extension: Debug {
    fn name(&self) -> &str;

    /// The option before the name of a target.
    fn target_option(&self) -> &'static str {
        "-j"
    }

    /// Take in an option; an error says what is wrong with it.
    fn option(&mut self, given: &Given<'_>) -> Result<(), String> {
        Err(format!("{} has no option --{}", self.name(), given.name))
    }

    /// Whether the options make sense together, and with the rule's protocol.
    fn check(&mut self, _protocol: Option<&Negatable<u8>>) -> Result<(), String> {
        Ok(())
    }

    /// The family that it is for, if it is not for both.
    fn family(&self) -> Option<Family> {
        None
    }

    /// The family that it is for where nothing else in the rule says which.
    fn default_family(&self) -> Option<Family> {
        None
    }

    /// The port that every packet that it matches goes to, if there is only one.
    fn destination_port(&self) -> Option<u16> {
        None
    }

    /// The target itself, if it is SYNPROXY.
    fn as_synproxy(&self) -> Option<&Synproxy> {
        None
    }

    /// Its options in iptables' grammar, each with a space before it.
    fn save(&self) -> String;

    /// What -L shows of it, with a space before each word.
    fn list(&self) -> String;

    fn json(&self) -> Value;

    fn encode(&self, request: &mut Writer);
}

/// Refuse an option that was given before.
pub(crate) fn set_once<T>(slot: &mut Option<T>, value: T) -> Result<(), String> {
    match slot.replace(value) {
        Some(_) => Err("was given before".to_owned()),
        None => Ok(()),
    }
}

/// A number of a range whose ends are included; the type has to hold the last one.
pub(crate) fn number<T: TryFrom<u32>>(text: &str, first: u32, last: u32) -> Result<T, String> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok();
    number
        .filter(|number| digits && (first..=last).contains(number))
        .and_then(|number| T::try_from(number).ok())
        .ok_or_else(|| format!("this has to be a number from {first} to {last}"))
}

/// A match or target of a newer module: it can be shown, not understood.
#[derive(Debug)]
pub(crate) struct Unknown {
    pub(crate) attribute: u16,
}

impl Extension for Unknown {
    fn name(&self) -> &'static str {
        "unknown"
    }

    fn save(&self) -> String {
        format!(" --attribute {}", self.attribute)
    }

    fn list(&self) -> String {
        format!(" unknown (attribute {})", self.attribute)
    }

    fn json(&self) -> Value {
        serde_json::json!({ "attribute": self.attribute })
    }

    fn encode(&self, _request: &mut Writer) {}
}
