// SPDX-License-Identifier: GPL-2.0

//! The two rules of a limit: one drops who was there too often, the other remembers who comes.

use std::{fmt, str::FromStr};

use super::CHAIN;
use crate::{
    error::Error,
    lists::duration,
    netlink::spec::HITS_MAX,
    protect::{Endpoint, Ports},
    rules::{self, Chain, Counters, Names, Rule, Visits},
    text::number,
};

/// How many connections in how many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rate {
    pub(super) hits: u32,
    pub(super) seconds: u32,
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (hits, time) = text
            .split_once('/')
            .ok_or("how many connections in which time is such as 4/1m")?;
        let hits = number(hits)
            .filter(|hits| (1..=HITS_MAX).contains(hits))
            .ok_or_else(|| format!("the number of connections is from 1 to {HITS_MAX}"))?;
        let milliseconds = duration::parse(time)?;
        let seconds = u32::try_from(milliseconds / 1000).ok();
        match seconds.filter(|seconds| *seconds > 0 && milliseconds % 1000 == 0) {
            Some(seconds) => Ok(Self { hits, seconds }),
            None => Err("the time is of whole seconds".to_owned()),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = duration::Exact(u64::from(self.seconds) * 1000);
        write!(out, "{}/{time}", self.hits)
    }
}

/// A limit of a port.
#[derive(Debug)]
pub(super) struct Limit {
    pub(super) endpoint: Endpoint,
    pub(super) rate: Rate,
    pub(super) list: String,
    /// Whether the addresses of a network count together.
    pub(super) by_network: bool,
}

impl Limit {
    /// The list of those that have no limit.
    pub(super) fn allow_list(&self) -> String {
        allow_list(&self.list)
    }

    /// The rules, in order.
    pub(super) fn rules(&self, names: &dyn Names) -> Result<Vec<Rule>, Error> {
        let (seconds, hits) = (self.rate.seconds.to_string(), self.rate.hits.to_string());
        let dropping = [
            "--update",
            "--seconds",
            &seconds,
            "--hitcount",
            &hits,
            "-j",
            "DROP",
        ];
        let mut all = Vec::new();
        for last in [&dropping[..], &["--set"]] {
            let mut words: Vec<String> = ["-t", "mangle", "-A", CHAIN, "-p", "tcp"]
                .map(str::to_owned)
                .into();
            let mut extend = |more: &[&str]| words.extend(more.iter().map(|&word| word.to_owned()));
            if let Some(address) = self.endpoint.address {
                extend(&["-d", &address.to_string()]);
            }
            extend(&["--dport", &self.endpoint.port.to_string(), "--syn"]);
            extend(&["-m", "recent", "--name", &self.list]);
            if self.by_network {
                extend(&["--mask", "24,64"]);
            }
            extend(last);
            all.extend(rules::appended(words, names)?);
        }
        Ok(all)
    }
}

/// The list of those that a list has no limit for.
pub(super) fn allow_list(list: &str) -> String {
    format!("{list}-ALLOW")
}

/// A rule that drops who was there too often.
pub(super) struct Present<'a> {
    pub(super) rule: &'a Rule,
    pub(super) ports: Ports,
    pub(super) list: &'a str,
    pub(super) rate: Rate,
}

/// All limits of the chain, in order.
pub(super) fn present(chains: &[Chain]) -> impl Iterator<Item = Present<'_>> {
    let rules = chains.iter().flat_map(|chain| &chain.rules);
    rules.filter_map(|(_, rule)| {
        let visits = Visits::of(rule)?;
        let (true, true, Some(seconds), Some(hits)) =
            (rule.drops(), visits.is_update, visits.seconds, visits.hits)
        else {
            return None;
        };
        Some(Present {
            rule,
            ports: Ports::of(rule),
            list: visits.list,
            rate: Rate { hits, seconds },
        })
    })
}

/// The rules of the limits of an endpoint: those of its lists that are for it.
pub(super) fn rules_of(chains: &[Chain], endpoint: Endpoint) -> Vec<Rule> {
    let lists: Vec<&str> = (present(chains).filter(|limit| endpoint.is_of(limit.rule)))
        .map(|limit| limit.list)
        .collect();
    let rules = chains.iter().flat_map(|chain| &chain.rules);
    let is_meant = |rule: &Rule| {
        endpoint.is_of(rule) && Visits::of(rule).is_some_and(|visits| lists.contains(&visits.list))
    };
    rules
        .filter(|(_, rule)| is_meant(rule))
        .map(|(_, rule)| Rule {
            counters: Counters::default(),
            ..rule.clone()
        })
        .collect()
}
