// SPDX-License-Identifier: GPL-2.0

//! One reading of what the module counts.

use std::{collections::HashMap, time::Instant};

use crate::{
    error::Error,
    lists::{self, List},
    netlink,
    protect::{self, Row, Server},
    rules::{Chain, Counters, Session, save_rule},
};

/// What the module had counted at a time.
pub(super) struct Sample {
    pub(super) at: Instant,
    /// Milliseconds since 1970.
    pub(super) time: u64,
    pub(super) ports: Vec<Port>,
    pub(super) rules: Vec<Rule>,
    pub(super) lists: Vec<List>,
}

/// What makes a rule the same in two samples, though others came or went before it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Identity {
    pub(super) table: String,
    pub(super) chain: String,
    /// As -S prints it.
    pub(super) text: String,
    /// How many rules before it in the chain are the same.
    nth: usize,
}

/// A rule, and what it has counted.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) identity: Identity,
    pub(super) position: u32,
    pub(super) counters: Counters,
}

/// A rule that protects ports, and what it and its servers have counted.
#[derive(Clone, Debug)]
pub(super) struct Port {
    pub(super) identity: Identity,
    pub(super) position: u32,
    pub(super) address: String,
    /// Where the rule is for all interfaces, none.
    pub(super) interface: Option<String>,
    pub(super) ports: String,
    /// The port, if it is one.
    pub(super) only: Option<u16>,
    /// Whether the rule answers with cookies during floods only.
    pub(super) when_flooded: bool,
    pub(super) counts: Counts<u64>,
}

/// Counters of a protected port, or their rates.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Counts<T> {
    pub(super) syns: T,
    pub(super) cookies_sent: T,
    pub(super) cookies_valid: T,
    pub(super) cookies_invalid: T,
    pub(super) opened: T,
    pub(super) refused: T,
    pub(super) unanswered: T,
    pub(super) out_of_flow: T,
}

impl<T> Counts<T> {
    /// Their names, in the order of [`Counts::values`].
    pub(super) const NAMES: [&'static str; 8] = [
        "syns",
        "cookies_sent",
        "cookies_valid",
        "cookies_invalid",
        "opened",
        "refused",
        "unanswered",
        "out_of_flow",
    ];

    pub(super) fn values(self) -> [T; 8] {
        [
            self.syns,
            self.cookies_sent,
            self.cookies_valid,
            self.cookies_invalid,
            self.opened,
            self.refused,
            self.unanswered,
            self.out_of_flow,
        ]
    }

    /// What [`Counts::values`] takes apart.
    pub(super) fn of(values: [T; 8]) -> Self {
        let [
            syns,
            cookies_sent,
            cookies_valid,
            cookies_invalid,
            opened,
            refused,
            unanswered,
            out_of_flow,
        ] = values;
        Self {
            syns,
            cookies_sent,
            cookies_valid,
            cookies_invalid,
            opened,
            refused,
            unanswered,
            out_of_flow,
        }
    }
}

/// Read the counters of this network namespace.
pub(super) fn take() -> Result<Sample, Error> {
    // Asking often must not bring back a module that was unloaded.
    if !netlink::is_loaded() {
        return Err(Error::NotLoaded(
            "there is nothing to show until a rule is made, or palisade protect has made one"
                .to_owned(),
        ));
    }
    let chains = Session::open(None)?.chains(None, None, None)?;
    let servers = protect::servers()?;
    let lists = lists::lists()?;
    Ok(Sample::of(&chains, &servers, lists))
}

impl Sample {
    /// The sample that these answers of the kernel make, which are from now.
    pub(super) fn of(chains: &[Chain], servers: &[Server], lists: Vec<List>) -> Self {
        let mut rules = Vec::new();
        let mut ports = Vec::new();
        for chain in chains {
            let before = rules.len();
            add_rules(chain, &mut rules);
            let own = rules.get(before..).unwrap_or_default();
            for row in protect::rows(std::slice::from_ref(chain), servers) {
                let same = |rule: &&Rule| rule.position == row.protection.position;
                ports.extend(own.iter().find(same).map(|rule| port(rule, &row)));
            }
        }
        Self {
            at: Instant::now(),
            time: lists::now(),
            ports,
            rules,
            lists,
        }
    }
}

fn add_rules(chain: &Chain, rules: &mut Vec<Rule>) {
    let mut seen = HashMap::<String, usize>::new();
    for (position, rule) in &chain.rules {
        let text = save_rule(&chain.name, rule, false);
        let count = seen.entry(text.clone()).or_default();
        let nth = *count;
        *count += 1;
        rules.push(Rule {
            identity: Identity {
                table: chain.table.to_string(),
                chain: chain.name.clone(),
                text,
                nth,
            },
            position: *position,
            counters: rule.counters,
        });
    }
}

fn port(rule: &Rule, row: &Row<'_>) -> Port {
    let protection = &row.protection;
    let statistics = protection.synproxy.statistics();
    let interface = protection.rule.in_interface.as_ref();
    Port {
        identity: rule.identity.clone(),
        position: rule.position,
        address: protect::shown_address(protection.rule),
        interface: interface.map(|_| protect::shown_interface(protection.rule)),
        ports: protection.ports.to_string(),
        only: protection.ports.only(),
        when_flooded: protection.synproxy.when_flooded.is_some(),
        counts: Counts {
            syns: statistics.syns,
            cookies_sent: statistics.cookies_sent,
            cookies_valid: statistics.cookies_valid,
            cookies_invalid: statistics.cookies_invalid,
            opened: row.opened(),
            refused: row.refused(),
            unanswered: row.unanswered(),
            out_of_flow: statistics.out_of_flow,
        },
    }
}
