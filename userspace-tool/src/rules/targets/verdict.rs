// SPDX-License-Identifier: GPL-2.0

//! `-j ACCEPT`, `-j DROP` and `-j RETURN`.

use std::rc::Rc;

use crate::{
    fields::{Fields, as_any},
    netlink::{
        Writer,
        spec::{Verdict, attribute::target as attribute},
    },
    rules::model::extension::{Extension, ExtensionType},
};

/// The target `ACCEPT`.
pub(super) static ACCEPT: ExtensionType = extension_type(
    "ACCEPT",
    "let the packet go on; no further rule of the table sees it",
    || Box::new(Verdict::Accept),
);
/// The target `DROP`.
pub(super) static DROP: ExtensionType =
    extension_type("DROP", "drop the packet", || Box::new(Verdict::Drop));
/// The target `RETURN`.
pub(super) static RETURN: ExtensionType = extension_type(
    "RETURN",
    "go back to where the chain was called from; from a built-in chain, to its policy",
    || Box::new(Verdict::Return),
);

const fn extension_type(
    name: &'static str,
    about: &'static str,
    new: fn() -> Box<dyn Extension>,
) -> ExtensionType {
    ExtensionType {
        about,
        notes: "This target has no options.\n",
        ..ExtensionType::with(name, attribute::VERDICT, new, |attribute, _| {
            Ok(Rc::new(attribute.one_of(Verdict::from_number)?))
        })
    }
}

impl Fields for Verdict {
    as_any!();
}

impl Extension for Verdict {
    fn kind(&self) -> &'static ExtensionType {
        match self {
            Self::Accept => &ACCEPT,
            Self::Drop => &DROP,
            Self::Return => &RETURN,
        }
    }

    fn encode(&self, request: &mut Writer) {
        request.u32(attribute::VERDICT, self.number());
    }
}
