// SPDX-License-Identifier: GPL-2.0

//! `palisade save`.

use super::{
    execute::session::Session,
    model::{chain, rule::Family},
    print,
    words::{self, Found, Plain, plain},
};
use crate::{error::Error, netlink::spec::Table, text::quote};

const HELP: &str = "\
Print the rules of all tables as iptables-save does, so that palisade restore can read them.

Usage: palisade save [-46] [-t TABLE] [-c]

-t, --table TABLE   only this table: raw, filter or nat
-c, --counters      with the counters of the rules
-4, --ipv4          only policies and rules for IPv4, for palisade restore -4
-6, --ipv6          only those for IPv6
-h, --help
";

#[derive(Clone, Copy, PartialEq)]
enum Switch {
    Table,
    Counters,
    Ipv4,
    Ipv6,
    Help,
}

static OPTIONS: &[Plain<Switch>] = &[
    plain(Switch::Table, 't', "table", true),
    plain(Switch::Counters, 'c', "counters", false),
    plain(Switch::Ipv4, '4', "ipv4", false),
    plain(Switch::Ipv6, '6', "ipv6", false),
    plain(Switch::Help, 'h', "help", false),
];

/// What the command line asks for.
#[derive(Debug, Default)]
struct Wanted {
    table: Option<Table>,
    counters: bool,
    ipv4: bool,
    ipv6: bool,
    help: bool,
}

impl Wanted {
    /// The only family that counts.
    fn family(&self) -> Option<Family> {
        Family::only(self.ipv4, self.ipv6)
    }
}

fn parse(arguments: Vec<String>) -> Result<Wanted, Error> {
    let mut wanted = Wanted::default();
    words::read("save", arguments, OPTIONS, |found, _| {
        match found {
            Found::Option(Switch::Table, name) => {
                let table = chain::parse_table(&name);
                let table = table.map_err(|reason| {
                    Error::usage(format!("save: -t {}: {reason}", quote(&name)))
                })?;
                wanted.table = Some(table);
            }
            Found::Option(Switch::Counters, _) => wanted.counters = true,
            Found::Option(Switch::Ipv4, _) => wanted.ipv4 = true,
            Found::Option(Switch::Ipv6, _) => wanted.ipv6 = true,
            Found::Option(Switch::Help, _) => wanted.help = true,
            Found::Word(word) => return Err(words::surplus_word("save", &word)),
        }
        Ok(())
    })?;
    Ok(wanted)
}

/// Carry out `save` with what follows it; what it prints is returned.
pub(crate) fn run(arguments: Vec<String>) -> Result<String, Error> {
    let wanted = parse(arguments)?;
    if wanted.help {
        return Ok(HELP.to_owned());
    }
    let family = wanted.family();
    let chains = Session::open(wanted.table)?.chains(None, None, family)?;
    Ok(print::save_file(&chains, wanted.counters, family))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tests::words;

    #[test]
    fn options_are_read() {
        let wanted = parse(words("-ct nat")).unwrap();
        assert!(wanted.counters && wanted.table == Some(Table::Nat));
        assert_eq!(parse(words("-6")).unwrap().family(), Some(Family::Ipv6));
        assert_eq!(parse(words("-46 --ipv4")).unwrap().family(), None);
        assert!(parse(words("--count --tab=raw")).unwrap().counters);
        for (line, expected) in [
            (
                "-t mangle",
                "save: -t mangle: there is no such table: known are raw, filter, nat",
            ),
            ("-t", "save: -t needs a value"),
            ("--counter=1", "save: --counter=1: --counter takes no value"),
            (
                "-q",
                "save: unknown option -q: palisade save --help shows the options",
            ),
            (
                "--conuters",
                "save: unknown option --conuters: did you mean --counters?",
            ),
            (
                "x",
                "save: bad argument x: palisade save --help shows what it takes",
            ),
        ] {
            assert_eq!(
                parse(words(line)).unwrap_err().to_string(),
                expected,
                "{line}"
            );
        }
    }
}
