// SPDX-License-Identifier: GPL-2.0

//! `-m conntrack`: what connection tracking says of a packet; and `-m state`, its old name.

use std::fmt;

use super::named_bits::{self, NamedBit};
use crate::{
    fields::{Negatable, nest, plain},
    netlink::spec::attribute::r#match,
    rules::model::{
        extension::{Extension, ExtensionType},
        options::{options, parsed},
    },
};

/// The match `conntrack`.
pub(super) static TYPE: ExtensionType = ExtensionType {
    about: "what connection tracking says of a packet",
    options: options!(Conntrack {
        [!] "ctstate": "STATE,.." => states: parsed(|text| States::parse(text, &STATES)),
            among || named_bits::names(u32::MAX, &STATES), "the connection has one of these states";
    }),
    required: Some("states"),
    examples: &["-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"],
    ..ExtensionType::nested::<Conntrack>("conntrack", r#match::CONNTRACK)
};

/// The match `state`.
pub(super) static STATE: ExtensionType = ExtensionType {
    about: "the old name of conntrack",
    options: options!(Conntrack {
        [!] "state": "STATE,.." => states: parsed(|text| States::parse(text, without_nat())),
            among || named_bits::names(u32::MAX, without_nat()), "the same as -m conntrack --ctstate, without SNAT and DNAT";
    }),
    required: Some("states"),
    examples: &["-A INPUT -m state --state INVALID -j DROP"],
    ..ExtensionType::nested::<Conntrack>("state", r#match::CONNTRACK)
};

nest! {
    struct Conntrack: conntrack {
        states: Negatable<States> = STATES ! STATES_INVERT => "--ctstate",
            or Negatable::plain(States(0));
    }
}

static STATES: [NamedBit; 7] = [
    ("INVALID", 1),
    ("NEW", 2),
    ("RELATED", 8),
    ("ESTABLISHED", 4),
    ("UNTRACKED", 16),
    ("SNAT", 32),
    ("DNAT", 64),
];

/// Those that iptables' match `state` knows.
fn without_nat() -> &'static [NamedBit] {
    let [known @ .., _, _] = &STATES;
    known
}
/// The bits of states.
#[derive(Clone, Copy, Debug)]
struct States(u32);

impl States {
    fn parse(text: &str, known: &[NamedBit]) -> Result<Self, String> {
        named_bits::parse(text, "state", known).map(Self)
    }

    fn names(self) -> Vec<&'static str> {
        named_bits::names(self.0, &STATES)
    }
}

impl fmt::Display for States {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.names().join(","))
    }
}

plain! {
    States: u32() as States, |this| u32(this.0), this.names();
}

impl Extension for Conntrack {
    fn kind(&self) -> &'static ExtensionType {
        &TYPE
    }

    fn list(&self) -> String {
        format!(" {}ctstate {}", self.states.prefix(), self.states.value)
    }
}
