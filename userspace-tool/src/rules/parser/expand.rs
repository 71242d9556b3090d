// SPDX-License-Identifier: GPL-2.0

//! From the rule on the command line to the rules that the kernel gets, one for each pair of a
//! source and a destination address.

use std::{collections::HashSet, net::IpAddr, rc::Rc};

use super::specification::{Addresses, Specification};
use crate::{
    error::Error,
    fields::Negatable,
    rules::model::{
        address::{self, Network, full_mask},
        family::Family,
        names::Names,
        protocol,
        rule::Rule,
    },
    text::quote,
};

/// What the command line says about the family of a rule, and with which words.
struct Claim {
    family: Family,
    words: String,
}

/// A network of a list of addresses, and the words that it was given by.
struct Choice {
    network: Negatable<Network>,
    words: String,
}

/// How one member of a list was given.
fn words(option: &str, text: &str) -> String {
    format!("{option} {}", quote(text))
}

/// The rules that the specification stands for.
pub(crate) fn expand(specification: Specification, names: &dyn Names) -> Result<Vec<Rule>, Error> {
    let claim = family_claim(&specification)?;
    let family = match &claim {
        Some(claim) => Some(claim.family),
        None => specification
            .loaded()
            .find_map(|(_, one)| one.instance.default_family()),
    };
    let sources = choices(specification.source.as_ref(), claim.as_ref(), names)?;
    let destinations = choices(specification.destination.as_ref(), claim.as_ref(), names)?;

    let matches = specification.matches.into_iter();
    let template = Rule {
        family,
        protocol: specification.protocol,
        in_interface: specification.in_interface,
        out_interface: specification.out_interface,
        fragment: specification.fragment,
        matches: matches.map(|loaded| Rc::from(loaded.instance)).collect(),
        target: specification.target.map(|loaded| Rc::from(loaded.instance)),
        counters: specification.counters.unwrap_or_default(),
        ..Rule::default()
    };
    combine(&template, &sources, &destinations)
}

fn family_claim(specification: &Specification) -> Result<Option<Claim>, Error> {
    let by_option = specification.family.map(|family| Claim {
        family,
        words: family.option().to_owned(),
    });
    let by_protocol = specification
        .protocol
        .filter(|protocol| !protocol.inverted)
        .and_then(|protocol| {
            Some(Claim {
                family: protocol::family(protocol.value)?,
                words: format!("-p {}", protocol::name(protocol.value)),
            })
        });
    let by_extension = specification.loaded().filter_map(|(option, one)| {
        Some(Claim {
            family: one.instance.family()?,
            words: format!("{option} {}{}", one.kind.name, one.instance.save()),
        })
    });
    let claims = by_option.into_iter().chain(by_protocol);
    let mut claims = claims.chain(by_extension);
    let Some(one) = claims.next() else {
        return Ok(None);
    };
    match claims.find(|other| other.family != one.family) {
        Some(other) => Err(contradiction(&one.words, one.family, &other.words)),
        None => Ok(Some(one)),
    }
}

fn contradiction(words: &str, family: Family, others: &str) -> Error {
    Error::usage(format!(
        "{words} is for {} and {others} is for {}: no packet is both",
        family.name(),
        family.other().name()
    ))
}

/// The networks of an address option; none without one.
fn choices(
    addresses: Option<&Addresses>,
    claim: Option<&Claim>,
    names: &dyn Names,
) -> Result<Vec<Choice>, Error> {
    let Some(Addresses { option, list }) = addresses else {
        return Ok(Vec::new());
    };
    let mut choices = Vec::new();
    for text in list.value.split(',') {
        let networks = networks(option, text, claim, names)?.into_iter();
        choices.extend(networks.map(|value| Choice {
            network: Negatable {
                inverted: list.inverted,
                value,
            },
            words: words(option, text),
        }));
    }
    match choices.len() {
        count @ 2.. if list.inverted => Err(Error::usage(format!(
            "! {option} {}: ! goes with one address, these are {count}: use a rule for each",
            list.value
        ))),
        _ => Ok(choices),
    }
}

