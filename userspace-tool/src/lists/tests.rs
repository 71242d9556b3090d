// SPDX-License-Identifier: GPL-2.0

//! What people type is read, or refused in one line.

use clap::Parser;
use proptest::{collection::vec, prelude::*};

use super::{arguments, duration};
use crate::{error::Error, text::printable};

/// Words that come close to a command, in no order.
fn word() -> impl Strategy<Value = String> {
    let known = [
        "list",
        "ls",
        "show",
        "add",
        "del",
        "flush",
        "create",
        "set",
        "save",
        "restore",
        "destroy",
        "help",
        "--help",
        "--json",
        "--",
        "-",
        "name",
        "10.0.0.1",
        "::1",
        "10.0.0.0/8",
        "size=",
        "size=5",
        "hits=65536",
        "timeout=1h30m",
        "for=4h",
        "for=ever",
        "for=",
        "timeout=",
        "=",
        "-x",
        "--size",
        "",
    ];
    prop_oneof![
        6 => proptest::sample::select(known.to_vec()).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => "(size|hits|timeout|except|networks)=\\PC{0,6}",
    ]
}

proptest! {
    #[test]
    fn no_arguments_make_it_panic(words in vec(word(), 0..8)) {
        let arguments = std::iter::once("list".to_owned()).chain(words);
        if let Err(error) = arguments::ListArguments::try_parse_from(arguments) {
            match arguments::explain(&error) {
                Ok(help) => prop_assert!(help.contains("Usage:")),
                Err(Error::Usage(text)) => prop_assert!(!printable(&text).contains('\n')),
                Err(other) => prop_assert!(false, "{other:?}"),
            }
        }
    }

    #[test]
    fn no_duration_makes_it_panic(text in "[0-9dhms. ]{0,12}|\\PC{0,6}", milliseconds in any::<u64>()) {
        let _ = duration::parse(&text);
        prop_assert!(!duration::show(milliseconds).is_empty());
        prop_assert_eq!(duration::parse(&duration::Exact(milliseconds).to_string()), Ok(milliseconds));
    }
}
