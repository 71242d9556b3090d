// SPDX-License-Identifier: GPL-2.0

//! `-j CHAIN` and `-g CHAIN`.

use std::rc::Rc;

use serde_json::{Value, json};

use crate::{
    fields::{Fields, as_any},
    netlink::{Writer, spec::attribute::target as attribute},
    rules::model::{
        chain,
        extension::{Extension, ExtensionType, Loaded},
    },
};

/// The type of `-j CHAIN`.
pub(super) static JUMP: ExtensionType = extension_type(attribute::JUMP);
/// The type of `-g CHAIN`.
pub(super) static GOTO: ExtensionType = extension_type(attribute::GOTO);

const fn extension_type(attribute: u16) -> ExtensionType {
    ExtensionType {
        about: "go on in a user-defined chain",
        notes: "A chain that palisade -N made; it has no options.\n",
        ..ExtensionType::with(
            "CHAIN",
            attribute,
            || Box::new(Jump::default()),
            |attribute, _| {
                Ok(Rc::new(Jump {
                    chain: attribute.string()?,
                    is_goto: attribute.kind == attribute::GOTO,
                }))
            },
        )
    }
}

/// Continue in another chain.
#[derive(Debug, Default)]
struct Jump {
    chain: String,
    /// Whether packets do not come back to this chain.
    is_goto: bool,
}

/// The target that leads to a chain.
pub(crate) fn jump(chain: String, is_goto: bool) -> Result<Loaded, String> {
    chain::check(&chain)?;
    let jump = Jump { chain, is_goto };
    Ok(Loaded::with(jump.kind(), Box::new(jump)))
}

impl Fields for Jump {
    as_any!();

    fn json(&self) -> Value {
        json!({ "chain": self.chain, "goto": self.is_goto })
    }
}

impl Extension for Jump {
    fn kind(&self) -> &'static ExtensionType {
        if self.is_goto { &GOTO } else { &JUMP }
    }

    fn name(&self) -> &str {
        &self.chain
    }

    fn target_option(&self) -> &'static str {
        if self.is_goto { "-g" } else { "-j" }
    }

    fn encode(&self, request: &mut Writer) {
        request.string(self.kind().attribute, &self.chain);
    }
}
