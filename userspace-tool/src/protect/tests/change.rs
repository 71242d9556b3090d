// SPDX-License-Identifier: GPL-2.0

//! What is added and removed.

use super::{CHAIN, Chain, ProtectCommand, chain_of, request};
use crate::{
    protect::change::{additions, removed},
    rules::save_rule,
};

/// The rules that are added to a chain, and how many warnings there are.
fn added(chain: &Chain, words: &str) -> (Vec<String>, usize) {
    let Ok(ProtectCommand::Add(wanted)) = request(words) else {
        panic!("{words}: asks for no rule");
    };
    let chains = [chain.clone()];
    let additions = additions(&chains, &wanted);
    let changes = additions.changes.iter();
    let rules = changes.filter_map(|change| Some(save_rule(CHAIN, change.rule?, false)));
    (rules.collect(), additions.warnings.len())
}

/// The rules that are removed from a chain, or what is said instead.
fn gone(chain: &Chain, words: &str) -> Result<Vec<String>, String> {
    let Ok(ProtectCommand::Remove {
        endpoints,
        interface,
    }) = request(&format!("--remove {words}"))
    else {
        panic!("{words}: removes nothing");
    };
    let chains = [chain.clone()];
    match removed(&chains, &endpoints, interface.as_deref()) {
        Ok(rules) => Ok(rules
            .iter()
            .map(|rule| save_rule(CHAIN, rule, true))
            .collect()),
        Err(error) => {
            assert_eq!(error.exit_status(), 1);
            Err(error.to_string())
        }
    }
}

#[test]
fn what_is_there_is_not_added() {
    let chain = chain_of(&[
        "-p tcp --dport 80 -j SYNPROXY -c 5 6",
        "-p udp --dport 443 -j ACCEPT",
    ]);
    assert_eq!(added(&chain, "80"), (vec![], 0));
    let rule = "-A PREROUTING -p tcp -m tcp --dport 443 -j SYNPROXY";
    assert_eq!(added(&chain, "80 443"), (vec![rule.to_owned()], 0));
    let (rules, warnings) = added(&chain, "-i eth0 80");
    assert_eq!((rules.len(), warnings), (1, 1));
    let (rules, warnings) = added(&chain, "--when-flooded 7 80 192.0.2.1:80");
    assert_eq!((rules.len(), warnings), (2, 1));
}

#[test]
fn what_protects_the_endpoint_is_removed() {
    let chain = chain_of(&[
        "-p tcp --dport 80 -j SYNPROXY -c 5 6",
        "-i eth0 -p tcp --dport 80 -j SYNPROXY --when-flooded 9",
        "-d 192.0.2.1 -p tcp --dport 80 -j SYNPROXY",
        "-d 192.0.2.0/24 -p tcp --dport 80 -j SYNPROXY",
        "! -d 192.0.2.2 -p tcp --dport 80 -j SYNPROXY",
        "-4 -p tcp --dport 80 -j SYNPROXY",
        "-p tcp --dport 80:81 -j SYNPROXY",
        "-p tcp --dport 80 -j ACCEPT",
        "-d 2001:db8::1 -p tcp --dport 443 -j SYNPROXY",
    ]);
    let rules = |lines: &[&str]| -> Vec<String> {
        let rules = chain_of(lines).rules;
        let saved = rules.iter().map(|(_, rule)| save_rule(CHAIN, rule, true));
        saved.collect()
    };
    let plain = "-p tcp --dport 80 -j SYNPROXY";
    let inside = "-i eth0 -p tcp --dport 80 -j SYNPROXY --when-flooded 9";
    let one = "-d 192.0.2.1 -p tcp --dport 80 -j SYNPROXY";
    let six = "-d 2001:db8::1 -p tcp --dport 443 -j SYNPROXY";
    for (words, lines) in [
        ("80", &[plain, inside][..]),
        ("-i eth0 80", &[inside]),
        ("192.0.2.1:80", &[one]),
        ("[2001:db8::1]:443 192.0.2.1:80", &[six, one]),
    ] {
        assert_eq!(gone(&chain, words), Ok(rules(lines)), "{words}");
    }
    for (words, what) in [
        ("80 443", "443 is not protected"),
        ("192.0.2.2:80", "192.0.2.2:80 is not protected"),
        ("[2001:db8::1]:80", "[2001:db8::1]:80 is not protected"),
        ("-i eth1 80", "80 is not protected on eth1"),
    ] {
        let expected = format!("protect: {what}: palisade protect --status shows what is");
        assert_eq!(gone(&chain, words), Err(expected), "{words}");
    }
}
