// SPDX-License-Identifier: GPL-2.0

//! `-j CT --notrack`: have connection tracking pass a packet over; and `-j NOTRACK`, its old name.

use std::rc::Rc;

use serde_json::{Value, json};

use crate::{
    error::Error,
    netlink::{Attribute, Writer, spec::attribute::target},
    rules::model::{
        extension::{Extension, ExtensionOption, ExtensionType, Given},
        rule::Negatable,
    },
};

pub(super) static CT: ExtensionType = ExtensionType {
    name: "CT",
    help: "\
    --notrack    connection tracking passes the packet over; in the table raw
",
    options: &[ExtensionOption::flag(&["notrack"])],
    attribute: target::NOTRACK,
    new: || Box::new(Notrack { given: false }),
    decode,
};

pub(super) static NOTRACK: ExtensionType = ExtensionType {
    name: "NOTRACK",
    help: "The same as -j CT --notrack; this target has no options.\n",
    options: &[],
    attribute: target::NOTRACK,
    new: || Box::new(Notrack { given: true }),
    decode,
};

fn decode(_attribute: &Attribute<'_>) -> Result<Rc<dyn Extension>, Error> {
    Ok(Rc::new(Notrack { given: true }))
}

#[derive(Debug)]
struct Notrack {
    /// Whether it was said, and not only -j CT.
    given: bool,
}

impl Extension for Notrack {
    fn name(&self) -> &'static str {
        CT.name
    }

    fn option(&mut self, _given: &Given<'_>) -> Result<(), String> {
        self.given = true;
        Ok(())
    }

    fn check(&mut self, _protocol: Option<&Negatable<u8>>) -> Result<(), String> {
        if self.given {
            Ok(())
        } else {
            Err("needs --notrack".to_owned())
        }
    }

    fn save(&self) -> String {
        " --notrack".to_owned()
    }

    fn list(&self) -> String {
        " CT notrack".to_owned()
    }

    fn json(&self) -> Value {
        json!({ "notrack": true })
    }

    fn encode(&self, request: &mut Writer) {
        request.flag(CT.attribute);
    }
}
