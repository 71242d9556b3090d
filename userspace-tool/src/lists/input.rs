// SPDX-License-Identifier: GPL-2.0

//! The addresses that a command is about.

use std::{io, io::Read, str::FromStr};

use super::key::EntryKey;
use crate::{error::Error, text::quote};

/// What standard input is called in messages.
pub(super) const STANDARD_INPUT: &str = "standard input";

/// An address, or a - that stands for the addresses on standard input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AddressArgument {
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

/// All addresses of the arguments, with standard input read where it is asked for.
pub(super) fn addresses(arguments: &[AddressArgument]) -> Result<Vec<EntryKey>, Error> {
    let mut addresses = Vec::new();
    for argument in arguments {
        match argument {
            AddressArgument::Address(address) => addresses.push(*address),
            AddressArgument::StandardInput => read(io::stdin().lock(), &mut addresses)?,
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

fn read(input: impl Read, addresses: &mut Vec<EntryKey>) -> Result<(), Error> {
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
        let mut addresses = Vec::new();
        let input = "# all\n192.0.2.1\n\n 2001:db8::1 # one\n";
        read(input.as_bytes(), &mut addresses).unwrap();
        let expected: Vec<EntryKey> =
            vec!["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()];
        assert_eq!(addresses, expected);
    }

    #[test]
    fn a_bad_line_is_named() {
        let error = read("192.0.2.1\n10.0.0.0/8\n".as_bytes(), &mut Vec::new()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "line 2 of standard input: 10.0.0.0/8: a list holds single addresses, not networks"
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(input in any::<Vec<u8>>()) {
            let _ = read(&input[..], &mut Vec::new());
        }

        #[test]
        fn what_comes_close_is_read_or_its_line_is_named(
            lines in vec("[0-9a-f:.]{0,16}|[ \t#\r]{0,3}|10\\.0\\.0\\.[0-9]{1,3}|\\PC{0,8}", 0..8)
        ) {
            let mut addresses = Vec::new();
            match read(lines.join("\n").as_bytes(), &mut addresses) {
                Ok(()) => prop_assert!(addresses.len() <= lines.len()),
                Err(error) => prop_assert!(error.to_string().starts_with("line ")),
            }
        }

        #[test]
        fn addresses_are_read(given in vec(any::<IpAddr>(), 0..8), ending in "(\r)?\n| \n| # [a-z]{0,4}\n") {
            let mut addresses = Vec::new();
            let lines: Vec<String> = given.iter().map(|address| format!("{address}{ending}")).collect();
            read(lines.concat().as_bytes(), &mut addresses).unwrap();
            let given: Vec<EntryKey> = given.into_iter().map(EntryKey::from).collect();
            prop_assert_eq!(addresses, given);
        }
    }
}
