// SPDX-License-Identifier: GPL-2.0

//! Lists and their entries as netlink attributes.

use std::net::IpAddr;

use super::{arguments::Setting, expiry::Expiry, key::EntryKey};
use crate::{
    error::Error,
    fields::{Decode, need, nest, read},
    netlink::{
        Attribute, Nest, Writer,
        spec::attribute::{entry, list},
    },
};

nest! {
    /// A list without its entries.
    #[derive(Clone, PartialEq, Eq)]
    pub(crate) struct List: list {
        pub(crate) name: String = NAME;
        pub(crate) size: u32 = SIZE;
        pub(crate) hits: u32 = HITS;
        /// In milliseconds; 0 if addresses are kept for as long as can be.
        pub(crate) timeout: u64 = TIMEOUT;
        pub(crate) entries: u32 = ENTRIES;
        pub(crate) rules: u32 = RULES;
        pub(crate) evicted: u64 = EVICTED;
        pub(crate) expired: u64 = EXPIRED;
        pub(crate) refused: u64 = REFUSED;
        /// Empty if it makes no exceptions.
        pub(crate) except: String = EXCEPT;
        /// Whether rules look for networks, too.
        pub(crate) networks: bool = NETWORKS;
    }
}

/// An address of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: EntryKey,
    pub(crate) time_to_live: u8,
    pub(crate) packets: u32,
    /// Milliseconds since each remembered packet, the latest first.
    pub(crate) ages: Vec<u64>,
    pub(crate) expiry: Option<Expiry>,
}

/// An address to add.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NewEntry {
    pub(crate) key: EntryKey,
    pub(crate) expiry: Option<Expiry>,
}

impl From<EntryKey> for NewEntry {
    fn from(key: EntryKey) -> Self {
        Self { key, expiry: None }
    }
}

/// What the name of a list stands for on the command line.
pub(super) fn name_label(name: &str) -> String {
    format!("list {name}")
}

/// A request about a list.
pub(super) fn named(name: &str) -> Writer {
    let mut request = Writer::default();
    request.labelled(name_label(name), |request| request.string(list::NAME, name));
    request
}

/// A request about a list that may have been made before.
pub(super) fn named_again(name: &str, exist: bool) -> Writer {
    let mut request = named(name);
    request.flag_if(list::EXIST, exist);
    request
}

/// Write a limit of a list.
pub(super) fn encode_setting(setting: &Setting, request: &mut Writer) {
    request.labelled(setting.name(), |request| match setting {
        Setting::Size(size) => request.u32(list::SIZE, *size),
        Setting::Hits(hits) => request.u32(list::HITS, *hits),
        Setting::Timeout(milliseconds) => request.u64(list::TIMEOUT, *milliseconds),
        Setting::Except(name) => request.string(list::EXCEPT, name),
        Setting::Networks => request.flag(list::NETWORKS),
    });
}

/// What an entry-add or an entry-delete is about.
pub(super) trait Encode {
    fn key(&self) -> EntryKey;

    /// The attributes behind address and port.
    fn encode_rest(&self, _nest: &mut Writer) {}

    fn encode(&self, request: &mut Writer) {
        request.nested(list::ENTRY, |nest| {
            let key = self.key();
            nest.address(entry::ADDRESS, key.network.addr());
            if key.port != 0 {
                nest.u16(entry::PORT, key.port);
            }
            if let Some(length) = key.prefix() {
                nest.u8(entry::PREFIX, length);
            }
            self.encode_rest(nest);
        });
    }
}

impl Encode for EntryKey {
    fn key(&self) -> EntryKey {
        *self
    }
}

impl Encode for NewEntry {
    fn key(&self) -> EntryKey {
        self.key
    }

    fn encode_rest(&self, nest: &mut Writer) {
        encode_expiry(self.expiry, nest);
    }
}

fn encode_expiry(expiry: Option<Expiry>, nest: &mut Writer) {
    match expiry {
        Some(Expiry::After(milliseconds)) => nest.u64(entry::EXPIRES, milliseconds),
        Some(Expiry::Never) => nest.flag(entry::PERMANENT),
        None => {}
    }
}

/// When an entry expires, if it says so.
pub(crate) fn decode_expiry(nest: &Nest<'_>) -> Result<Option<Expiry>, Error> {
    if nest.get(entry::PERMANENT).is_some() {
        return Ok(Some(Expiry::Never));
    }
    Ok(read(nest, entry::EXPIRES)?.map(Expiry::After))
}

