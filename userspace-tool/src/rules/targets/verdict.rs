// SPDX-License-Identifier: GPL-2.0

//! `-j ACCEPT`, `-j DROP` and `-j RETURN`.

use std::rc::Rc;

use serde_json::{Value, json};

use crate::{
    error::Error,
    netlink::{
        Attribute, Writer,
        spec::{Verdict, attribute::target as attribute},
    },
    rules::model::extension::{Extension, ExtensionType},
};

pub(super) static ACCEPT: ExtensionType = extension_type("ACCEPT", || Box::new(Verdict::Accept));
pub(super) static DROP: ExtensionType = extension_type("DROP", || Box::new(Verdict::Drop));
pub(super) static RETURN: ExtensionType = extension_type("RETURN", || Box::new(Verdict::Return));

const fn extension_type(name: &'static str, new: fn() -> Box<dyn Extension>) -> ExtensionType {
    ExtensionType {
        name,
        help: "This target has no options.\n",
        options: &[],
        attribute: attribute::VERDICT,
        new,
        decode,
    }
}

fn decode(attribute: &Attribute<'_>) -> Result<Rc<dyn Extension>, Error> {
    Ok(Rc::new(attribute.one_of(Verdict::from_number)?))
}

impl Extension for Verdict {
    fn name(&self) -> &'static str {
        match self {
            Self::Accept => "ACCEPT",
            Self::Drop => "DROP",
            Self::Return => "RETURN",
        }
    }

    fn save(&self) -> String {
        String::new()
    }

    fn list(&self) -> String {
        String::new()
    }

    fn json(&self) -> Value {
        json!({})
    }

    fn encode(&self, request: &mut Writer) {
        request.u32(attribute::VERDICT, self.number());
    }
}
