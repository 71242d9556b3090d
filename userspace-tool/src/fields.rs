// SPDX-License-Identifier: GPL-2.0

//! Structs whose fields are netlink attributes. How they are read, sent, written on a command line and shown as JSON
//! follows from that.

use std::{any::Any, fmt::Display, net::IpAddr};

use serde_json::{Map, Value, json};

use crate::{
    error::Error,
    netlink::{
        Nest, Writer,
        spec::{Algorithm, Comparison, Family, PortsOf, Table, Verdict},
    },
    text::quote,
};

/// A field of a struct that [`nest!`] defines.
pub(crate) trait Field: Sized {
    /// The number of its attribute, or the numbers of all that carry it.
    type Kinds: Copy;
    /// The value of an option.
    type Given;

    /// Read it, if it is there.
    fn read(nest: &Nest<'_>, kinds: Self::Kinds) -> Result<Option<Self>, Error>;

    fn write(&self, kinds: Self::Kinds, nest: &mut Writer);

    fn given(value: Self::Given, inverted: bool) -> Self;

    /// Set it to the value of an option.
    fn put(&mut self, value: Self::Given, inverted: bool) {
        *self = Self::given(value, inverted);
    }

    /// The option that sets it, without a `!` before it.
    fn words(&self, option: &str) -> Option<String>;

    fn is_inverted(&self) -> bool {
        false
    }

    fn value(&self) -> Value;

    /// Add it to a JSON object.
    fn json(&self, key: &str, object: &mut Map<String, Value>) {
        object.insert(key.to_owned(), self.value());
    }
}

/// Read a field that may be absent.
pub(crate) fn read<F: Field>(nest: &Nest<'_>, kinds: F::Kinds) -> Result<Option<F>, Error> {
    F::read(nest, kinds)
}

/// Read a field; `missing` says what lacks it if it is absent.
pub(crate) fn need<F: Field>(nest: &Nest<'_>, kinds: F::Kinds, missing: &str) -> Result<F, Error> {
    F::read(nest, kinds)?.ok_or_else(|| Error::Answer(missing.to_owned()))
}

/// A value that an option takes in the form that it is displayed in.
pub(crate) trait Plain: Clone + Display {
    /// See [`Field::Kinds`].
    type Kinds: Copy;

    fn read(nest: &Nest<'_>, kinds: Self::Kinds) -> Result<Option<Self>, Error>;

    fn write(&self, kinds: Self::Kinds, nest: &mut Writer);

    /// See [`Field::put`].
    fn put(&mut self, value: Self) {
        *self = value;
    }

    /// See [`Field::words`]. Without an option the value is all of it.
    fn words(&self, option: &str) -> Option<String> {
        Some(match option {
            "" => self.to_string(),
            _ => format!("{option} {self}"),
        })
    }

    fn json(&self, key: &str, object: &mut Map<String, Value>);
}

impl<T: Plain> Field for T {
    type Kinds = <T as Plain>::Kinds;
    type Given = T;

    fn read(nest: &Nest<'_>, kinds: Self::Kinds) -> Result<Option<Self>, Error> {
        Plain::read(nest, kinds)
    }

    fn write(&self, kinds: Self::Kinds, nest: &mut Writer) {
        Plain::write(self, kinds, nest);
    }

    fn given(value: T, _inverted: bool) -> Self {
        value
    }

    fn put(&mut self, value: T, _inverted: bool) {
        Plain::put(self, value);
    }

    fn words(&self, option: &str) -> Option<String> {
        Plain::words(self, option)
    }

    fn value(&self) -> Value {
        let mut object = Map::new();
        Plain::json(self, "value", &mut object);
        match object.remove("value") {
            Some(value) => value,
            None => object.into(),
        }
    }