impl Encode for Entry {
    fn key(&self) -> EntryKey {
        self.key
    }

    fn encode_rest(&self, nest: &mut Writer) {
        nest.u8(entry::TIME_TO_LIVE, self.time_to_live);
        nest.u32(entry::PACKETS, self.packets);
        for age in &self.ages {
            nest.u64(entry::AGE, *age);
        }
        encode_expiry(self.expiry, nest);
    }
}

/// Read an answer to list-get.
pub(super) fn decode_list(answer: &[u8]) -> Result<List, Error> {
    List::decode(&Nest::new(answer)?)
}

/// Read an answer to entry-add: how many addresses are new. Other changes of entries are not answered.
pub(super) fn decode_added(answer: &[u8]) -> Result<u32, Error> {
    need(
        &Nest::new(answer)?,
        list::ADDED,
        "an answer lacks its number",
    )
}

/// Read an answer to entry-get, which holds one entry or several.
pub(super) fn decode_entries(answer: &[u8], entries: &mut Vec<Entry>) -> Result<(), Error> {
    for nest in Nest::new(answer)?.all(list::ENTRY) {
        let nest = nest.nest()?;
        let key = decode_entry_key(&nest)?;
        let ages = nest.all(entry::AGE).map(Attribute::u64);
        entries.push(Entry {
            key,
            time_to_live: read(&nest, entry::TIME_TO_LIVE)?.unwrap_or(0),
            packets: read(&nest, entry::PACKETS)?.unwrap_or(0),
            ages: ages.collect::<Result<_, _>>()?,
            expiry: decode_expiry(&nest)?,
        });
    }
    Ok(())
}

/// What an entry is about.
pub(crate) fn decode_entry_key(nest: &Nest<'_>) -> Result<EntryKey, Error> {
    let address: IpAddr = need(nest, entry::ADDRESS, "an entry lacks its address")?;
    match read(nest, entry::PREFIX)? {
        Some(length) => EntryKey::of_prefix(address, length)
            .ok_or_else(|| Error::Failure("a prefix is longer than its address".to_owned())),
        None => Ok(EntryKey::from(address).with_port(read(nest, entry::PORT)?.unwrap_or(0))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(answer: &[u8]) -> Result<Vec<Entry>, Error> {
        let mut entries = Vec::new();
        decode_entries(answer, &mut entries).map(|()| entries)
    }

    #[test]
    fn entries_are_read_and_unknown_attributes_passed_over() {
        let mut answer = Writer::default();
        answer.u32(999, 1);
        answer.nested(list::ENTRY, |nest| {
            nest.address(entry::ADDRESS, IpAddr::from([192, 0, 2, 1]));
            nest.u16(entry::PORT, 99);
            nest.u8(entry::TIME_TO_LIVE, 64);
            nest.u32(entry::PACKETS, 3);
            nest.u64(entry::AGE, 10);
            nest.string(998, "new");
            nest.u64(entry::AGE, 20);
        });
        let expected = Entry {
            key: "192.0.2.1:99".parse().unwrap(),
            time_to_live: 64,
            packets: 3,
            ages: vec![10, 20],
            expiry: None,
        };
        assert_eq!(decoded(answer.as_bytes()).unwrap(), [expected]);
    }

    #[test]
    fn what_is_encoded_is_read() {
        for (key, expiry) in [
            ("[2001:db8::1]:5", None),
            ("2001:db8::/32", Some(Expiry::Never)),
            ("192.0.2.0/31", Some(Expiry::After(5))),
        ] {
            let entry = Entry {
                key: key.parse().unwrap(),
                time_to_live: 7,
                packets: 9,
                ages: vec![1, 2, 3],
                expiry,
            };
            let mut request = Writer::default();
            entry.encode(&mut request);
            assert_eq!(decoded(request.as_bytes()).unwrap(), [entry]);
        }
    }

    #[test]
    fn an_answer_that_is_cut_off_is_an_error() {
        let mut answer = Writer::default();
        answer.nested(list::ENTRY, |nest| {
            nest.address(entry::ADDRESS, IpAddr::from([192, 0, 2, 1]));
        });
        let bytes = answer.as_bytes();
        for length in 1..bytes.len() {
            assert!(decoded(&bytes[..length]).is_err(), "{length}");
        }
    }
}
