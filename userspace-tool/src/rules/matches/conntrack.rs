// SPDX-License-Identifier: GPL-2.0

//! `-m conntrack`: what connection tracking says of a packet; and `-m state`, its old name.

use std::rc::Rc;

use serde_json::{Value, json};

use crate::{
    error::{Error, suggestion},
    netlink::{
        Attribute, Writer,
        spec::attribute::{conntrack as attribute, r#match},
    },
    rules::model::{
        extension::{Extension, ExtensionOption, ExtensionType, Given, set_once},
        rule::Negatable,
    },
};

pub(super) static TYPE: ExtensionType = ExtensionType {
    name: "conntrack",
    help: "\
[!] --ctstate STATE,..                        one of these is true: INVALID, NEW, ESTABLISHED, RELATED,
                                              UNTRACKED, SNAT, DNAT
",
    options: &[ExtensionOption::value(&["ctstate"]).negatable()],
    attribute: r#match::CONNTRACK,
    new: || Box::new(Conntrack::new("ctstate", &STATES)),
    decode: |nest| Ok(Rc::new(Conntrack::decode(nest)?)),
};

pub(super) static STATE: ExtensionType = ExtensionType {
    name: "state",
    help: "\
[!] --state STATE,..                          the same as -m conntrack --ctstate, without SNAT and DNAT
",
    options: &[ExtensionOption::value(&["state"]).negatable()],
    attribute: r#match::CONNTRACK,
    new: || {
        let [states @ .., _, _] = &STATES;
        Box::new(Conntrack::new("state", states))
    },
    decode: TYPE.decode,
};

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

#[derive(Debug)]
struct Conntrack {
    /// The option that says which states are wanted.
    option: &'static str,
    known: &'static [State],
    states: Option<Negatable<u32>>,
}

impl Conntrack {
    fn new(option: &'static str, known: &'static [State]) -> Self {
        Self {
            option,
            known,
            states: None,
        }
    }

    fn decode(nest: &Attribute<'_>) -> Result<Self, Error> {
        let (mut value, mut inverted) = (0, false);
        for attribute in nest.nested() {
            let attribute = attribute?;
            match attribute.kind {
                attribute::STATES => value = attribute.u32()?,
                attribute::STATES_INVERT => inverted = true,
                _ => {}
            }
        }
        Ok(Self {
            states: Some(Negatable { inverted, value }),
            ..Self::new("ctstate", &STATES)
        })
    }

    fn parse(&self, text: &str) -> Result<u32, String> {
        let mut states = 0;
        for word in text.split(',') {
            let mut known = self.known.iter();
            // As in iptables, the beginning of a name will do: no two begin with the same letter.
            let is_meant = |name: &str| {
                let beginning = name.get(..word.len()).filter(|_| !word.is_empty());
                beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(word))
            };
            match known.find(|(name, _)| is_meant(name)) {
                Some((_, bit)) => states |= bit,
                None => {
                    let known: Vec<&str> = self.known.iter().map(|(name, _)| *name).collect();
                    return Err(format!(
                        "there is no state \"{word}\": {}",
                        suggestion(&word.to_uppercase(), &known)
                    ));
                }
            }
        }
        Ok(states)
    }

    fn states(&self) -> Negatable<u32> {
        self.states.unwrap_or(Negatable {
            inverted: false,
            value: 0,
        })
    }

    fn names(&self) -> Vec<&'static str> {
        let wanted = self.states().value;
        STATES
            .iter()
            .filter(|(_, bit)| wanted & bit != 0)
            .map(|(name, _)| *name)
            .collect()
    }
}

impl Extension for Conntrack {
    fn name(&self) -> &'static str {
        TYPE.name
    }

    fn option(&mut self, given: &Given<'_>) -> Result<(), String> {
        let states = Negatable {
            inverted: given.inverted,
            value: self.parse(given.value())?,
        };
        set_once(&mut self.states, states)
    }

    fn check(&mut self, _protocol: Option<&Negatable<u8>>) -> Result<(), String> {
        match self.states {
            Some(_) => Ok(()),
            None => Err(format!("needs --{}", self.option)),
        }
    }

    fn save(&self) -> String {
        let states = self.names().join(",");
        format!(" {}--ctstate {states}", self.states().prefix())
    }

    fn list(&self) -> String {
        let states = self.names().join(",");
        format!(" {}ctstate {states}", self.states().prefix())
    }

    fn json(&self) -> Value {
        json!({ "states": self.names(), "inverted": self.states().inverted })
    }

    fn encode(&self, request: &mut Writer) {
        let states = self.states();
        request.nested(TYPE.attribute, |nest| {
            let label = format!("--{} {}", self.option, self.names().join(","));
            nest.labelled(label, |nest| {
                nest.u32(attribute::STATES, states.value);
                if states.inverted {
                    nest.flag(attribute::STATES_INVERT);
                }
            });
        });
    }
}
