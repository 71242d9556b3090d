// SPDX-License-Identifier: GPL-2.0

//! `-j CHAIN` and `-g CHAIN`.

use std::rc::Rc;

use serde_json::{Value, json};

use crate::{
    error::Error,
    netlink::{Attribute, Writer, spec::attribute::target as attribute},
    rules::model::{
        chain,
        extension::{Extension, ExtensionType, Loaded},
    },
};

pub(super) static JUMP: ExtensionType = extension_type(attribute::JUMP);
pub(super) static GOTO: ExtensionType = extension_type(attribute::GOTO);

const fn extension_type(attribute: u16) -> ExtensionType {
    ExtensionType {
        name: "CHAIN",
        help: "A chain that palisade -N made; it has no options.\n",
        options: &[],
        attribute,
        new: || Box::new(Jump::default()),
        decode,
    }
}

/// Going on in another chain.
#[derive(Debug, Default)]
struct Jump {
    chain: String,
    /// Whether it does not come back behind the rule.
    is_goto: bool,
}

/// The target that leads to a chain.
pub(crate) fn jump(chain: String, is_goto: bool) -> Result<Loaded, String> {
    chain::check(&chain)?;
    Ok(Loaded {
        kind: if is_goto { &GOTO } else { &JUMP },
        instance: Box::new(Jump { chain, is_goto }),
    })
}

fn decode(attribute: &Attribute<'_>) -> Result<Rc<dyn Extension>, Error> {
    Ok(Rc::new(Jump {
        chain: attribute.string()?,
        is_goto: attribute.kind == attribute::GOTO,
    }))
}

impl Extension for Jump {
    fn name(&self) -> &str {
        &self.chain
    }

    fn target_option(&self) -> &'static str {
        if self.is_goto { "-g" } else { "-j" }
    }

    fn save(&self) -> String {
        String::new()
    }

    fn list(&self) -> String {
        String::new()
    }

    fn json(&self) -> Value {
        json!({ "chain": self.chain, "goto": self.is_goto })
    }

    fn encode(&self, request: &mut Writer) {
        let kind = if self.is_goto {
            attribute::GOTO
        } else {
            attribute::JUMP
        };
        request.string(kind, &self.chain);
    }
}
