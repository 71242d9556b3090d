// SPDX-License-Identifier: GPL-2.0

//! What every match (`-m`) and every target (`-j`) can do.

use std::{fmt::Debug, rc::Rc};

use serde_json::{Value, json};

use super::{
    family::Family,
    names::Names,
    options::{ExtensionOption, Given, either},
    range::Range,
};
use crate::{
    error::Error,
    fields::{Decode, Fields, Negatable, as_any},
    netlink::{Attribute, Nest, Writer},
    text::wrap,
};

/// Reads a match or target from the attribute that says which one it is, and from the nest around it.
type DecodeFn = fn(&Attribute<'_>, &Nest<'_>) -> Result<Rc<dyn Extension>, Error>;

/// How long the lines of the help are at most.
const HELP_WIDTH: usize = 100;

/// The type of a match or target, as struct xtables_match and xtables_target.
#[derive(Debug)]
pub(crate) struct ExtensionType {
    pub(crate) name: &'static str,
    /// What it is for, in a few words.
    pub(crate) about: &'static str,
    /// The number of the attribute that says which match or target it is.
    pub(crate) attribute: u16,
    /// Whether that attribute is its only one, rather than a nest.
    pub(crate) is_flat: bool,
    pub(crate) options: &'static [ExtensionOption],
    /// The field that one of the options has to fill.
    pub(crate) required: Option<&'static str>,
    /// The protocols that the rule may be for, with the names that `-p` takes. Empty means all.
    pub(crate) protocols: &'static [(&'static str, u8)],
    /// A field, and the message for a second option that fills it. `{}` is the first option.
    pub(crate) conflict: Option<(&'static str, &'static str)>,
    /// Text behind the options in the help.
    pub(crate) notes: &'static str,
    /// Command lines, for the help.
    pub(crate) examples: &'static [&'static str],
    pub(crate) new: fn() -> Box<dyn Extension>,
    pub(crate) decode: DecodeFn,
}

impl ExtensionType {
    pub(crate) const fn with(
        name: &'static str,
        attribute: u16,
        new: fn() -> Box<dyn Extension>,
        decode: DecodeFn,
    ) -> Self {
        Self {
            name,
            about: "",
            attribute,
            is_flat: false,
            options: &[],
            required: None,
            protocols: &[],
            conflict: None,
            notes: "",
            examples: &[],
            new,
            decode,
        }
    }

    /// A type that has a nest of attributes of its own.
    pub(crate) const fn nested<T: Extension + Decode + Default>(
        name: &'static str,
        attribute: u16,
    ) -> Self {
        Self::with(
            name,
            attribute,
            || Box::new(T::default()),
            |attribute, _| Ok(Rc::new(T::decode(&attribute.nest()?)?)),
        )
    }

    /// A type that one attribute describes.
    pub(crate) const fn flat<T: Extension + Decode + Default>(
        name: &'static str,
        attribute: u16,
    ) -> Self {
        Self {
            is_flat: true,
            decode: |_, nest| Ok(Rc::new(T::decode(nest)?)),
            ..Self::nested::<T>(name, attribute)
        }
    }

    /// The option with this name.
    fn option(&self, name: &str) -> Option<&'static ExtensionOption> {
        self.options.iter().find(|option| option.name() == name)
    }

    /// The names of the options that fill a field.
    fn options_of(&self, field: &str) -> Vec<String> {
        let options = self.options.iter().filter(|option| option.field == field);
        options
            .map(|option| format!("--{}", option.name()))
            .collect()
    }

    /// Its options as the help shows them.
    pub(crate) fn help(&self) -> String {
        let usages = self.options.iter().map(ExtensionOption::usage);
        let width = usages.clone().map(|usage| usage.len()).max().unwrap_or(0) + 3;
        let mut text = String::new();
        for (usage, option) in usages.zip(self.options) {
            let texts = [Some(option.help.to_owned()), option.known()];
            let lines = texts
                .into_iter()
                .flatten()
                .map(|text| wrap(&text, HELP_WIDTH - width));
            let help: Vec<String> = lines.collect();
            let help = help.join("\n").replace('\n', &format!("\n{:width$}", ""));
            text += &format!("{usage:width$}{help}\n");
        }
        if !self.notes.is_empty() {
            text += &format!("{}\n", wrap(self.notes, HELP_WIDTH));
        }
        for example in self.examples {
            text += &format!("    palisade {example}\n");
        }
        text
    }
}

/// The rest of the rule that a match or target is part of.
pub(crate) struct RuleContext<'a> {
    pub(crate) protocol: Option<Negatable<u8>>,
    pub(crate) names: &'a dyn Names,
}

impl RuleContext<'_> {
    /// The only protocol that the rule is for.
    pub(crate) fn only_protocol(&self) -> Option<u8> {
        let protocol = self.protocol.filter(|protocol| !protocol.inverted)?;
        Some(protocol.value)
    }
}

/// A match or target, and the options that it was given.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) kind: &'static ExtensionType,
    pub(crate) instance: Box<dyn Extension>,
    given: Vec<&'static ExtensionOption>,
}

