// SPDX-License-Identifier: GPL-2.0

//! Rules as -S prints them: so that they can be given to palisade again.

use super::Chain;
use crate::{
    output::printable,
    rules::{
        extension::Extension,
        protocol,
        rule::{Counters, Family, Rule},
    },
};

/// A word so that a shell and iptables-restore read it as one.
pub(crate) fn quote(word: &str) -> String {
    let plain = |character: char| character.is_alphanumeric() || "_-.:/@%+,=".contains(character);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    let mut quoted = String::from("\"");
    for character in printable(word).chars() {
        if "\"\\$`".contains(character) {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted + "\""
}

fn save_counters(counters: Counters) -> String {
    format!(" -c {} {}", counters.packets, counters.bytes)
}

pub(crate) fn save_policy(chain: &Chain, with_counters: bool) -> String {
    let counters = with_counters.then(|| save_counters(chain.counters));
    format!(
        "-P {} {}{}",
        chain.name,
        chain.policy.name(),
        counters.unwrap_or_default()
    )
}

pub(crate) fn save_rule(chain: &str, rule: &Rule, with_counters: bool) -> String {
    format!("-A {}{}", quote(chain), specification(rule, with_counters))
}

/// A rule without its chain, with a space before each word.
fn specification(rule: &Rule, with_counters: bool) -> String {
    let mut text = String::new();
    if rule.family != rule.implied_family() {
        text += match rule.family {
            Some(Family::Ipv4) => " -4",
            Some(Family::Ipv6) => " -6",
            None => "",
        };
    }
    for (option, network) in [("-s", &rule.source), ("-d", &rule.destination)] {
        if let Some(network) = network {
            text += &format!(" {}{option} {}", network.prefix(), network.value);
        }
    }
    if let Some(interface) = &rule.in_interface {
        text += &format!(" {}-i {}", interface.prefix(), quote(&interface.value));
    }
    if let Some(protocol) = &rule.protocol {
        text += &format!(
            " {}-p {}",
            protocol.prefix(),
            protocol::name(protocol.value)
        );
    }
    for extension in &rule.matches {
        text += &format!(" -m {}{}", extension.name(), extension.save());
    }
    if with_counters {
        text += &save_counters(rule.counters);
    }
    if let Some(target) = &rule.target {
        text += &format!(" -j {}{}", target.name(), target.save());
    }
    text
}
