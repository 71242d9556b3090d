// SPDX-License-Identifier: GPL-2.0

//! `-m ttl` and `-m hl`: the TTL of an IPv4 packet, and the hop limit of an IPv6 one.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::{
    error::Error,
    fields::{Field, Negatable, Plain, nest},
    netlink::{
        Nest, Writer,
        spec::{Comparison, attribute::r#match},
    },
    rules::model::{
        extension::{Extension, ExtensionType},
        family::Family,
        options::{Given, options, parse_number},
    },
};

/// The match `ttl`.
pub(super) static TTL: ExtensionType = ExtensionType {
    about: "the TTL of an IPv4 packet",
    options: options!(Ttl {
        [!] "ttl-eq": "N" => ttl: is(Comparison::Equal), "the TTL is N";
        [] "ttl-lt": "N" => ttl: is(Comparison::Less), "the TTL is less than N";
        [] "ttl-gt": "N" => ttl: is(Comparison::Greater), "the TTL is greater than N";
    }),
    required: Some("ttl"),
    notes: "The rule is for IPv4.\n",
    examples: &["-A INPUT -p tcp --dport 179 -m ttl --ttl-lt 255 -j DROP"],
    ..ExtensionType::nested::<Ttl>("ttl", r#match::TTL)
};

/// The match `hl`.
pub(super) static HL: ExtensionType = ExtensionType {
    about: "the hop limit of an IPv6 packet",
    options: options!(Hl {
        [!] "hl-eq": "N" => hop_limit: is(Comparison::Equal), "the hop limit is N";
        [] "hl-lt": "N" => hop_limit: is(Comparison::Less), "the hop limit is less than N";
        [] "hl-gt": "N" => hop_limit: is(Comparison::Greater), "the hop limit is greater than N";
    }),
    required: Some("hop_limit"),
    notes: "The rule is for IPv6.\n",
    examples: &["-A INPUT -p tcp --dport 179 -m hl ! --hl-eq 255 -j DROP"],
    ..ExtensionType::nested::<Hl>("hl", r#match::HL)
};

nest! {
    struct Ttl: hop_limit {
        ttl: Negatable<Compared> = (VALUE, COMPARISON) ! INVERT => "--ttl",
            or Negatable::plain(Compared::ZERO);
    }
}

nest! {
    struct Hl: hop_limit {
        hop_limit: Negatable<Compared> = (VALUE, COMPARISON) ! INVERT => "--hl",
            or Negatable::plain(Compared::ZERO);
    }
}

/// What is compared with, and how.
#[derive(Clone, Copy, Debug)]
struct Compared {
    value: u8,
    comparison: Comparison,
}

impl Compared {
    const ZERO: Self = Self {
        value: 0,
        comparison: Comparison::Equal,
    };

    /// As in the tables of iptables.
    fn list(&self, inverted: bool) -> String {
        let sign = match (self.comparison, inverted) {
            (Comparison::Equal, false) => "==",
            (Comparison::Equal, true) => "!=",
            (Comparison::Less, false) => "<",
            (Comparison::Less, true) => ">=",
            (Comparison::Greater, false) => ">",
            (Comparison::Greater, true) => "<=",
        };
        format!("{sign} {}", self.value)
    }
}

/// An option that compares in this way.
fn is(comparison: Comparison) -> impl Fn(&Given<'_>) -> Result<Compared, String> {
    move |given| {
        let value = parse_number(given.value(), 0, u8::MAX.into())?;
        Ok(Compared { value, comparison })
    }
}

/// What follows the start of an option.
impl fmt::Display for Compared {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let option = match self.comparison {
            Comparison::Equal => "eq",
            Comparison::Less => "lt",
            Comparison::Greater => "gt",
        };
        write!(out, "-{option} {}", self.value)
    }
}

impl Plain for Compared {
    type Kinds = (u16, u16);

    fn read(nest: &Nest<'_>, (value, comparison): Self::Kinds) -> Result<Option<Self>, Error> {
        let comparison = Plain::read(nest, comparison)?.unwrap_or(Comparison::Equal);
        Ok(Plain::read(nest, value)?.map(|value| Self { value, comparison }))
    }

    fn write(&self, (value, comparison): Self::Kinds, nest: &mut Writer) {
        Field::write(&self.value, value, nest);
        Field::write(&self.comparison, comparison, nest);
    }

    fn words(&self, option: &str) -> Option<String> {
        Some(format!("{option}{self}"))
    }

    fn json(&self, _key: &str, object: &mut Map<String, Value>) {
        object.insert("value".to_owned(), json!(self.value));
        object.insert("comparison".to_owned(), json!(self.comparison.to_string()));
    }
}

impl Extension for Ttl {
    fn kind(&self) -> &'static ExtensionType {
        &TTL
    }

    fn family(&self) -> Option<Family> {
        Some(Family::Ipv4)
    }

    fn list(&self) -> String {
        format!(" TTL match TTL {}", self.ttl.value.list(self.ttl.inverted))
    }
}

impl Extension for Hl {
    fn kind(&self) -> &'static ExtensionType {
        &HL
    }

    fn family(&self) -> Option<Family> {
        Some(Family::Ipv6)
    }

    fn list(&self) -> String {
        let Negatable { inverted, value } = self.hop_limit;
        format!(" HL match HL {}", value.list(inverted))
    }
}