    fn json(&self, key: &str, object: &mut Map<String, Value>) {
        Plain::json(self, key, object);
    }
}

/// Implement [`Plain`] for values of one attribute: how it is read and sent, its JSON, and the words of the command line
/// if they are not the option and the value.
macro_rules! plain {
    ($($type:ty: $read:ident($($from:expr)?) $(as $wrap:ident)?, |$this:ident| $write:ident($value:expr), $json:expr
        $(, |$option:ident| $words:expr)?;)*) => {$(
        impl $crate::fields::Plain for $type {
            type Kinds = u16;

            fn read(
                nest: &$crate::netlink::Nest<'_>,
                kind: u16,
            ) -> Result<Option<Self>, $crate::error::Error> {
                let attribute = nest.get(kind);
                attribute.map(|attribute| attribute.$read($($from)?)$(.map($wrap))?).transpose()
            }

            fn write(&self, kind: u16, nest: &mut $crate::netlink::Writer) {
                let $this = self;
                nest.$write(kind, $value);
            }

            $(fn words(&self, $option: &str) -> Option<String> {
                let $this = self;
                Some($words)
            })?

            fn json(&self, key: &str, object: &mut serde_json::Map<String, serde_json::Value>) {
                let $this = self;
                object.insert(key.to_owned(), serde_json::json!($json));
            }
        }
    )*};
}
pub(crate) use plain;

/// Implement [`Plain`] for a value with several attributes. It is absent if one without default is absent.
macro_rules! composite {
    (@kind $field:ident) => { u16 };
    (@or) => { return Ok(None) };
    (@or $default:expr) => { $default };
    ($type:ident { $($field:ident $(or $default:expr)?),* }) => {
        impl $crate::fields::Plain for $type {
            type Kinds = ($($crate::fields::composite!(@kind $field)),*);

            fn read(
                nest: &$crate::netlink::Nest<'_>,
                ($($field),*): Self::Kinds,
            ) -> Result<Option<Self>, $crate::error::Error> {
                Ok(Some(Self {
                    $($field: match $crate::fields::Field::read(nest, $field)? {
                        Some(field) => field,
                        None => $crate::fields::composite!(@or $($default)?),
                    },)*
                }))
            }

            fn write(&self, ($($field),*): Self::Kinds, nest: &mut $crate::netlink::Writer) {
                $($crate::fields::Field::write(&self.$field, $field, nest);)*
            }

            fn json(&self, _key: &str, object: &mut serde_json::Map<String, serde_json::Value>) {
                $($crate::fields::Field::json(&self.$field, stringify!($field), object);)*
            }
        }
    };
}
pub(crate) use composite;

plain! {
    u8: u8(), |this| u8(*this), this;
    u16: u16(), |this| u16(*this), this;
    u32: u32(), |this| u32(*this), this;
    u64: u64(), |this| u64(*this), this;
    IpAddr: address(), |this| address(*this), this;
    String: string(), |this| string(this), this, |option| format!("{option} {}", quote(this));
    Algorithm: one_of(Self::from_number), |this| u32(this.number()), this.to_string();
    Comparison: one_of(Self::from_number), |this| u32(this.number()), this.to_string();
    Family: one_of(Self::from_number), |this| u32(this.number()), this.to_string();
    PortsOf: one_of(Self::from_number), |this| u32(this.number()), this.to_string();
    Table: one_of(Self::from_number), |this| u32(this.number()), this.to_string();
    Verdict: one_of(Self::from_number), |this| u32(this.number()), this.to_string();
}

/// A flag attribute.
impl Plain for bool {
    type Kinds = u16;

    fn read(nest: &Nest<'_>, kind: u16) -> Result<Option<Self>, Error> {
        Ok(Some(nest.has(kind)))
    }

    fn write(&self, kind: u16, nest: &mut Writer) {
        nest.flag_if(kind, *self);
    }

    fn words(&self, option: &str) -> Option<String> {
        self.then(|| option.to_owned())
    }

