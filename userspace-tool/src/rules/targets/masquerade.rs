// SPDX-License-Identifier: GPL-2.0

//! `-j MASQUERADE`: have a connection come from this machine.

use super::to_ports::ToPorts;
use crate::{
    fields::{Fields, nest},
    netlink::spec::attribute::target,
    rules::model::{
        extension::{Extension, ExtensionType, RuleContext},
        options::{is, options},
    },
};

/// The target `MASQUERADE`.
pub(super) static TYPE: ExtensionType = ExtensionType {
    about: "have the connection come from this machine",
    options: options!(Masquerade {
        [] "to-ports": "PORT[-PORT]" => ports: ToPorts::given,
            "from this port or one of these, with -p tcp or another protocol that has \
             ports; from its own port if not given and if that is free";
        [] "random" => random: is(true), "from a port that is chosen at random";
        [] "random-fully" => random_fully: is(true), "the same";
    }),
    notes: "\
The target is for POSTROUTING of the table nat (-t nat). The address is one of the interface that the
connection goes out by, as it is then; connections are forgotten when the address or the interface goes.
",
    examples: &["-t nat -A POSTROUTING -o eth0 -j MASQUERADE"],
    ..ExtensionType::nested::<Masquerade>("MASQUERADE", target::MASQUERADE)
};

nest! {
    struct Masquerade: nat {
        ports: ToPorts = (PORT_FIRST, PORT_LAST) => "--to-ports", unless ToPorts(None);
        random: bool = RANDOM => "--random";
        random_fully: bool = RANDOM_FULLY => "--random-fully";
    }
}

impl Extension for Masquerade {
    fn kind(&self) -> &'static ExtensionType {
        &TYPE
    }

    fn check(&mut self, rule: &RuleContext<'_>) -> Result<(), String> {
        self.ports.check("--to-ports", rule)
    }

    fn list(&self) -> String {
        self.save()
            .replace("--to-ports ", "masq ports: ")
            .replace(" --", " ")
    }
}