impl Loaded {
    pub(crate) fn new(kind: &'static ExtensionType) -> Self {
        Self::with(kind, (kind.new)())
    }

    pub(crate) fn with(kind: &'static ExtensionType, instance: Box<dyn Extension>) -> Self {
        Self {
            kind,
            instance,
            given: Vec::new(),
        }
    }

    /// The option of a field that was given.
    fn given(&self, field: &str) -> Option<&'static ExtensionOption> {
        let mut given = self.given.iter().copied();
        given.find(|option| option.field == field)
    }

    /// Whether an option can be given besides those that were.
    pub(crate) fn takes(&self, option: &ExtensionOption) -> bool {
        option.repeatable || self.given(option.field).is_none()
    }

    /// Apply an option.
    pub(crate) fn option(
        &mut self,
        option: &'static ExtensionOption,
        given: &Given<'_>,
    ) -> Result<(), String> {
        (option.fill)(self.instance.as_any_mut(), given)?;
        if let Some(earlier) = self.given(option.field).filter(|_| !option.repeatable) {
            let earlier = format!("--{}", earlier.name());
            return Err(match self.kind.conflict {
                Some((field, message)) if field == option.field => message.replace("{}", &earlier),
                _ => match self.kind.options_of(option.field).as_slice() {
                    [_] => "was given before".to_owned(),
                    several => format!("{} was given before", either(several)),
                },
            });
        }
        self.given.push(option);
        Ok(())
    }

    /// Check the options with each other and with the rest of the rule.
    pub(crate) fn check(&mut self, rule: &RuleContext<'_>) -> Result<(), String> {
        let protocols = self.kind.protocols;
        let is_meant = |number| protocols.iter().any(|(_, known)| *known == number);
        if !protocols.is_empty() && !rule.only_protocol().is_some_and(is_meant) {
            let names: Vec<String> = protocols.iter().map(|(name, _)| (*name).into()).collect();
            return Err(format!("needs -p {} in the same rule", either(&names)));
        }
        if let Some(field) = self
            .kind
            .required
            .filter(|field| self.given(field).is_none())
        {
            return Err(format!("needs {}", either(&self.kind.options_of(field))));
        }
        self.check_combination()?;
        self.instance.check(rule)
    }

    fn check_combination(&self) -> Result<(), String> {
        for option in &self.given {
            let name = option.name();
            let mut goes_with = option
                .goes_with
                .iter()
                .filter_map(|name| self.kind.option(name));
            let other = goes_with.next().and_then(|one| self.given(one.field));
            if let Some(other) = other.filter(|other| !option.goes_with.contains(&other.name())) {
                let names: Vec<String> = option
                    .goes_with
                    .iter()
                    .map(|name| format!("--{name}"))
                    .collect();
                return Err(format!(
                    "--{name} goes with {}, not with --{}",
                    either(&names),
                    other.name()
                ));
            }
            if let Some(needs) = option.needs {
                if !self.given.iter().any(|given| given.name() == needs) {
                    return Err(format!("--{name} needs --{needs}"));
                }
            }
        }
        Ok(())
    }
}

/// One match or target of a rule.
pub(crate) trait Extension: Fields + Debug {
    fn kind(&self) -> &'static ExtensionType;

    fn name(&self) -> &str {
        self.kind().name
    }

    /// The option before the name of a target.
    fn target_option(&self) -> &'static str {
        "-j"
    }

    /// Complete it once all options were given, or refuse them.
    fn check(&mut self, _rule: &RuleContext<'_>) -> Result<(), String> {
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

    /// The destination ports of all packets that it matches, if it says which.
    fn destination_ports(&self) -> Option<Vec<Range>> {
        None
    }

    /// What -L shows of it, with a space before each word.
    fn list(&self) -> String {
        String::new()
    }

    /// Write what comes in front of the change of its rule, since the rule would be too long with it.
    fn write_before(&self, _request: &mut Writer) {}

    /// Write the attribute that says which match or target it is.
    fn encode(&self, request: &mut Writer) {
        let kind = self.kind();
        if kind.is_flat {
            // The label of the match or target says enough.
            request.unlabelled(|request| self.write(request));
        } else {
            request.nested(kind.attribute, |nest| self.write(nest));
        }
    }
}

/// A match or target of a newer module, which can only be shown by its number.
#[derive(Debug)]
pub(crate) struct Unknown {
    pub(crate) attribute: u16,
}

static UNKNOWN: ExtensionType = ExtensionType::with(
    "unknown",
    0,
    || Box::new(Unknown { attribute: 0 }),
    |_, _| Ok(Rc::new(Unknown { attribute: 0 })),
);

impl Fields for Unknown {
    as_any!();

    fn save(&self) -> String {
        format!(" --attribute {}", self.attribute)
    }

    fn json(&self) -> Value {
        json!({ "attribute": self.attribute })
    }
}

impl Extension for Unknown {
    fn kind(&self) -> &'static ExtensionType {
        &UNKNOWN
    }

    fn list(&self) -> String {
        format!(" unknown (attribute {})", self.attribute)
    }

    fn encode(&self, _request: &mut Writer) {}
}
