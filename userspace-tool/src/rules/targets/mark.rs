// SPDX-License-Identifier: GPL-2.0

//! `-j MARK`: change the mark of a packet.

use std::rc::Rc;

use serde_json::{Value, json};

use crate::{
    netlink::{Writer, spec::attribute::target},
    rules::{
        model::mark::{Mark, parse_number},
        model::{
            extension::{Extension, ExtensionOption, ExtensionType, Given, set_once},
            rule::Negatable,
        },
    },
};

pub(super) static TYPE: ExtensionType = ExtensionType {
    name: "MARK",
    help: "\
    --set-mark VALUE[/MASK]    set the bits of MASK, all if not given, to zero, and set those of VALUE
    --set-xmark VALUE[/MASK]   set the bits of MASK, all if not given, to zero, and turn those of VALUE
    --and-mark BITS            keep only these bits
    --or-mark BITS             set these bits
    --xor-mark BITS            turn these bits
",
    options: &[
        ExtensionOption::value(&["set-mark"]),
        ExtensionOption::value(&["set-xmark"]),
        ExtensionOption::value(&["and-mark"]),
        ExtensionOption::value(&["or-mark"]),
        ExtensionOption::value(&["xor-mark"]),
    ],
    attribute: target::MARK,
    new: || Box::new(MarkTarget::default()),
    decode: |nest| {
        let change = Some(Mark::decode(nest)?);
        Ok(Rc::new(MarkTarget { change }))
    },
};

#[derive(Debug, Default)]
struct MarkTarget {
    /// The bits of the mask become zero, and then those of the value are turned.
    change: Option<Mark>,
}

impl MarkTarget {
    fn change(&self) -> Mark {
        self.change.unwrap_or(Mark { value: 0, mask: 0 })
    }
}

impl Extension for MarkTarget {
    fn name(&self) -> &'static str {
        TYPE.name
    }

    fn option(&mut self, given: &Given<'_>) -> Result<(), String> {
        let text = given.value();
        let change = match given.name {
            "set-xmark" => Mark::parse(text)?,
            "set-mark" => {
                let Mark { value, mask } = Mark::parse(text)?;
                let mask = mask | value;
                Mark { value, mask }
            }
            operation => {
                let bits = parse_number(text)?;
                let (value, mask) = match operation {
                    "and-mark" => (0, !bits),
                    "or-mark" => (bits, bits),
                    _ => (bits, 0),
                };
                Mark { value, mask }
            }
        };
        set_once(&mut self.change, change)
            .map_err(|_| "one -j MARK does one thing: give a second rule".to_owned())
    }

    fn check(&mut self, _protocol: Option<&Negatable<u8>>) -> Result<(), String> {
        match self.change {
            Some(_) => Ok(()),
            None => {
                Err("needs --set-mark, --set-xmark, --and-mark, --or-mark or --xor-mark".to_owned())
            }
        }
    }

    fn save(&self) -> String {
        let Mark { value, mask } = self.change();
        format!(" --set-xmark {value:#x}/{mask:#x}")
    }

    fn list(&self) -> String {
        match self.change() {
            Mark { value: 0, mask } => format!(" MARK and {:#x}", !mask),
            Mark { value, mask } if value == mask => format!(" MARK or {value:#x}"),
            Mark { value, mask: 0 } => format!(" MARK xor {value:#x}"),
            Mark {
                value,
                mask: u32::MAX,
            } => format!(" MARK set {value:#x}"),
            Mark { value, mask } => format!(" MARK xset {value:#x}/{mask:#x}"),
        }
    }

    fn json(&self) -> Value {
        let Mark { value, mask } = self.change();
        json!({ "value": value, "mask": mask })
    }

    fn encode(&self, request: &mut Writer) {
        request.nested(TYPE.attribute, |nest| self.change().encode(nest));
    }
}
