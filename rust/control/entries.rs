// SPDX-License-Identifier: GPL-2.0

//! The operations on the entries of a recent list.

use super::lists::list_of;
use crate::{
    kernel_api::{
        extended_ack::{
            Handled,
            Refusal, //
        },
        genetlink::{
            Action,
            Cursor,
            Dump,
            Output,
            Request, //
        },
        message::Message,
        netlink::{
            Attribute,
            Attributes, //
        },
        work::give_way, //
    },
    packet::Address,
    recent::{
        milliseconds,
        Key,
        Snapshot,
        Stamped, //
    },
    spec::attribute::{
        entry as attributes,
        list, //
    },
};
use kernel::prelude::*;

/// The entries that a request gives.
fn entries(request: Attributes<'_>) -> impl Iterator<Item = Attribute<'_>> {
    request.filter(|attribute| attribute.kind() == list::ENTRY)
}

fn key_of(entry: Attribute<'_>) -> Handled<'_, Key> {
    let port = entry.nested().get(attributes::PORT);
    let address = entry
        .nested()
        .get(attributes::ADDRESS)
        .ok_or_else(|| Refusal::new(EINVAL, c"an entry needs an address").at(entry))?;
    let (family, address) = Address::from_bytes(address.payload())
        .ok_or_else(|| Refusal::new(EINVAL, c"an address has 4 or 16 bytes").at(address))?;
    Ok(Key {
        family,
        address,
        port: port.and_then(|attribute| attribute.u16()).unwrap_or(0),
    })
}

/// Adds addresses.
pub(super) struct Add;

impl Action for Add {
    fn run<'a>(request: &Request<'a>) -> Handled<'a> {
        let list = list_of(request)?;
        // A mistake further down must not leave the first half in the list.
        for entry in entries(request.attributes()) {
            key_of(entry)?;
        }
        for entry in entries(request.attributes()) {
            let time_to_live = entry.nested().get(attributes::TIME_TO_LIVE);
            let time_to_live = time_to_live.and_then(|attribute| attribute.u8());
            if list.add(&key_of(entry)?, time_to_live.unwrap_or(0)) == Stamped::Refused {
                return Err(Refusal::new(ENOMEM, c"there is no memory for the entry").at(entry));
            }
            give_way();
        }
        Ok(())
    }
}

/// Deletes addresses.
pub(super) struct Delete;

impl Action for Delete {
    fn run<'a>(request: &Request<'a>) -> Handled<'a> {
        let list = list_of(request)?;
        for entry in entries(request.attributes()) {
            if !list.contains(&key_of(entry)?) {
                return Err(Refusal::new(ENOENT, c"the address is not in the list").at(entry));
            }
        }
        for entry in entries(request.attributes()) {
            list.remove(&key_of(entry)?);
            give_way();
        }
        Ok(())
    }
}

/// Lists the entries.
pub(super) struct Get;

impl Dump for Get {
    fn run<'a>(request: &Request<'a>, cursor: &mut Cursor, output: &mut Output<'_>) -> Handled<'a> {
        let list = list_of(request)?;
        loop {
            match list.snapshot(cursor.outer as u32) {
                Ok(None) => {}
                Ok(Some(snapshot)) => output.message(|message| encode(&snapshot, message))?,
                Err(ENOENT) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
            cursor.outer = cursor.outer.saturating_add(1);
            give_way();
        }
    }
}

fn encode(snapshot: &Snapshot, message: &mut Message) -> Result {
    message.nest(list::ENTRY, |message| {
        let (address, length) = snapshot.key.address.to_bytes(snapshot.key.family);
        message.put(
            attributes::ADDRESS,
            address.get(..length).unwrap_or_default(),
        )?;
        if snapshot.key.port != 0 {
            message.put_u16(attributes::PORT, snapshot.key.port)?;
        }
        message.put_u8(attributes::TIME_TO_LIVE, snapshot.time_to_live)?;
        message.put_u32(attributes::PACKETS, snapshot.packets)?;
        for &age in &snapshot.ages {
            message.put_u64(attributes::AGE, milliseconds(age))?;
        }
        Ok(())
    })
}
