// SPDX-License-Identifier: GPL-2.0

//! `-j TRACE`: tell what rules a packet meets.

use std::rc::Rc;

use crate::{
    fields::{Fields, as_any},
    netlink::{Writer, spec::attribute::target},
    rules::model::extension::{Extension, ExtensionType},
};

/// The target `TRACE`.
pub(super) static TYPE: ExtensionType = ExtensionType {
    about: "tell what rules the packet meets, and go on; in the table raw",
    notes: "palisade trace prints them, and what they say. This target has no options.\n",
    examples: &["-t raw -A PREROUTING -s 192.0.2.1 -j TRACE"],
    ..ExtensionType::with(
        "TRACE",
        target::TRACE,
        || Box::new(Trace),
        |_, _| Ok(Rc::new(Trace)),
    )
};

#[derive(Debug)]
struct Trace;

impl Fields for Trace {
    as_any!();
}

impl Extension for Trace {
    fn kind(&self) -> &'static ExtensionType {
        &TYPE
    }

    fn encode(&self, request: &mut Writer) {
        request.flag(target::TRACE);
    }
}
