// SPDX-License-Identifier: GPL-2.0

//! `-m length`: how long a packet is.

use std::fmt;

use crate::{
    fields::{Negatable, composite, nest},
    netlink::spec::attribute::r#match,
    rules::model::{
        extension::{Extension, ExtensionType},
        options::{options, parse_number, parsed},
    },
};

/// The match `length`.
pub(super) static TYPE: ExtensionType = ExtensionType {
    options: options!(Length {
        [!] "length": "N[:N]" => length: parsed(Lengths::parse),
            "the packet has so many bytes, with its IP header; one end of a range\n\
             may be left out";
    }),
    required: Some("length"),
    ..ExtensionType::nested::<Length>("length", r#match::LENGTH)
};

nest! {
    struct Length: length {
        length: Negatable<Lengths> = (FIRST, LAST) ! INVERT => "--length",
            or Negatable::plain(Lengths::ALL);
    }
}

/// Lengths in bytes, both ends included.
#[derive(Clone, Copy, Debug)]
struct Lengths {
    first: u16,
    last: u16,
}

impl Lengths {
    const ALL: Self = Self {
        first: 0,
        last: u16::MAX,
    };

    fn parse(text: &str) -> Result<Self, String> {
        let number = |text: &str, open| match text {
            "" => Ok(open),
            _ => parse_number(text, 0, u16::MAX.into()),
        };
        let (first, last) = match text.split_once(':') {
            Some((first, last)) => (
                number(first, Self::ALL.first)?,
                number(last, Self::ALL.last)?,
            ),
            None => {
                let only = parse_number(text, 0, u16::MAX.into())?;
                (only, only)
            }
        };
        if first > last {
            return Err("the range ends before it starts".to_owned());
        }
        Ok(Self { first, last })
    }
}

impl fmt::Display for Lengths {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, last } = self;
        match first == last {
            true => first.fmt(out),
            false => write!(out, "{first}:{last}"),
        }
    }
}

composite!(Lengths { first, last });

impl Extension for Length {
    fn kind(&self) -> &'static ExtensionType {
        &TYPE
    }

    fn list(&self) -> String {
        format!(" length {}{}", self.length.mark(), self.length.value)
    }
}
