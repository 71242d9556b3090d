// SPDX-License-Identifier: GPL-2.0

//! Rules as -L prints them: in the tables of iptables.

use crate::{
    fields::Negatable,
    rules::model::{
        address::Network,
        chain::Chain,
        command::Display,
        extension::Extension,
        family::Family,
        policy::Policy,
        protocol,
        rule::{Counters, Rule},
    },
    text::printable,
};

/// The tables of chains.
pub(crate) fn table(chains: &[Chain], display: &Display) -> String {
    let tables: Vec<String> = chains
        .iter()
        .map(|chain| chain_table(chain, display))
        .collect();
    tables.join("\n")
}

fn chain_table(chain: &Chain, display: &Display) -> String {
    let mut text = format!("Chain {} (", printable(&chain.name));
    match &chain.policies {
        Some(policies) => {
            let shown = policies.shown(display.family);
            let are_apart = shown.len() > 1;
            let policy = |(family, policy): (Option<Family>, Policy)| {
                let mut text = policy.verdict.name().to_owned();
                if display.verbose {
                    let Counters { packets, bytes } = policy.counters;
                    text += &format!(
                        " {} packets, {} bytes",
                        number(packets, display.exact),
                        number(bytes, display.exact)
                    );
                }
                if let Some(family) = family.filter(|_| are_apart) {
                    text += &format!(" for {}", family.name());
                }
                text
            };
            let policies: Vec<String> = shown.into_iter().map(policy).collect();
            text += &format!("policy {}", policies.join(", "));
        }
        None => text += &format!("{} references", chain.references),
    }
    text += ")\n";
    text += &header(display);
    for (position, rule) in &chain.rules {
        text += &rule_line(*position, rule, display);
    }
    text
}

fn header(display: &Display) -> String {
    let mut text = String::new();
    if display.line_numbers {
        text += "num  ";
    }
    if display.verbose {
        text += &counter_columns("pkts", "bytes", display.exact);
    }
    text += "target     prot opt";
    if display.verbose {
        text += " in     out    ";
    }
    text += &format!(" {:<19}  {:<19} ", "source", "destination");
    text + "\n"
}

fn rule_line(position: u32, rule: &Rule, display: &Display) -> String {
    let mut text = String::new();
    if display.line_numbers {
        text += &format!("{position:<4} ");
    }
    if display.verbose {
        let Counters { packets, bytes } = rule.counters;
        let (packets, bytes) = (number(packets, display.exact), number(bytes, display.exact));
        text += &counter_columns(&packets, &bytes, display.exact);
    }
    let target = rule.target.as_deref();
    let target_name = printable(target.map_or("", |target| target.name()));
    let (mark, protocol) = match &rule.protocol {
        Some(protocol) => (protocol.mark(), protocol::name(protocol.value)),
        None => ("", "all".to_owned()),
    };
    // A mark takes the place of the blank before what it inverts.
    let or_blank = |mark: &'static str| if mark.is_empty() { " " } else { mark };
    let options = match rule.fragment {
        None => "--",
        Some(true) => "-f",
        Some(false) => "!f",
    };
    text += &format!("{target_name:<9} {}{protocol:<5}{options} ", or_blank(mark));
    if display.verbose {
        let incoming = interface(rule.in_interface.as_ref());
        let outgoing = interface(rule.out_interface.as_ref());
        text += &format!(" {incoming:<6} {outgoing:<6} ");
    }
    let (source_mark, source) = address(rule.source.as_ref(), rule.family);
    let (destination_mark, destination) = address(rule.destination.as_ref(), rule.family);
    text += &format!("{}{source:<19} ", or_blank(source_mark));
    text += &format!("{}{destination:<19} ", or_blank(destination_mark));
    if target.is_some_and(|target| target.target_option() == "-g") {
        text += "[goto] ";
    }
    for extension in &rule.matches {
        text += &extension.list();
    }
    if let Some(target) = target {
        text += &target.list();
    }
    text + "\n"
}

/// The cell of an interface.
pub(crate) fn interface(interface: Option<&Negatable<String>>) -> String {
    interface.map_or("*".to_owned(), |interface| {
        format!("{}{}", interface.mark(), printable(&interface.value))
    })
}

/// The cell of an address, and the mark before it.
pub(crate) fn address(
    network: Option<&Negatable<Network>>,
    family: Option<Family>,
) -> (&'static str, String) {
    match (network, family) {
        (Some(network), _) if network.value.is_host() => {
            (network.mark(), network.value.address().to_string())
        }
        (Some(network), _) => (network.mark(), network.value.to_string()),
        (None, Some(Family::Ipv4)) => ("", "0.0.0.0/0".to_owned()),
        (None, Some(Family::Ipv6)) => ("", "::/0".to_owned()),
        (None, None) => ("", "any".to_owned()),
    }
}

fn counter_columns(packets: &str, bytes: &str, exact: bool) -> String {
    if exact {
        format!("{packets:>8} {bytes:>10} ")
    } else {
        format!("{packets:>5} {bytes:>5} ")
    }
}

/// A counter as iptables prints it: in thousands, millions and so on, unless it is to be exact.
fn number(count: u64, exact: bool) -> String {
    if exact || count <= 99_999 {
        return count.to_string();
    }
    let mut count = count;
    for suffix in ["K", "M", "G"] {
        count = count.saturating_add(500) / 1000;
        if count <= 9999 {
            return format!("{count}{suffix}");
        }
    }
    format!("{}T", count.saturating_add(500) / 1000)
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn counters_are_rounded_as_in_iptables() {
        assert_eq!(number(99_999, false), "99999");
        assert_eq!(number(100_000, false), "100K");
        assert_eq!(number(9_999_499, false), "9999K");
        assert_eq!(number(9_999_500, false), "10M");
        assert_eq!(number(12_345_678_901, false), "12G");
        assert_eq!(number(u64::MAX, false), "18446744T");
        assert_eq!(number(12_345_678_901, true), "12345678901");
    }
}
