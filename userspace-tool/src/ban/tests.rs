// SPDX-License-Identifier: GPL-2.0

//! Tests of the grammar, the changes and the session of ssh; they need no module.

use std::net::IpAddr;

use clap::Parser;

use super::{
    CHAIN,
    arguments::{BanArguments, BanCommand},
    rule, spare_session, ssh,
};
use crate::{
    error::Error,
    lists::Expiry,
    netlink::spec::Table,
    rules::{
        Change, Counters, save_rule,
        tests::{Fixed, chain},
    },
    usage,
};

/// What the words behind `ban` ask for; help is an error here.
fn request(words: &str) -> Result<BanCommand, Error> {
    let words = std::iter::once("ban").chain(words.split_whitespace());
    match BanArguments::try_parse_from(words) {
        Ok(arguments) => arguments.command(),
        Err(error) => Err(usage::explain(&error, "ban").map_or_else(|error| error, Error::Failure)),
    }
}

/// The addresses that are banned, and whether they have to be.
fn banned(words: &str) -> (Vec<(String, Option<Expiry>)>, bool) {
    match request(words) {
        Ok(BanCommand::Add { addresses, force }) => {
            let addresses = addresses.iter();
            let addresses = addresses.map(|one| (one.key.to_string(), one.expiry));
            (addresses.collect(), force)
        }
        other => panic!("{words}: {other:?}"),
    }
}

#[test]
fn addresses_are_banned_for_ever_or_for_some_time() {
    let never = Some(Expiry::Never);
    let hour = Some(Expiry::After(3_600_000));
    for (words, expected, forced) in [
        ("192.0.2.1", &[("192.0.2.1", never)][..], false),
        (
            "192.0.2.1 --force 2001:db8::1 for=1h",
            &[("192.0.2.1", hour), ("2001:db8::1", hour)],
            true,
        ),
        ("for=ever ::1", &[("::1", never)], false),
    ] {
        let (addresses, force) = banned(words);
        let expected: Vec<_> = expected
            .iter()
            .map(|(address, expiry)| ((*address).to_owned(), *expiry))
            .collect();
        assert_eq!(addresses, expected, "{words}");
        assert_eq!(force, forced, "{words}");
    }
}

#[test]
fn other_requests_are_read() {
    for (words, expected) in [
        ("--status", BanCommand::Status { json: false }),
        (
            "--json --list X --status",
            BanCommand::Status { json: true },
        ),
        ("--remove", BanCommand::Remove),
        ("--feed", BanCommand::Feed { force: false }),
        ("--feed --force", BanCommand::Feed { force: true }),
    ] {
        assert_eq!(request(words).unwrap(), expected, "{words}");
    }
}

#[test]
fn mistakes_are_named() {
    for (words, expected) in [
        (
            "",
            "ban needs an address, such as 192.0.2.1: palisade ban --help shows more",
        ),
        ("for=1h", "ban: no address given"),
        ("::1 for=1h for=2h", "ban: for is given twice"),
        (
            "192.0.2.1:80",
            "ban: 192.0.2.1:80: an address is banned as a whole: leave out the port",
        ),
        (
            "192.0.2.0/33",
            "ban: invalid value '192.0.2.0/33' for '[ADDRESS]...': the length of its prefix is a number from 0 to \
             32: see palisade ban --help",
        ),
        ("--json ::1", "ban: --json goes with --status"),
        (
            "--status ::1",
            "ban: the argument '--status' cannot be used with '[ADDRESS]...': see palisade ban --help",
        ),
        (
            "--feed ::1",
            "ban: the argument '--feed' cannot be used with '[ADDRESS]...': see palisade ban --help",
        ),
        (
            "--remove --force",
            "ban: the argument '--remove' cannot be used with '--force': see palisade ban --help",
        ),
    ] {
        let error = request(words).unwrap_err();
        assert_eq!(error.to_string(), expected, "{words}");
        assert_eq!(error.exit_status(), 2, "{words}");
    }
}

#[test]
fn the_rule_is_before_all_others() {
    let wanted = rule::rules("BAN", &Fixed).unwrap();
    let [one] = wanted.as_slice() else {
        panic!("one rule is for both IP versions: {wanted:?}");
    };
    assert_eq!(one.family, None);
    assert_eq!(
        save_rule(CHAIN, one, false),
        "-A PREROUTING -m recent --rcheck --name BAN --rsource -j DROP"
    );
    let insertions = Change::insertions(CHAIN, &wanted);
    assert_eq!(insertions.len(), 1);
    assert_eq!(insertions[0].position, Some(1));
}

#[test]
fn the_rule_is_known_again() {
    let wanted = rule::rules("BAN", &Fixed).unwrap();
    for (lines, expected) in [
        (&[][..], &[][..]),
        (&["-p tcp --dport 80 -j SYNPROXY"], &[]),
        (&["-m recent --name OTHER --rcheck -j DROP"], &[]),
        (&["-p tcp -m recent --name BAN --rcheck -j DROP"], &[]),
        (
            &[
                "-p tcp --dport 80 -j SYNPROXY",
                "-m recent --name BAN -j DROP",
                "-m recent --name BAN --rcheck -j DROP",
            ],
            &[2, 3],
        ),
    ] {
        let mut chain = chain(Table::Raw, CHAIN, lines);
        for (_, rule) in &mut chain.rules {
            rule.counters = Counters {
                packets: 1,
                bytes: 2,
            };
        }
        let present = rule::present(&[chain], &wanted);
        let positions: Vec<u32> = present.iter().map(|(position, _)| *position).collect();
        assert_eq!(positions, expected, "{lines:?}");
        let removals = rule::removals(&present, &wanted);
        assert_eq!(removals.len(), expected.len(), "{lines:?}");
    }
}

#[test]
fn the_client_of_ssh_is_found_in_an_environment() {
    for (environment, expected) in [
        (&b""[..], None),
        (
            b"A=1\0SSH_CONNECTION=192.0.2.1 50000 192.0.2.2 22\0B=2\0",
            Some("192.0.2.1"),
        ),
        (
            b"SSH_CONNECTION=2001:db8::1 5 2001:db8::2 22",
            Some("2001:db8::1"),
        ),
        (
            b"SSH_CONNECTION=fe80::1%eth0 5 fe80::2%eth0 22",
            Some("fe80::1"),
        ),
        (
            b"SSH_CONNECTION=::ffff:192.0.2.1 5 ::ffff:192.0.2.2 22",
            Some("192.0.2.1"),
        ),
        (b"SSH_CONNECTION=\0", None),
        (b"SSH_CONNECTION=UNKNOWN 65535 UNKNOWN 65535\0", None),
        (b"XSSH_CONNECTION=192.0.2.1 1 192.0.2.2 22\0\xff\xfe", None),
    ] {
        let expected: Option<IpAddr> = expected.map(|address| address.parse().unwrap());
        assert_eq!(ssh::client(environment), expected, "{environment:?}");
    }
}

#[test]
fn nobody_bans_himself_by_mistake() {
    let clients: Vec<IpAddr> = vec!["192.0.2.9".parse().unwrap(), "::9".parse().unwrap()];
    for (words, is_refused) in [
        ("192.0.2.1 ::1", false),
        ("192.0.2.1 ::9", true),
        ("192.0.2.9 --force", false),
    ] {
        let Ok(BanCommand::Add { addresses, force }) = request(words) else {
            panic!("{words}: these are right");
        };
        let spared = spare_session(&addresses, &clients, force);
        assert_eq!(spared.is_err(), is_refused, "{words}");
    }
}
