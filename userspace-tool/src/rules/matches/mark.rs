// SPDX-License-Identifier: GPL-2.0

//! `-m mark`: bits of a packet's mark.

use std::rc::Rc;

use serde_json::{Value, json};

use crate::{
    error::Error,
    netlink::{
        Attribute, Writer,
        spec::attribute::{mark as attribute, r#match},
    },
    rules::{
        model::mark::Mark,
        model::{
            extension::{Extension, ExtensionOption, ExtensionType, Given, set_once},
            rule::Negatable,
        },
    },
};

pub(super) static TYPE: ExtensionType = ExtensionType {
    name: "mark",
    help: "\
[!] --mark VALUE[/MASK]                       the bits of MASK, of all if not given, make up VALUE
",
    options: &[ExtensionOption::value(&["mark"]).negatable()],
    attribute: r#match::MARK,
    new: || Box::new(MarkMatch::default()),
    decode: |nest| Ok(Rc::new(MarkMatch::decode(nest)?)),
};

#[derive(Debug, Default)]
struct MarkMatch {
    mark: Option<Negatable<Mark>>,
}

impl MarkMatch {
    fn decode(nest: &Attribute<'_>) -> Result<Self, Error> {
        let mut inverted = false;
        for attribute in nest.nested() {
            inverted |= attribute?.kind == attribute::INVERT;
        }
        let value = Mark::decode(nest)?;
        Ok(Self {
            mark: Some(Negatable { inverted, value }),
        })
    }

    fn mark(&self) -> Negatable<Mark> {
        self.mark.unwrap_or(Negatable {
            inverted: false,
            value: Mark { value: 0, mask: 0 },
        })
    }
}

impl Extension for MarkMatch {
    fn name(&self) -> &'static str {
        TYPE.name
    }

    fn option(&mut self, given: &Given<'_>) -> Result<(), String> {
        let mark = Negatable {
            inverted: given.inverted,
            value: Mark::parse(given.value())?,
        };
        set_once(&mut self.mark, mark)
    }

    fn check(&mut self, _protocol: Option<&Negatable<u8>>) -> Result<(), String> {
        match self.mark {
            Some(_) => Ok(()),
            None => Err("needs --mark".to_owned()),
        }
    }

    fn save(&self) -> String {
        let mark = self.mark();
        format!(" {}--mark {}", mark.prefix(), mark.value)
    }

    fn list(&self) -> String {
        let mark = self.mark();
        format!(" mark match {}{}", mark.prefix(), mark.value)
    }

    fn json(&self) -> Value {
        let Negatable { inverted, value } = self.mark();
        json!({ "value": value.value, "mask": value.mask, "inverted": inverted })
    }

    fn encode(&self, request: &mut Writer) {
        let mark = self.mark();
        request.nested(TYPE.attribute, |nest| {
            nest.labelled(format_args!("--mark {}", mark.value), |nest| {
                mark.value.encode(nest);
                if mark.inverted {
                    nest.flag(attribute::INVERT);
                }
            });
        });
    }
}
