// SPDX-License-Identifier: GPL-2.0

//! What people type is read, or refused in one line.

use proptest::{collection::vec, prelude::*};

use super::{CHAIN, ProtectCommand, request};
use crate::{
    protect::endpoint::Endpoint,
    rules::{save_rule, tests::Fixed},
    text::printable,
};

/// The rules that are asked for.
fn rules(words: &str) -> Vec<String> {
    match request(words) {
        Ok(ProtectCommand::Add(rules)) => rules
            .iter()
            .map(|protector| save_rule(CHAIN, &protector.rule, false))
            .collect(),
        other => panic!("{words}: {other:?}"),
    }
}

#[test]
fn each_endpoint_makes_a_rule() {
    for (words, expected) in [
        ("80", &["-p tcp -m tcp --dport 80 -j SYNPROXY"][..]),
        (
            "ssh 443 22 192.0.2.1:ssh",
            &[
                "-p tcp -m tcp --dport 22 -j SYNPROXY",
                "-p tcp -m tcp --dport 443 -j SYNPROXY",
                "-d 192.0.2.1/32 -p tcp -m tcp --dport 22 -j SYNPROXY",
            ],
        ),
        (
            "-i eth+ [2001:db8::1]:65535 --when-flooded 100/200",
            &[
                "-d 2001:db8::1/128 -i eth+ -p tcp -m tcp --dport 65535 -j SYNPROXY \
               --when-flooded 100/200",
            ],
        ),
        (
            "--in-interface eth0 --when-flooded=5 1",
            &["-i eth0 -p tcp -m tcp --dport 1 -j SYNPROXY --when-flooded 5"],
        ),
        (
            "--window 0 --when-flooded 5 1",
            &["-p tcp -m tcp --dport 1 -j SYNPROXY --window 0 --when-flooded 5"],
        ),
        (
            "--until-data 443",
            &["-p tcp -m tcp --dport 443 -j SYNPROXY --until-data 3"],
        ),
        (
            "--until-data=60 443",
            &["-p tcp -m tcp --dport 443 -j SYNPROXY --until-data 60"],
        ),
    ] {
        let expected: Vec<String> = expected
            .iter()
            .map(|rule| format!("-A {CHAIN} {rule}"))
            .collect();
        assert_eq!(rules(words), expected, "{words}");
    }
}

#[test]
fn a_rule_without_address_is_for_both_versions() {
    let Ok(ProtectCommand::Add(rules)) = request("80 192.0.2.1:80 [::1]:80") else {
        panic!("these are right");
    };
    let families: Vec<_> = rules.iter().map(|one| one.rule.family).collect();
    use crate::rules::Family::{Ipv4, Ipv6};
    assert_eq!(families, [None, Some(Ipv4), Some(Ipv6)]);
}

#[test]
fn other_requests_are_read() {
    assert!(matches!(
        request("--status"),
        Ok(ProtectCommand::Status { json: false })
    ));
    assert!(matches!(
        request("--status --json"),
        Ok(ProtectCommand::Status { json: true })
    ));
    match request("--remove -i eth0 80 80 192.0.2.1:22") {
        Ok(ProtectCommand::Remove {
            endpoints,
            interface,
        }) => {
            let endpoints: Vec<String> = endpoints.iter().map(Endpoint::to_string).collect();
            assert_eq!(endpoints, ["80", "192.0.2.1:22"]);
            assert_eq!(interface.as_deref(), Some("eth0"));
        }
        other => panic!("{other:?}"),
    }
}

const NONE: &str = "protect needs a port, such as 443, or an address and a port, such as \
                    192.0.2.1:443: palisade protect --help shows more";

const BRACKETS: &str =
    "an IPv6 address stands in brackets, before a colon and a port: [2001:db8::1]:443";

