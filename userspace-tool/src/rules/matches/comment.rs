// SPDX-License-Identifier: GPL-2.0

//! `-m comment`: words for people, which every packet matches.

use crate::{
    fields::nest,
    netlink::spec::{COMMENT_LENGTH_MAX, attribute::r#match},
    rules::model::{
        extension::{Extension, ExtensionType},
        options::{options, text},
        rule::Rule,
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

/// The comment of a rule, or the first of several.
pub(crate) fn comment(rule: &Rule) -> Option<&str> {
    let mut comments = rule
        .matches
        .iter()
        .filter_map(|one| one.as_any().downcast_ref());
    comments
        .next()
        .map(|comment: &Comment| comment.comment.as_str())
}
