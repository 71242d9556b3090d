// SPDX-License-Identifier: GPL-2.0

//! From the rule on the command line to the rules that the kernel gets, one for each pair of a
//! source and a destination address.

use std::{net::IpAddr, rc::Rc};

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

/// One member of a list of addresses; a host name may stand for several networks.
struct Member<'a> {
    option: &'a str,
    text: &'a str,
    inverted: bool,
    networks: Vec<Network>,
}

impl Member<'_> {
    fn words(&self) -> String {
        words(self.option, self.text)
    }
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
    let sources = members(specification.source.as_ref(), claim.as_ref(), names)?;
    let destinations = members(specification.destination.as_ref(), claim.as_ref(), names)?;

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

/// What an address option stands for; without one there is nothing in it.
fn members<'a>(
    addresses: Option<&'a Addresses>,
    claim: Option<&Claim>,
    names: &dyn Names,
) -> Result<Vec<Member<'a>>, Error> {
    let Some(Addresses { option, list }) = addresses else {
        return Ok(Vec::new());
    };
    let members = list
        .value
        .split(',')
        .map(|text| {
            Ok(Member {
                option,
                text,
                inverted: list.inverted,
                networks: networks(option, text, claim, names)?,
            })
        })
        .collect::<Result<Vec<_>, Error>>()?;
    let count: usize = members.iter().map(|member| member.networks.len()).sum();
    if list.inverted && count > 1 {
        return Err(Error::usage(format!(
            "! {option} {}: ! goes with one address, these are {count}: use a rule for each",
            list.value
        )));
    }
    Ok(members)
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
    sources: &[Member<'_>],
    destinations: &[Member<'_>],
) -> Result<Vec<Rule>, Error> {
    let mut rules = Vec::new();
    let mut unused: Vec<&Member<'_>> = sources.iter().chain(destinations).collect();
    for (source, source_member) in choices(sources) {
        for (destination, destination_member) in choices(destinations) {
            let mut families = [&source, &destination]
                .into_iter()
                .flatten()
                .map(|network| network.value.family());
            let family = families.next();
            if families.any(|other| Some(other) != family) {
                continue;
            }
            rules.push(Rule {
                family: family.or(template.family),
                source: source.filter(restricts),
                destination: destination.filter(restricts),
                ..template.clone()
            });
            for used in [source_member, destination_member].into_iter().flatten() {
                unused.retain(|member| !std::ptr::eq(*member, used));
            }
        }
    }
    if let Some(member) = unused.first() {
        let is_source = sources.iter().any(|source| std::ptr::eq(source, *member));
        let others = if is_source { destinations } else { sources };
        let family = member
            .networks
            .first()
            .map_or(Family::Ipv4, Network::family);
        let words: Vec<String> = others.iter().map(Member::words).collect();
        return Err(contradiction(&member.words(), family, &words.join(" and ")));
    }
    Ok(rules)
}

/// Whether a network keeps a packet of its family from matching.
fn restricts(network: &Negatable<Network>) -> bool {
    network.inverted || !network.value.is_any()
}

/// The networks to choose from; if there are none, the only choice is not to have one.
fn choices<'a>(
    members: &'a [Member<'a>],
) -> Vec<(Option<Negatable<Network>>, Option<&'a Member<'a>>)> {
    if members.is_empty() {
        return vec![(None, None)];
    }
    members
        .iter()
        .flat_map(|member| {
            member.networks.iter().map(move |network| {
                let network = Negatable {
                    inverted: member.inverted,
                    value: *network,
                };
                (Some(network), Some(member))
            })
        })
        .collect()
}
