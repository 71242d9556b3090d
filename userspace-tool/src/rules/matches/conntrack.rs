// SPDX-License-Identifier: GPL-2.0

//! `-m conntrack`: what connection tracking says of a packet; and `-m state`, its old name.

use std::fmt;

use crate::{
    error::suggestion,
    fields::{Negatable, nest, plain},
    netlink::spec::attribute::r#match,
    rules::model::{
        extension::{Extension, ExtensionType},
        options::{options, parsed},
    },
};

/// The match `conntrack`.
pub(super) static TYPE: ExtensionType = ExtensionType {
    options: options!(Conntrack {
        [!] "ctstate": "STATE,.." => states: parsed(|text| States::parse(text, &STATES)),
            "one of these is true: INVALID, NEW, ESTABLISHED, RELATED,\nUNTRACKED, SNAT, DNAT";
    }),
    required: Some("states"),
    ..ExtensionType::nested::<Conntrack>("conntrack", r#match::CONNTRACK)
};

/// The match `state`.
pub(super) static STATE: ExtensionType = ExtensionType {
    options: options!(Conntrack {
        [!] "state": "STATE,.." => states: parsed(|text| {
            let [known @ .., _, _] = &STATES;
            States::parse(text, known)
        }),
            "the same as -m conntrack --ctstate, without SNAT and DNAT";
    }),
    required: Some("states"),
    ..ExtensionType::nested::<Conntrack>("state", r#match::CONNTRACK)
};

nest! {
    struct Conntrack: conntrack {
        states: Negatable<States> = STATES ! STATES_INVERT => "--ctstate",
            or Negatable::plain(States(0));
    }
}

/// A state, and the bit that stands for it.
type State = (&'static str, u32);

/// In the order in which iptables prints them.
static STATES: [State; 7] = [
    ("INVALID", 1),
    ("NEW", 2),
    ("RELATED", 8),
    ("ESTABLISHED", 4),
    ("UNTRACKED", 16),
    ("SNAT", 32),
    ("DNAT", 64),
];

/// The bits of states.
#[derive(Clone, Copy, Debug)]
struct States(u32);

impl States {
    fn parse(text: &str, known: &[State]) -> Result<Self, String> {
        let mut states = 0;
        for word in text.split(',') {
            // As in iptables, the start of a name will do: no two start with the same letter.
            let is_meant = |name: &str| {
                let start = name.get(..word.len()).filter(|_| !word.is_empty());
                start.is_some_and(|start| start.eq_ignore_ascii_case(word))
            };
            let state = known.iter().find(|(name, _)| is_meant(name));
            let (_, bit) = state.ok_or_else(|| {
                let known: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
                let suggestion = suggestion(&word.to_uppercase(), &known);
                format!("there is no state \"{word}\": {suggestion}")
            })?;
            states |= bit;
        }
        Ok(Self(states))
    }

    fn names(self) -> Vec<&'static str> {
        let wanted = STATES.iter().filter(|(_, bit)| self.0 & bit != 0);
        wanted.map(|(name, _)| *name).collect()
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
