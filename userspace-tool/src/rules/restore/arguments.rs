// SPDX-License-Identifier: GPL-2.0

//! The command line of `palisade restore`.

use crate::{
    error::Error,
    netlink::spec::Table,
    rules::{
        model::{chain, rule::Family},
        words::{self, Found, Plain, plain},
    },
    text::quote,
};

pub(super) const HELP: &str = "\
Read rules as palisade save and iptables-save print them, from FILE or from standard input. All
tables of the file are put into force together, or, if there is a mistake, nothing is changed.

Usage: palisade restore [-46cntv] [-T TABLE] [FILE]

-4, --ipv4          for IPv4 only: what there is for IPv6 stays, and so it does in rules for both
-6, --ipv6          for IPv6 only; as a file of ip6tables-save needs, and one of iptables-save -4
                    (with both options it is for both, whatever it looks like)
-c, --counters      with the counters that the file has
-n, --noflush       add to the rules there are; without it the tables in the file are emptied first
-t, --test          only find out whether it could be done
-T, --table TABLE   only this table of the file: raw, filter or nat
-v, --verbose       say how many chains and rules there were
-w, --wait [SECONDS]   accepted; there is no lock to wait for
-h, --help
";

#[derive(Clone, Copy, PartialEq)]
enum Switch {
    Counters,
    NoFlush,
    Test,
    Table,
    Verbose,
    Wait,
    Ipv4,
    Ipv6,
    Help,
}

static OPTIONS: &[Plain<Switch>] = &[
    plain(Switch::Counters, 'c', "counters", false),
    plain(Switch::NoFlush, 'n', "noflush", false),
    plain(Switch::Test, 't', "test", false),
    plain(Switch::Table, 'T', "table", true),
    plain(Switch::Verbose, 'v', "verbose", false),
    plain(Switch::Wait, 'w', "wait", false),
    plain(Switch::Ipv4, '4', "ipv4", false),
    plain(Switch::Ipv6, '6', "ipv6", false),
    plain(Switch::Help, 'h', "help", false),
];

/// What the command line asks for.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) counters: bool,
    pub(super) noflush: bool,
    pub(super) test: bool,
    pub(super) verbose: bool,
    pub(super) help: bool,
    ipv4: bool,
    ipv6: bool,
    /// The only table that counts.
    pub(super) table: Option<Table>,
    /// The file; none means standard input.
    pub(super) file: Option<String>,
}

impl Wanted {
    /// The only family that the file is for.
    pub(super) fn family(&self) -> Option<Family> {
        Family::only(self.ipv4, self.ipv6)
    }

    /// Whether it was said which families it is for.
    pub(super) fn says_families(&self) -> bool {
        self.ipv4 || self.ipv6
    }

    /// How messages call the file.
    pub(super) fn file_name(&self) -> &str {
        self.file.as_deref().unwrap_or("standard input")
    }
}

pub(super) fn parse(arguments: Vec<String>) -> Result<Wanted, Error> {
    let mut wanted = Wanted::default();
    words::read("restore", arguments, OPTIONS, |found, arguments| {
        match found {
            Found::Option(Switch::Counters, _) => wanted.counters = true,
            Found::Option(Switch::NoFlush, _) => wanted.noflush = true,
            Found::Option(Switch::Test, _) => wanted.test = true,
            Found::Option(Switch::Verbose, _) => wanted.verbose = true,
            Found::Option(Switch::Help, _) => wanted.help = true,
            Found::Option(Switch::Ipv4, _) => wanted.ipv4 = true,
            Found::Option(Switch::Ipv6, _) => wanted.ipv6 = true,
            Found::Option(Switch::Wait, _) => {
                let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
                arguments.operand_if(is_number);
            }
            Found::Option(Switch::Table, name) => {
                let table = chain::parse_table(&name).map_err(|reason| {
                    Error::usage(format!("restore: -T {}: {reason}", quote(&name)))
                })?;
                wanted.table = Some(table);
            }
            Found::Word(word) if wanted.file.is_some() => {
                return Err(words::surplus_word("restore", &word));
            }
            Found::Word(word) => wanted.file = Some(word),
        }
        Ok(())
    })?;
    wanted.file.take_if(|file| file == "-");
    Ok(wanted)
}