#[test]
fn mistakes_are_named() {
    for (words, expected) in [
        ("", NONE),
        ("--remove", NONE),
        ("--when-flooded 5", NONE),
        (
            "--when-flooded 0 80",
            "protect: --when-flooded 0: this has to be RATE or RATE/BURST, both numbers from 1 to \
             1000000",
        ),
        (
            "--window 65536 80",
            "protect: --window 65536: this has to be a number from 0 to 65535",
        ),
        (
            "--until-data=0 80",
            "protect: --until-data 0: this has to be a number from 1 to 60",
        ),
        (
            "-i abcdefghijklmnop 80",
            "protect: -i abcdefghijklmnop: the name of an interface has at most 15 bytes",
        ),
        ("--json 80", "protect: --json goes with --status"),
        (
            "--status 80",
            "protect: the argument '--status' cannot be used with '[[ADDRESS:]PORT]...': see \
             palisade protect --help",
        ),
        (
            "--remove --when-flooded 5 80",
            "protect: the argument '--remove' cannot be used with '--when-flooded \
             <RATE[/BURST]>': see palisade protect --help",
        ),
    ] {
        let error = request(words).unwrap_err();
        assert_eq!(error.to_string(), expected, "{words}");
        assert_eq!(error.exit_status(), 2, "{words}");
    }
}

#[test]
fn what_is_no_endpoint_is_named() {
    for (text, expected) in [
        ("0", "there is no port 0"),
        ("192.0.2.1:0", "there is no port 0"),
        ("65536", "a port is at most 65535, not 65536"),
        (
            "nosuch",
            "there is no tcp service nosuch in /etc/services: give a number",
        ),
        ("192.0.2.1", "the port is missing, as in 192.0.2.1:443"),
        ("192.0.2.1:", "the port is missing"),
        (":80", "the address before the colon is missing"),
        ("192.0.2:80", "192.0.2 is not an IPv4 address"),
        ("192.0.2.256:80", "192.0.2.256 is not an IPv4 address"),
        ("192.0.2.0/24:80", "give one address, not a network"),
        ("80:90", "give one port, not a range"),
        ("80,443", "ports are separated by spaces"),
        (
            "0.0.0.0:80",
            "leave out 0.0.0.0: without an address the port is protected for all",
        ),
        (
            "[::]:80",
            "leave out ::: without an address the port is protected for all",
        ),
        ("2001:db8::1", BRACKETS),
        ("2001:db8::1:http", BRACKETS),
        ("[2001:db8::1]", BRACKETS),
        ("[2001:db8::1]80", BRACKETS),
        ("[2001:db8::1]:", "the port is missing"),
        ("[192.0.2.1]:80", "192.0.2.1 is not an IPv6 address"),
        (
            "www.example:80",
            "www.example is the name of a host: give an address",
        ),
        (
            "localhost:80",
            "localhost is the name of a host: give an address",
        ),
        (
            "www.example",
            "this is neither a port nor an address and a port, such as 192.0.2.1:443",
        ),
    ] {
        let error = Endpoint::parse(text, &Fixed).unwrap_err();
        assert_eq!(error, expected, "{text}");
    }
}

proptest! {
    #[test]
    fn no_arguments_make_it_panic(words in vec(word(), 0..6)) {
        if let Err(error) = request(&words.join(" ")) {
            let text = error.to_string();
            prop_assert!(text.contains("Usage:") || !printable(&text).contains('\n'), "{text}");
        }
    }

    #[test]
    fn what_is_shown_is_read(address in any::<Option<std::net::IpAddr>>(), port in 1..=u16::MAX) {
        let address = address.filter(|address| !address.is_unspecified());
        let endpoint = Endpoint { address, port };
        prop_assert_eq!(Endpoint::parse(&endpoint.to_string(), &Fixed), Ok(endpoint));
    }
}

/// Words that come close to a request, in no order.
fn word() -> impl Strategy<Value = String> {
    let known = [
        "--status",
        "--remove",
        "--json",
        "--help",
        "-i",
        "eth0",
        "--when-flooded",
        "5/5",
        "--window",
        "80",
        "ssh",
        "192.0.2.1:80",
        "[::1]:80",
        "[",
        "]:",
        ":",
        "-",
        "--",
        "0",
        "!",
    ];
    prop_oneof![
        6 => proptest::sample::select(known.to_vec()).prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}
