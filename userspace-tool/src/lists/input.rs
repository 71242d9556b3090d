// SPDX-License-Identifier: GPL-2.0

//! The addresses that a command is about.

use std::{io::Read, str::FromStr};

use super::{expiry::Expiry, key::EntryKey, wire::NewEntry};
use crate::{error::Error, progress::standard_input, text::quote};

/// What standard input is called in messages.
pub(super) const STANDARD_INPUT: &str = "standard input";

/// An address, or a - that stands for the addresses on standard input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AddressArgument {
    Address(EntryKey),
    StandardInput,
}

impl FromStr for AddressArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "-" => Ok(Self::StandardInput),
            _ => text.parse().map(Self::Address),
        }
    }
}

/// What `list add` adds, a - for what is on standard input, or when addresses expire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AddArgument {
    Address(EntryKey),
    StandardInput,
    For(Expiry),
}

impl FromStr for AddArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(duration) = text.strip_prefix(FOR) {
            return duration.parse().map(Self::For);
        }
        Ok(match text.parse()? {
            AddressArgument::Address(address) => Self::Address(address),
            AddressArgument::StandardInput => Self::StandardInput,
        })
    }
}

/// What comes before the time for which an address is kept.
const FOR: &str = "for=";

/// A line on standard input: an address, and for how long it is kept.
impl FromStr for NewEntry {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let told = text
            .rsplit_once([' ', '\t'])
            .and_then(|(address, word)| Some((address.trim_end(), word.strip_prefix(FOR)?)));
        let (address, expiry) = match told {
            Some((address, duration)) => (address, Some(duration.parse()?)),
            None => (text, None),
        };
        Ok(Self {
            key: address.parse()?,
            expiry,
        })
    }
}

/// All addresses to add to a list, with standard input read where it is asked for. `command` is what errors begin with.
pub(crate) fn new_addresses(
    command: &str,
    arguments: &[AddArgument],
) -> Result<Vec<NewEntry>, Error> {
    let mut entries = Vec::new();
    let mut expiry = None;
    for argument in arguments {
        match argument {
            AddArgument::Address(key) => entries.push(NewEntry::from(*key)),
            AddArgument::StandardInput => read(standard_input(), &mut entries)?,
            AddArgument::For(given) => {
                if expiry.replace(*given).is_some() {
                    return Err(Error::usage(format!("{command}: for is given twice")));
                }
                if arguments.len() == 1 {
                    return Err(Error::usage(format!("{command}: no address given")));
                }
            }
        }
    }
    for entry in &mut entries {
        entry.expiry = entry.expiry.or(expiry);
    }
    Ok(entries)
}

/// All addresses of the arguments, with standard input read where it is asked for.
pub(crate) fn addresses(arguments: &[AddressArgument]) -> Result<Vec<EntryKey>, Error> {
    let mut addresses = Vec::new();
    for argument in arguments {
        match argument {
            AddressArgument::Address(address) => addresses.push(*address),
            AddressArgument::StandardInput => read(standard_input(), &mut addresses)?,
        }
    }
    Ok(addresses)
}

/// All of a file or of standard input.
pub(super) fn text(mut input: impl Read, name: &str) -> Result<String, Error> {
    let mut bytes = Vec::new();
    input
        .read_to_end(&mut bytes)
        .map_err(|error| Error::Failure(format!("cannot read {name}: {error}")))?;
    String::from_utf8(bytes).map_err(|_| Error::Failure(format!("{name} is not UTF-8 text")))
}

/// The lines of a text that say something, with their numbers and without comments.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..)
        .zip(text.lines())
        .map(|(number, line)| (number, line.split('#').next().unwrap_or_default().trim()))
        .filter(|(_, line)| !line.is_empty())
}

