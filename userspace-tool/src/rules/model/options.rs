// SPDX-License-Identifier: GPL-2.0

//! Tables of the options that matches and targets have.

use std::any::Any;

use super::names::Names;
use crate::{fields::Field, text::number as digits};

/// An option of a match or target; [`options!`] writes down a table of them.
#[derive(Debug)]
pub(crate) struct ExtensionOption {
    /// Its names without the dashes; the first one is the name that is printed.
    pub(crate) names: &'static [&'static str],
    /// Further names, which the help does not show.
    pub(crate) aliases: &'static [&'static str],
    /// What stands for its values in the help, a word for each.
    pub(crate) values: &'static str,
    pub(crate) invertible: bool,
    /// The field that it fills; options of one field exclude each other.
    pub(crate) field: &'static str,
    /// Whether it goes with other options of its field, and with itself.
    pub(crate) repeatable: bool,
    /// If one of its field is given, it has to be one of these.
    pub(crate) goes_with: &'static [&'static str],
    /// An option that has to be given, too.
    pub(crate) needs: Option<&'static str>,
    /// The words that its values are made of, where these are names that can be listed.
    pub(crate) words: Option<fn() -> Vec<&'static str>>,
    pub(crate) help: &'static str,
    /// Fill the field of a match or target.
    pub(crate) fill: fn(&mut dyn Any, &Given<'_>) -> Result<(), String>,
}

impl ExtensionOption {
    /// The name that is printed.
    pub(crate) fn name(&self) -> &'static str {
        self.names.first().copied().unwrap_or_default()
    }

    pub(crate) fn all_names(&self) -> impl Iterator<Item = &'static str> + Clone + use<> {
        self.names.iter().chain(self.aliases).copied()
    }

    /// How many values follow it.
    pub(crate) fn value_count(&self) -> usize {
        self.values.split_whitespace().count()
    }

    /// Whether it may go without its value.
    pub(crate) fn is_value_optional(&self) -> bool {
        self.values.starts_with('[')
    }

    /// The names that its values are made of, if they are names.
    pub(crate) fn known(&self) -> Option<String> {
        let words = self.words?;
        Some(format!("known are {}", words().join(", ")))
    }

    /// What the help has before the description.
    pub(crate) fn usage(&self) -> String {
        let mark = if self.invertible { "[!]" } else { "   " };
        let usage = format!("{mark} --{} {}", self.names.join(", --"), self.values);
        usage.trim_end().to_owned()
    }
}

/// An option as it was given.
pub(crate) struct Given<'a> {
    pub(crate) values: &'a [String],
    pub(crate) inverted: bool,
    pub(crate) names: &'a dyn Names,
}

impl Given<'_> {
    /// The value of an option that takes one; empty if it is optional and absent.
    pub(crate) fn value(&self) -> &str {
        self.values.first().map_or("", String::as_str)
    }
}

/// Fill a field with what `parse` makes of an option.
pub(crate) fn fill<F: Field>(
    field: &mut F,
    parse: impl Fn(&Given<'_>) -> Result<F::Given, String>,
    given: &Given<'_>,
) -> Result<(), String> {
    field.put(parse(given)?, given.inverted);
    Ok(())
}

/// A table of options:
///
/// ```text
/// options!(Example {
///     []  "seconds" "N" => seconds: number(1, u32::MAX), goes with ["check"], "the last N seconds count";
///     [!] "ports", "tports" "PORT[:PORT]" => ports: port_range("tcp"), "these ports";
///     []  "check" | "rcheck" => operation: is(Operation::Check), needs "seconds", "look it up";
/// })
/// ```
///
/// `[!]` can be inverted, `[+]` adds to what other options of its field give. Names behind `|` are not in the help. Then
/// come what stands for the values, the field and how its value is read, with which options it goes, what it needs, the
/// names that its values are made of, and its help.
macro_rules! options {
    ($type:ty {
        $(
            [$($mark:tt)?] $name:literal $(, $more:literal)* $(| $alias:literal)* $(: $values:literal)?
            => $field:ident: $parse:expr
            $(, goes with [$($with:literal),+])? $(, needs $needs:literal)? $(, among $words:expr)?,
            $help:literal;
        )*
    }) => {
        &[$($crate::rules::model::options::ExtensionOption {
            names: &[$name $(, $more)*],
            aliases: &[$($alias),*],
            values: concat!($($values)?),
            invertible: matches!(stringify!($($mark)?).as_bytes(), b"!"),
            repeatable: matches!(stringify!($($mark)?).as_bytes(), b"+"),
            field: stringify!($field),
            goes_with: &[$($($with),+)?],
            needs: [$(Some($needs),)? None][0],
            words: [$(Some($words as fn() -> Vec<&'static str>),)? None][0],
            help: $help,
            fill: |this, given| match this.downcast_mut::<$type>() {
                Some(this) => $crate::rules::model::options::fill(&mut this.$field, $parse, given),
                None => Ok(()),
            },
        }),*]
    };
}
pub(crate) use options;

/// A number of a range whose ends are included; the type has to hold the last one.
pub(crate) fn number<T: TryFrom<u32>>(
    first: u32,
    last: u32,
) -> impl Fn(&Given<'_>) -> Result<T, String> {
    move |given| parse_number(given.value(), first, last)
}

/// As [`number`].
pub(crate) fn parse_number<T: TryFrom<u32>>(
    text: &str,
    first: u32,
    last: u32,
) -> Result<T, String> {
    digits(text)
        .filter(|number| (first..=last).contains(number))
        .and_then(|number| T::try_from(number).ok())
        .ok_or_else(|| format!("this has to be a number from {first} to {last}"))
}

/// A text of so many bytes at most, without control characters.
pub(crate) fn text(what: &str, most: u32) -> impl Fn(&Given<'_>) -> Result<String, String> {
    move |given| parse_text(given.value(), what, most)
}

/// As [`text`].
pub(crate) fn parse_text(text: &str, what: &str, most: u32) -> Result<String, String> {
    if text.len() > most as usize {
        return Err(format!(
            "{what} has at most {most} bytes, this one has {}",
            text.len()
        ));
    }
    if text.chars().any(char::is_control) {
        return Err(format!("{what} cannot hold control characters"));
    }
    Ok(text.to_owned())
}

/// An option that is a value by itself.
pub(crate) fn is<T: Clone>(value: T) -> impl Fn(&Given<'_>) -> Result<T, String> {
    move |_| Ok(value.clone())
}

/// What an option is parsed from, if it needs no more than its value.
pub(crate) fn parsed<T>(
    parse: impl Fn(&str) -> Result<T, String>,
) -> impl Fn(&Given<'_>) -> Result<T, String> {
    move |given| parse(given.value())
}

/// Names as people list them: `a, b or c`.
pub(crate) fn either(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [some @ .., last] => format!("{} or {last}", some.join(", ")),
    }
}
