// SPDX-License-Identifier: GPL-2.0

//! `-m comment`: words for people, which every packet matches.

use crate::{
    fields::nest,
    netlink::spec::{COMMENT_LENGTH_MAX, attribute::r#match},
    rules::model::{
        extension::{Extension, ExtensionType},
        options::{options, text},
    },
    text::printable,
};

/// The match `comment`.
pub(super) static TYPE: ExtensionType = ExtensionType {
    about: "words for people; every packet matches",
    options: options!(Comment {
        [] "comment": "TEXT" => comment: text("a comment", COMMENT_LENGTH_MAX),
            "words of at most 255 bytes, shown with the rule";
    }),
    required: Some("comment"),
    examples: &["-A INPUT -m comment --comment \"what this is for\" -j ACCEPT"],
    ..ExtensionType::flat::<Comment>("comment", r#match::COMMENT)
};

nest! {
    struct Comment: r#match {
        comment: String = COMMENT => "--comment";
    }
}

impl Extension for Comment {
    fn kind(&self) -> &'static ExtensionType {
        &TYPE
    }

    fn list(&self) -> String {
        format!(" /* {} */", printable(&self.comment))
    }
}