fn read<T: FromStr<Err = String>>(input: impl Read, addresses: &mut Vec<T>) -> Result<(), Error> {
    let text = text(input, STANDARD_INPUT)?;
    for (number, line) in lines(&text) {
        let address = line.parse().map_err(|reason| {
            Error::Failure(format!(
                "line {number} of {STANDARD_INPUT}: {}: {reason}",
                quote(line)
            ))
        })?;
        addresses.push(address);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use proptest::{collection::vec, prelude::*};

    use super::*;

    #[test]
    fn comments_and_empty_lines_are_passed_over() {
        let mut addresses = Vec::<EntryKey>::new();
        let input = "# all\n192.0.2.1\n\n 2001:db8::1 # one\n";
        read(input.as_bytes(), &mut addresses).unwrap();
        let expected: Vec<EntryKey> =
            vec!["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()];
        assert_eq!(addresses, expected);
    }

    #[test]
    fn a_bad_line_is_named() {
        let mut addresses = Vec::<EntryKey>::new();
        let error = read("192.0.2.1\n10.0.0.0/33\n".as_bytes(), &mut addresses).unwrap_err();
        assert_eq!(
            error.to_string(),
            "line 2 of standard input: 10.0.0.0/33: the length of its prefix is a number from 0 to 32"
        );
    }

    #[test]
    fn a_line_may_say_for_how_long() {
        let mut entries = Vec::<NewEntry>::new();
        let input = "192.0.2.1 for=4h\n::1 443\tfor=ever # bad\n192.0.2.2\n";
        read(input.as_bytes(), &mut entries).unwrap();
        let expiries: Vec<_> = entries.iter().map(|entry| entry.expiry).collect();
        let four_hours = Expiry::After(4 * 3_600_000);
        assert_eq!(expiries, [Some(four_hours), Some(Expiry::Never), None]);
        assert_eq!(entries[1].key.port, 443);
        let error = read("::1 for=soon".as_bytes(), &mut entries).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("line 1 of standard input: \"::1 for=soon\": "),
            "{error}"
        );
    }

    #[test]
    fn for_is_for_all_that_do_not_say_so_themselves() {
        let arguments = |words: &[&str]| -> Vec<AddArgument> {
            words.iter().map(|word| word.parse().unwrap()).collect()
        };
        let entries = new_addresses("a", &arguments(&["::1", "for=90", "::2"])).unwrap();
        assert!(
            entries
                .iter()
                .all(|entry| entry.expiry == Some(Expiry::After(90_000)))
        );
        for words in [&["::1", "for=1h", "for=2h"][..], &["for=1h"]] {
            assert!(new_addresses("a", &arguments(words)).is_err(), "{words:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(input in any::<Vec<u8>>()) {
            let _ = read(&input[..], &mut Vec::<EntryKey>::new());
            let _ = read(&input[..], &mut Vec::<NewEntry>::new());
        }

        #[test]
        fn what_comes_close_is_read_or_its_line_is_named(
            lines in vec("[0-9a-f:.]{0,16}|(10\\.0\\.0\\.1)? for=[0-9hdever]{0,5}|[ \t#\r]{0,3}|10\\.0\\.0\\.[0-9]{1,3}|\\PC{0,8}", 0..8)
        ) {
            let mut addresses = Vec::<NewEntry>::new();
            match read(lines.join("\n").as_bytes(), &mut addresses) {
                Ok(()) => prop_assert!(addresses.len() <= lines.len()),
                Err(error) => prop_assert!(error.to_string().starts_with("line ")),
            }
        }

        #[test]
        fn addresses_are_read(given in vec(any::<IpAddr>(), 0..8), ending in "(\r)?\n| \n| # [a-z]{0,4}\n") {
            let mut addresses = Vec::<EntryKey>::new();
            let lines: Vec<String> = given.iter().map(|address| format!("{address}{ending}")).collect();
            read(lines.concat().as_bytes(), &mut addresses).unwrap();
            let given: Vec<EntryKey> = given.into_iter().map(EntryKey::from).collect();
            prop_assert_eq!(addresses, given);
        }
    }
}
