// SPDX-License-Identifier: GPL-2.0

//! Lists and their entries as netlink attributes.

use super::{arguments::Setting, endpoint::Endpoint};
use crate::{
    error::Error,
    netlink::{
        Writer, attributes,
        spec::attribute::{entry, list},
    },
};

/// A list without its entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct List {
    pub(super) name: String,
    pub(super) size: u32,
    pub(super) hits: u32,
    /// In milliseconds; 0 if addresses are kept for as long as can be.
    pub(super) timeout: u64,
    pub(super) entries: u32,
    pub(super) rules: u32,
    pub(super) evicted: u64,
    pub(super) expired: u64,
    pub(super) refused: u64,
}

/// An address of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) endpoint: Endpoint,
    pub(super) time_to_live: u8,
    pub(super) packets: u32,
    /// Milliseconds since each remembered packet, the latest first.
    pub(super) ages: Vec<u64>,
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

pub(super) fn encode_setting(setting: Setting, request: &mut Writer) {
    request.labelled(setting.name(), |request| match setting {
        Setting::Size(size) => request.u32(list::SIZE, size),
        Setting::Hits(hits) => request.u32(list::HITS, hits),
        Setting::Timeout(milliseconds) => request.u64(list::TIMEOUT, milliseconds),
    });
}

/// What an entry-add or an entry-delete is about.
pub(super) trait Encode {
    fn endpoint(&self) -> Endpoint;

    /// The attributes behind address and port.
    fn encode_rest(&self, _nest: &mut Writer) {}

    fn encode(&self, request: &mut Writer) {
        request.nested(list::ENTRY, |nest| {
            let endpoint = self.endpoint();
            nest.address(entry::ADDRESS, endpoint.address);
            if endpoint.port != 0 {
                nest.u16(entry::PORT, endpoint.port);
            }
            self.encode_rest(nest);
        });
    }
}

impl Encode for Endpoint {
    fn endpoint(&self) -> Endpoint {
        *self
    }
}

impl Encode for Entry {
    fn endpoint(&self) -> Endpoint {
        self.endpoint
    }

    fn encode_rest(&self, nest: &mut Writer) {
        nest.u8(entry::TIME_TO_LIVE, self.time_to_live);
        nest.u32(entry::PACKETS, self.packets);
        for age in &self.ages {
            nest.u64(entry::AGE, *age);
        }
    }
}

pub(super) fn decode_list(answer: &[u8]) -> Result<List, Error> {
    let mut decoded = List::default();
    for attribute in attributes(answer) {
        let attribute = attribute?;
        match attribute.kind {
            list::NAME => decoded.name = attribute.string()?,
            list::SIZE => decoded.size = attribute.u32()?,
            list::HITS => decoded.hits = attribute.u32()?,
            list::TIMEOUT => decoded.timeout = attribute.u64()?,
            list::ENTRIES => decoded.entries = attribute.u32()?,
            list::RULES => decoded.rules = attribute.u32()?,
            list::EVICTED => decoded.evicted = attribute.u64()?,
            list::EXPIRED => decoded.expired = attribute.u64()?,
            list::REFUSED => decoded.refused = attribute.u64()?,
            _ => {}
        }
    }
    Ok(decoded)
}

/// Read an answer to entry-get, which holds one entry or several.
pub(super) fn decode_entries(answer: &[u8], entries: &mut Vec<Entry>) -> Result<(), Error> {
    for nest in attributes(answer) {
        let nest = nest?;
        if nest.kind != list::ENTRY {
            continue;
        }
        let (mut address, mut port, mut time_to_live) = (None, 0, 0);
        let (mut packets, mut ages) = (0, Vec::new());
        for attribute in nest.nested() {
            let attribute = attribute?;
            match attribute.kind {
                entry::ADDRESS => address = Some(attribute.address()?),
                entry::PORT => port = attribute.u16()?,
                entry::TIME_TO_LIVE => time_to_live = attribute.u8()?,
                entry::PACKETS => packets = attribute.u32()?,
                entry::AGE => ages.push(attribute.u64()?),
                _ => {}
            }
        }
        let address =
            address.ok_or_else(|| Error::Answer("an entry lacks its address".to_owned()))?;
        entries.push(Entry {
            endpoint: Endpoint { address, port },
            time_to_live,
            packets,
            ages,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

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
            endpoint: "192.0.2.1:99".parse().unwrap(),
            time_to_live: 64,
            packets: 3,
            ages: vec![10, 20],
        };
        assert_eq!(decoded(answer.as_bytes()).unwrap(), [expected]);
    }

    #[test]
    fn what_is_encoded_is_read() {
        let entry = Entry {
            endpoint: "[2001:db8::1]:5".parse().unwrap(),
            time_to_live: 7,
            packets: 9,
            ages: vec![1, 2, 3],
        };
        let mut request = Writer::default();
        entry.encode(&mut request);
        assert_eq!(decoded(request.as_bytes()).unwrap(), [entry]);
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
