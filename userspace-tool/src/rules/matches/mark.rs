// SPDX-License-Identifier: GPL-2.0

//! `-m mark`: bits of a packet's mark.

use crate::{
    fields::{Negatable, nest},
    netlink::spec::attribute::r#match,
    rules::model::{
        extension::{Extension, ExtensionType},
        mark::Mark,
        options::{options, parsed},
    },
};

/// The match `mark`.
pub(super) static TYPE: ExtensionType = ExtensionType {
    about: "the mark of a packet",
    options: options!(MarkMatch {
        [!] "mark": "VALUE[/MASK]" => mark: parsed(Mark::parse),
            "the bits of MASK, of all if not given, make up VALUE";
    }),
    required: Some("mark"),
    examples: &["-A INPUT -m mark --mark 0x1/0xff -j ACCEPT"],
    ..ExtensionType::nested::<MarkMatch>("mark", r#match::MARK)
};

nest! {
    struct MarkMatch: mark {
        mark: Negatable<Mark> = (VALUE, MASK) ! INVERT => "--mark",
            or Negatable::plain(Mark::default());
    }
}

impl Extension for MarkMatch {
    fn kind(&self) -> &'static ExtensionType {
        &TYPE
    }

    fn list(&self) -> String {
        format!(" mark match {}{}", self.mark.prefix(), self.mark.value)
    }
}
