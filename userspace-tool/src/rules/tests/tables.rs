// SPDX-License-Identifier: GPL-2.0

//! The tables of options, and the words that attributes stand for.

use std::collections::BTreeSet;

use super::{parse, rules, saved};
use crate::{
    netlink::Writer,
    rules::{matches, model::command::Command, targets, wire},
};

#[test]
fn tables_name_what_they_have() {
    for kind in matches::ALL.iter().chain(targets::ALL) {
        let options = kind.options;
        let has_name = |name: &&str| options.iter().any(|option| option.name() == *name);
        let has_field = |field: &&str| options.iter().any(|option| option.field == *field);
        for option in options {
            let mut others = option.goes_with.iter().chain(&option.needs);
            assert!(others.all(has_name), "{} --{}", kind.name, option.name());
        }
        let conflict = kind.conflict.map(|(field, _)| field);
        let mut fields = kind.required.into_iter().chain(conflict);
        assert!(fields.all(|field| has_field(&field)), "{}", kind.name);
        let names: Vec<&str> = options
            .iter()
            .flat_map(|option| option.all_names())
            .collect();
        let different: BTreeSet<&str> = names.iter().copied().collect();
        assert_eq!(names.len(), different.len(), "{}", kind.name);
    }
}

#[test]
fn help_says_every_option() {
    for kind in matches::ALL.iter().chain(targets::ALL) {
        let help = kind.help();
        for option in kind.options {
            assert!(help.contains(&format!("--{}", option.name())), "{help}");
        }
        assert!(help.lines().all(|line| line.len() <= 110), "{help}");
    }
}

#[test]
fn matches_and_targets_say_what_they_are_for() {
    for kind in matches::ALL.iter().chain(targets::ALL) {
        assert!(!kind.about.is_empty(), "{} needs `about`", kind.name);
        for example in kind.examples {
            let (_, rules) = rules(&example.replace('\'', "\""));
            let has_it = saved(&example.replace('\'', "\""))
                .concat()
                .contains(kind.name);
            assert!(has_it && !rules.is_empty(), "{example}");
        }
    }
}

#[test]
fn the_overview_names_them_all() {
    let Ok(Command::Print(help)) = parse("--help").map(|invocation| invocation.command) else {
        panic!("no help");
    };
    let first_words: BTreeSet<&str> = help
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    for kind in matches::ALL.iter().chain(targets::ALL) {
        assert!(first_words.contains(kind.name), "{}", kind.name);
    }
    assert!(help.lines().all(|line| line.len() <= 100), "{help}");
}

#[test]
fn attributes_stand_for_their_options() {
    for (options, expected) in [
        (
            "! -i lo -m recent ! --update --seconds 9 --hitcount 2 --rdest --mask ffff::",
            &[
                "! -i lo",
                "-m recent",
                "--name DEFAULT",
                "--update",
                "--seconds 9",
                "--hitcount 2",
                "--rdest",
                "--mask ffff::",
            ][..],
        ),
        (
            "-p tcp --dport 80 ! --syn",
            &[
                "-p tcp",
                "-m tcp",
                "--dport 80",
                "--tcp-flags FIN,SYN,RST,ACK SYN",
            ],
        ),
        (
            "-p udp -m multiport ! --ports 1,5:7 -j LOG --log-uid --log-tcp-options",
            &[
                "-p udp",
                "-m multiport",
                "--ports 1,5:7",
                "-j LOG",
                "--log-tcp-options --log-uid",
            ],
        ),
        (
            "-m connlimit ! --connlimit-above 3 --connlimit-daddr -m limit --limit-burst 9",
            &[
                "-m connlimit",
                "--connlimit-upto 3",
                "--connlimit-daddr",
                "-m limit",
                "--limit 3/hour",
                "--limit-burst 9",
            ],
        ),
        (
            "-p tcp -j SYNPROXY --mss 5 --ecn --when-flooded 7/8",
            &[
                "-p tcp",
                "-j SYNPROXY",
                "--mss 5",
                "--ecn",
                "--when-flooded 7/8",
            ],
        ),
        (
            "-p tcp -j REJECT --reject-with tcp-rst",
            &["-p tcp", "-j REJECT", "--reject-with tcp-reset"],
        ),
        (
            "-m comment --comment x -j NOTRACK",
            &["-m comment", "-j CT"],
        ),
        ("-s 192.0.2.0/24 -g web", &["-s 192.0.2.0/24", "-g web"]),
    ] {
        let (_, rules) = rules(&format!("-A INPUT {options}"));
        let mut request = Writer::default();
        wire::encode_rule(&rules[0], &mut request);
        let labels = (0..request.len()).filter_map(|offset| request.label_at(offset));
        let labels: BTreeSet<&str> = labels.collect();
        assert_eq!(labels, expected.iter().copied().collect(), "{options}");
    }
}