/// The networks that an address or a host name with an optional mask stands for.
fn networks(
    option: &str,
    text: &str,
    claim: Option<&Claim>,
    names: &dyn Names,
) -> Result<Vec<Network>, Error> {
    let error = |reason: String| Error::usage(format!("{}: {reason}", words(option, text)));
    let (host, mask) = match text.split_once('/') {
        Some((host, mask)) => (host, Some(mask)),
        None => (text, None),
    };
    let addresses = match address::parse_address(host) {
        Some(address) => {
            let family = address::family(address);
            if let Some(claim) = claim.filter(|claim| claim.family != family) {
                return Err(contradiction(
                    &claim.words,
                    claim.family,
                    &words(option, text),
                ));
            }
            vec![address]
        }
        None => resolve(host, claim, names).map_err(error)?,
    };
    addresses
        .into_iter()
        .map(|address| {
            let family = address::family(address);
            let mask = match mask {
                Some(mask) => address::parse_mask(mask, family)?,
                None => full_mask(family),
            };
            Network::new(address, mask).ok_or_else(|| "the mask is of another family".to_owned())
        })
        .collect::<Result<Vec<_>, String>>()
        .map_err(error)
}

fn resolve(host: &str, claim: Option<&Claim>, names: &dyn Names) -> Result<Vec<IpAddr>, String> {
    let like_address = host.contains(':')
        || host
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
    if like_address || host.is_empty() {
        return Err("this is neither an address nor the name of a host".to_owned());
    }
    let mut addresses = names
        .host(host)
        .map_err(|error| format!("cannot find the addresses of the host {host}: {error}"))?;
    if let Some(claim) = claim {
        addresses.retain(|address| address::family(*address) == claim.family);
    }
    if addresses.is_empty() {
        let kind = claim.map_or("", |claim| claim.family.name());
        return Err(format!("the host {host} has no {kind} address"));
    }
    Ok(addresses)
}

/// Every pair of a source and a destination of one family.
fn combine(
    template: &Rule,
    sources: &[Choice],
    destinations: &[Choice],
) -> Result<Vec<Rule>, Error> {
    let mut rules = Vec::new();
    let mut used = HashSet::new();
    for source in or_none(sources) {
        for destination in or_none(destinations) {
            let chosen = || source.into_iter().chain(destination);
            let mut families = chosen().map(|choice| choice.network.value.family());
            let family = families.next();
            if families.any(|other| Some(other) != family) {
                continue;
            }
            rules.push(Rule {
                family: family.or(template.family),
                source: source.and_then(Choice::restriction),
                destination: destination.and_then(Choice::restriction),
                ..template.clone()
            });
            used.extend(chosen().map(|choice| choice.words.as_str()));
        }
    }
    let unused = |choice: &&Choice| !used.contains(choice.words.as_str());
    let without_pair = match sources.iter().find(unused) {
        Some(source) => Some((source, destinations)),
        None => destinations.iter().find(unused).zip(Some(sources)),
    };
    let Some((choice, others)) = without_pair else {
        return Ok(rules);
    };
    let mut others: Vec<&str> = others.iter().map(|other| other.words.as_str()).collect();
    others.dedup();
    let family = choice.network.value.family();
    Err(contradiction(&choice.words, family, &others.join(" and ")))
}

impl Choice {
    /// The network, unless all packets of its family match.
    fn restriction(&self) -> Option<Negatable<Network>> {
        let Negatable { inverted, value } = self.network;
        (inverted || !value.is_any()).then_some(self.network)
    }
}

/// The choices; without any, the only choice is none.
fn or_none(choices: &[Choice]) -> impl Iterator<Item = Option<&Choice>> {
    let none = choices.is_empty().then_some(None);
    choices.iter().map(Some).chain(none)
}