    fn json(&self, key: &str, object: &mut Map<String, Value>) {
        object.insert(key.to_owned(), json!(self));
    }
}

impl<F: Field> Field for Option<F> {
    type Kinds = F::Kinds;
    type Given = F::Given;

    fn read(nest: &Nest<'_>, kinds: F::Kinds) -> Result<Option<Self>, Error> {
        F::read(nest, kinds).map(Some)
    }

    fn write(&self, kinds: F::Kinds, nest: &mut Writer) {
        if let Some(field) = self {
            field.write(kinds, nest);
        }
    }

    fn given(value: F::Given, inverted: bool) -> Self {
        Some(F::given(value, inverted))
    }

    fn words(&self, option: &str) -> Option<String> {
        self.as_ref()?.words(option)
    }

    fn is_inverted(&self) -> bool {
        self.as_ref().is_some_and(F::is_inverted)
    }

    fn value(&self) -> Value {
        self.as_ref().map_or(Value::Null, F::value)
    }
}

/// A value that a `!` may invert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Negatable<T> {
    pub(crate) inverted: bool,
    pub(crate) value: T,
}

impl<T> Negatable<T> {
    pub(crate) const fn plain(value: T) -> Self {
        Self {
            inverted: false,
            value,
        }
    }

    /// What comes before an option in iptables' grammar.
    pub(crate) fn prefix(&self) -> &'static str {
        if self.inverted { "! " } else { "" }
    }

    /// What comes before a value in iptables' tables.
    pub(crate) fn mark(&self) -> &'static str {
        if self.inverted { "!" } else { "" }
    }
}

/// The last attribute is the flag that inverts.
impl<F: Field> Field for Negatable<F> {
    type Kinds = (F::Kinds, u16);
    type Given = F::Given;

    fn read(nest: &Nest<'_>, (kinds, invert): Self::Kinds) -> Result<Option<Self>, Error> {
        let inverted = nest.has(invert);
        let value = F::read(nest, kinds)?;
        Ok(value.map(|value| Self { inverted, value }))
    }

    fn write(&self, (kinds, invert): Self::Kinds, nest: &mut Writer) {
        self.value.write(kinds, nest);
        nest.flag_if(invert, self.inverted);
    }

    fn given(value: F::Given, inverted: bool) -> Self {
        let value = F::given(value, false);
        Self { inverted, value }
    }

    fn words(&self, option: &str) -> Option<String> {
        self.value.words(option)
    }

    fn is_inverted(&self) -> bool {
        self.inverted
    }

    fn value(&self) -> Value {
        let mut object = Map::new();
        self.json("value", &mut object);
        object.into()
    }

    fn json(&self, key: &str, object: &mut Map<String, Value>) {
        self.value.json(key, object);
        object.insert("inverted".to_owned(), json!(self.inverted));
    }
}

/// Reading a struct from the attributes of a nest.
pub(crate) trait Decode: Sized {
    fn decode(nest: &Nest<'_>) -> Result<Self, Error>;
}

/// A struct of fields, as [`nest!`] defines it.
pub(crate) trait Fields: Any {
    fn as_any(&self) -> &dyn Any;

    fn as_any_mut(&mut self) -> &mut dyn Any;

    /// Its fields as options, each with a space before it.
    fn save(&self) -> String {
        String::new()
    }

    fn json(&self) -> Value {
        json!({})
    }

    /// Write the attributes of its fields, each with the words that it stands for.
    fn write(&self, _nest: &mut Writer) {}
}

/// The methods of [`Fields`] that every type has alike.
macro_rules! as_any {
    () => {
        fn as_any(&self) -> &dyn std::any::Any {
            self
        }

        fn as_any_mut(&mut self) -> &mut dyn std::any::Any {
            self
        }
    };
}
pub(crate) use as_any;

/// The words that a field has on a command line, as a label of its attributes.
pub(crate) struct Label<'a, F>(pub(crate) &'a F, pub(crate) &'static str);

impl<F: Field> Display for Label<'_, F> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0.words(self.1).unwrap_or_default())
    }
}

