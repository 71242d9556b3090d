// SPDX-License-Identifier: GPL-2.0

//! `-m length`: how long a packet is.

use crate::{
    fields::{Negatable, nest},
    netlink::spec::attribute::r#match,
    rules::model::{
        extension::{Extension, ExtensionType},
        options::{options, parse_number, parsed},
        range::Range,
    },
};

/// The match `length`.
pub(super) static TYPE: ExtensionType = ExtensionType {
    about: "the length of a packet",
    options: options!(Length {
        [!] "length": "N[:N]" => length: parsed(bytes),
            "the packet has so many bytes, with its IP header; one end of a range \
             may be left out";
    }),
    required: Some("length"),
    examples: &["-A INPUT -p icmp -m length --length 1000:65535 -j DROP"],
    ..ExtensionType::nested::<Length>("length", r#match::LENGTH)
};

nest! {
    struct Length: length {
        length: Negatable<Range> = (FIRST, LAST) ! INVERT => "--length",
            or Negatable::plain(Range::ALL);
    }
}

fn bytes(text: &str) -> Result<Range, String> {
    Range::parse(text, |length| parse_number(length, 0, u16::MAX.into()))
}

impl Extension for Length {
    fn kind(&self) -> &'static ExtensionType {
        &TYPE
    }

    fn list(&self) -> String {
        format!(" length {}{}", self.length.mark(), self.length.value)
    }
}
