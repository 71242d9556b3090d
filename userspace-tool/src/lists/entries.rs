// SPDX-License-Identifier: GPL-2.0

//! Reading and changing the entries of a list.

use std::{collections::HashSet, net::IpAddr};

use super::{
    execute::explain,
    wire::{self, Entry},
};
use crate::{
    error::Error,
    netlink::{Connection, spec::command as operation},
};

/// A message of entries stays shorter than this.
const BATCH_LENGTH: usize = 60_000;

/// More than an address with its headers takes.
const ENTRY_LENGTH: usize = 32;

pub(super) fn read(connection: &mut Connection, name: &str) -> Result<Vec<Entry>, Error> {
    let request = wire::named(name);
    let messages = connection
        .dump(operation::ENTRY_GET, &request, wire::decode_entries)
        .map_err(|error| explain(error, name))?;
    Ok(messages.into_iter().flatten().collect())
}

/// An address that is deleted by one message is not there any more for the next.
pub(super) fn without_repetitions(mut addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    let mut seen = HashSet::new();
    addresses.retain(|address| seen.insert(*address));
    addresses
}

/// Add or delete addresses, in as many messages as it takes.
pub(super) fn change(
    connection: &mut Connection,
    command: u8,
    name: &str,
    addresses: &[IpAddr],
) -> Result<(), Error> {
    let mut done = 0;
    let mut request = wire::named(name);
    for (index, address) in addresses.iter().enumerate() {
        wire::encode_address(*address, &mut request);
        let last = index + 1 == addresses.len();
        if !last && request.len() + ENTRY_LENGTH < BATCH_LENGTH {
            continue;
        }
        connection
            .change(command, &request)
            .map_err(|error| after(done, explain(error, name)))?;
        done = index + 1;
        request = wire::named(name);
    }
    Ok(())
}

/// An error, with what was done before it.
fn after(done: usize, error: Error) -> Error {
    if done == 0 {
        return error;
    }
    Error::Failure(format!("{error} (the first {done} addresses were done)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_are_left_out_and_the_order_stays() {
        let [one, two] = [[192, 0, 2, 1], [192, 0, 2, 2]].map(IpAddr::from);
        assert_eq!(without_repetitions(vec![two, one, two, one]), [two, one]);
    }
}