/// Add a field to what is saved.
pub(crate) fn save(field: &impl Field, option: &str, text: &mut String) {
    if let Some(words) = field.words(option) {
        let prefix = if field.is_inverted() { "! " } else { "" };
        *text += &format!(" {prefix}{words}");
    }
}

/// Define a struct whose fields are the attributes of a set of the specification:
///
/// ```text
/// nest! {
///     struct Example: set {
///         seconds: Option<u32> = SECONDS => "--seconds";
///         ports: Negatable<Range> = (FIRST, LAST) ! INVERT => "--ports", or Range::ALL;
///         burst: u32 = BURST => "--burst", unless 5;
///     }
///     saved as ports seconds burst;
/// }
/// ```
///
/// `=` names the attributes, `!` the one that inverts, and `=>` the option. `or` gives a default; with `unless` the
/// default is neither printed nor sent. JSON has the fields in this order, and so have saved options, unless
/// `saved as` gives another one.
macro_rules! nest {
    (
        $(#[$meta:meta])*
        $visible:vis struct $name:ident: $set:ident {
            $(
                $(#[$about:meta])*
                $shown:vis $field:ident: $type:ty = $kinds:tt $(! $invert:ident)? $(=> $option:literal)?
                    $(, or $default:expr)? $(, unless $absent:expr)?;
            )*
        }
        $(saved as $($saved:ident)*;)?
    ) => {
        $(#[$meta])*
        #[derive(Debug)]
        $visible struct $name {
            $($(#[$about])* $shown $field: $type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    $($field: $crate::fields::nest!(@default $($default)? $($absent)?),)*
                }
            }
        }

        impl $crate::fields::Decode for $name {
            fn decode(nest: &$crate::netlink::Nest<'_>) -> Result<Self, $crate::error::Error> {
                use $crate::netlink::spec::attribute::$set::*;
                let mut decoded = Self::default();
                $(
                    let kinds = $crate::fields::nest!(@kinds $kinds $($invert)?);
                    if let Some(field) = $crate::fields::Field::read(nest, kinds)? {
                        decoded.$field = field;
                    }
                )*
                Ok(decoded)
            }
        }

        impl $crate::fields::Fields for $name {
            $crate::fields::as_any!();

            fn save(&self) -> String {
                let mut text = String::new();
                for name in $crate::fields::nest!(@order [$($($saved)*)?] [$($field)*]) {
                    match *name {
                        $(
                            stringify!($field) if true $(&& self.$field != $absent)? => {
                                $crate::fields::save(&self.$field, concat!($($option)?), &mut text);
                            }
                        )*
                        _ => {}
                    }
                }
                text
            }

            fn json(&self) -> serde_json::Value {
                let mut object = serde_json::Map::new();
                $($crate::fields::Field::json(&self.$field, stringify!($field), &mut object);)*
                object.into()
            }

            fn write(&self, nest: &mut $crate::netlink::Writer) {
                use $crate::netlink::spec::attribute::$set::*;
                $(
                    let kinds = $crate::fields::nest!(@kinds $kinds $($invert)?);
                    if true $(&& self.$field != $absent)? {
                        let label = $crate::fields::Label(&self.$field, concat!($($option)?));
                        nest.labelled(label, |nest| {
                            $crate::fields::Field::write(&self.$field, kinds, nest);
                        });
                    }
                )*
            }
        }
    };
    (@default) => { Default::default() };
    (@default $default:expr) => { $default };
    (@order [] [$($field:ident)*]) => { &[$(stringify!($field)),*] };
    (@order [$($saved:ident)+] $fields:tt) => { &[$(stringify!($saved)),+] };
    (@kinds $kinds:tt) => { $kinds };
    (@kinds $kinds:tt $invert:ident) => { ($kinds, $invert) };
}
pub(crate) use nest;
