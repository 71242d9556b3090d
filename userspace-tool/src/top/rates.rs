// SPDX-License-Identifier: GPL-2.0

//! What happened from one sample to the next, per second.

use std::{collections::HashMap, time::Duration};

use super::{
    history::History,
    sample::{Counts, Identity, Port, Rule, Sample},
};

/// The shortest time that rates are worked out over.
const ELAPSED_MIN: Duration = Duration::from_millis(1);

/// So many cookies a second, most of which do not come back, are a flood.
const FLOOD_COOKIES: f64 = 10.0;

/// Two samples, compared.
#[derive(Default)]
pub(super) struct Frame {
    /// Between the samples; none if there is one sample yet.
    pub(super) elapsed: Option<Duration>,
    /// Those with the most SYNs a second come first.
    pub(super) ports: Vec<PortRates>,
    /// Those with the most packets a second come first.
    pub(super) rules: Vec<RuleRates>,
}

/// A protected port. It has no rates where it was not there before.
pub(super) struct PortRates {
    pub(super) port: Port,
    pub(super) rates: Option<Counts<f64>>,
    /// SYNs a second, the latest last.
    pub(super) history: Vec<f64>,
}

/// A rule, with its packets and bytes per second. It has no rates where it was not there before.
pub(super) struct RuleRates {
    pub(super) rule: Rule,
    pub(super) rates: Option<(f64, f64)>,
}

/// How much a counter has grown, per second. One that is less than before began anew meanwhile, from zero: a rule was
/// zeroed, or the module loaded again.
pub(super) fn per_second(before: u64, now: u64, elapsed: Duration) -> f64 {
    let grown = now.checked_sub(before).unwrap_or(now);
    grown as f64 / elapsed.max(ELAPSED_MIN).as_secs_f64()
}

impl Frame {
    /// Compare a sample with the one before it. The history gets the rates.
    pub(super) fn new(before: Option<&Sample>, now: &Sample, history: &mut History) -> Self {
        let elapsed = before.map(|before| now.at.saturating_duration_since(before.at));
        let mut ports = port_rates(before, now, elapsed.unwrap_or_default());
        let rates = ports.iter().map(|row| (&row.port.identity, row.rates));
        history.add(rates.map(|(identity, rates)| (identity, rates.map(|rates| rates.syns))));
        for row in &mut ports {
            row.history = history.of(&row.port.identity);
        }
        // Both sorts leave those that are equal in the order of the rules.
        ports.sort_by(|one, other| {
            let syns = |row: &PortRates| row.rates.map_or(0.0, |rates| rates.syns);
            syns(other).total_cmp(&syns(one))
        });
        let mut rules = rule_rates(before, now, elapsed.unwrap_or_default());
        rules.sort_by(|one, other| {
            let rates = |row: &RuleRates| row.rates.unwrap_or_default();
            let ((one_packets, one_bytes), (packets, bytes)) = (rates(one), rates(other));
            let by_rate = packets.total_cmp(&one_packets);
            by_rate
                .then(bytes.total_cmp(&one_bytes))
                .then((other.rule.counters.packets).cmp(&one.rule.counters.packets))
        });
        Self {
            elapsed,
            ports,
            rules,
        }
    }

    /// SYNs a second to all protected ports.
    pub(super) fn syns(&self) -> f64 {
        let rates = self.ports.iter().filter_map(|row| row.rates);
        rates.map(|rates| rates.syns).sum()
    }
}

impl PortRates {
    /// Whether most clients do not return the cookies that they get, or the module says that there is a flood: a rule
    /// with --when-flooded answers with cookies only then.
    pub(super) fn is_flooded(&self) -> bool {
        self.rates.is_some_and(|rates| {
            let few_return = rates.cookies_valid * 2.0 < rates.cookies_sent;
            let is_told = self.port.when_flooded && rates.cookies_sent > 0.0;
            is_told || rates.cookies_sent >= FLOOD_COOKIES && few_return
        })
    }
}

fn port_rates(before: Option<&Sample>, now: &Sample, elapsed: Duration) -> Vec<PortRates> {
    let before = before.map_or(&[][..], |before| &before.ports);
    let before = before.iter().map(|port| (&port.identity, port.counts));
    let before: HashMap<&Identity, Counts<u64>> = before.collect();
    let rates = |port: &Port| {
        let mut before = before.get(&port.identity)?.values().into_iter();
        let rate = |now| per_second(before.next().unwrap_or(now), now, elapsed);
        Some(Counts::of(port.counts.values().map(rate)))
    };
    let ports = now.ports.iter();
    ports
        .map(|port| PortRates {
            port: port.clone(),
            rates: rates(port),
            history: Vec::new(),
        })
        .collect()
}

fn rule_rates(before: Option<&Sample>, now: &Sample, elapsed: Duration) -> Vec<RuleRates> {
    let before = before.map_or(&[][..], |before| &before.rules);
    let before = before.iter().map(|rule| (&rule.identity, rule.counters));
    let before: HashMap<&Identity, _> = before.collect();
    let rules = now.rules.iter();
    rules
        .map(|rule| RuleRates {
            rates: before.get(&rule.identity).map(|before| {
                let rate = |before, now| per_second(before, now, elapsed);
                let now = rule.counters;
                (
                    rate(before.packets, now.packets),
                    rate(before.bytes, now.bytes),
                )
            }),
            rule: rule.clone(),
        })
        .collect()
}
