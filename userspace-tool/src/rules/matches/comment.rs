// SPDX-License-Identifier: GPL-2.0

//! `-m comment`: words for people, which every packet matches.

use std::rc::Rc;

use serde_json::{Value, json};

use crate::{
    netlink::{
        Writer,
        spec::{COMMENT_LENGTH_MAX, attribute::r#match},
    },
    rules::model::{
        extension::{Extension, ExtensionOption, ExtensionType, Given, set_once},
        rule::Negatable,
    },
    text::{printable, quote},
};

pub(super) static TYPE: ExtensionType = ExtensionType {
    name: "comment",
    help: "\
    --comment TEXT                            words of at most 255 bytes, shown with the rule
",
    options: &[ExtensionOption::value(&["comment"])],
    attribute: r#match::COMMENT,
    new: || Box::new(Comment::default()),
    decode: |attribute| {
        let text = Some(attribute.string()?);
        Ok(Rc::new(Comment { text }))
    },
};

#[derive(Debug, Default)]
struct Comment {
    text: Option<String>,
}

impl Comment {
    fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }
}

fn parse(text: &str) -> Result<String, String> {
    if text.len() > COMMENT_LENGTH_MAX as usize {
        return Err(format!(
            "a comment has at most {COMMENT_LENGTH_MAX} bytes, this one has {}",
            text.len()
        ));
    }
    if text.chars().any(char::is_control) {
        return Err("a comment cannot hold control characters".to_owned());
    }
    Ok(text.to_owned())
}

impl Extension for Comment {
    fn name(&self) -> &'static str {
        TYPE.name
    }

    fn option(&mut self, given: &Given<'_>) -> Result<(), String> {
        set_once(&mut self.text, parse(given.value())?)
    }

    fn check(&mut self, _protocol: Option<&Negatable<u8>>) -> Result<(), String> {
        match self.text {
            Some(_) => Ok(()),
            None => Err("needs --comment".to_owned()),
        }
    }

    fn save(&self) -> String {
        format!(" --comment {}", quote(self.text()))
    }

    fn list(&self) -> String {
        format!(" /* {} */", printable(self.text()))
    }

    fn json(&self) -> Value {
        json!({ "comment": self.text() })
    }

    fn encode(&self, request: &mut Writer) {
        request.string(TYPE.attribute, self.text());
    }
}
