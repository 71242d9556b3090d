// SPDX-License-Identifier: GPL-2.0

//! `-j CT --notrack`: exempt a packet from connection tracking; and `-j NOTRACK`, its old name.

use crate::{
    fields::nest,
    netlink::spec::attribute::target,
    rules::model::{
        extension::{Extension, ExtensionType},
        options::{is, options},
    },
};

/// The target `CT`.
pub(super) static CT: ExtensionType = ExtensionType {
    about: "keep connection tracking off the packet",
    options: options!(Notrack {
        [+] "notrack" => notrack: is(true),
            "connection tracking passes the packet over; in the table raw";
    }),
    required: Some("notrack"),
    examples: &["-t raw -A PREROUTING -p udp --dport 53 -j CT --notrack"],
    ..ExtensionType::flat::<Notrack>("CT", target::NOTRACK)
};

/// The target `NOTRACK`.
pub(super) static NOTRACK: ExtensionType = ExtensionType {
    about: "the old name of CT --notrack",
    notes: "The same as -j CT --notrack; this target has no options.\n",
    new: || Box::new(Notrack { notrack: true }),
    ..ExtensionType::flat::<Notrack>("NOTRACK", target::NOTRACK)
};

nest! {
    struct Notrack: target {
        notrack: bool = NOTRACK => "--notrack";
    }
}

impl Extension for Notrack {
    fn kind(&self) -> &'static ExtensionType {
        &CT
    }

    fn list(&self) -> String {
        " CT notrack".to_owned()
    }
}
