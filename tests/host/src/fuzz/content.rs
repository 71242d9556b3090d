// SPDX-License-Identifier: GPL-2.0

//! What clients say first: any bytes, whole and cut anywhere. What is found in the first bytes stays so
//! whatever comes behind.

use super::Bytes;
use crate::content::{
    glob::{
        Glob,
        GLOB_MAX, //
    },
    http::{
        self,
        First, //
    },
    tls,
    Found,
    Missing, //
};

/// A pattern and where to cut, from the first bytes.
fn choices<'a>(bytes: &mut Bytes<'a>) -> (Glob, usize, &'a [u8]) {
    let [length, high, low] = bytes.array();
    let pattern = bytes.slice(usize::from(length % 16).min(GLOB_MAX));
    let pattern = Glob::new(pattern, length & 16 != 0).unwrap();
    let rest = bytes.rest();
    let cut = usize::from(u16::from_be_bytes([high, low]));
    (pattern, cut % (rest.len() + 1), rest)
}

/// Checks what is found in the whole and in a part.
fn compare<T: PartialEq + core::fmt::Debug>(part: Found<T>, whole: Found<T>) {
    if part != Err(Missing::Incomplete) {
        assert_eq!(part, whole);
    }
}

/// Without records: the same message in records of `size` bytes; `None` if it is not one.
fn in_records(bytes: &[u8], size: usize) -> Option<Vec<u8>> {
    let mut message = Vec::new();
    let mut rest = bytes;
    while let [22, 3, _, high, low, body @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        if !(1..=16384).contains(&length) {
            return None;
        }
        let (record, next) = body.split_at_checked(length)?;
        message.extend_from_slice(record);
        rest = next;
    }
    let records = message.chunks(size).map(|piece| {
        let [high, low] = (piece.len() as u16).to_be_bytes();
        [&[22, 3, 3, high, low], piece].concat()
    });
    rest.is_empty()
        .then(|| records.collect::<Vec<_>>().concat())
}

/// ClientHellos.
pub(super) fn tls(bytes: &mut Bytes<'_>) {
    let (pattern, cut, all) = choices(bytes);
    let name = |bytes: &[u8]| tls::server_name(bytes).map(|name| name.name().to_vec());
    let (part, _) = all.split_at(cut);
    compare(name(part), name(all));
    compare(tls::offers(part, &pattern), tls::offers(all, &pattern));
    compare(tls::is_client_hello(part), tls::is_client_hello(all));
    if let Some(records) = in_records(all, cut + 1) {
        assert_eq!(name(&records), name(all));
        assert_eq!(
            tls::offers(&records[..], &pattern),
            tls::offers(all, &pattern)
        );
    }
    if let Ok(name) = name(all) {
        assert!(!name.is_empty() && name.to_ascii_lowercase() == name);
    }
}

/// Requests of HTTP.
pub(super) fn http(bytes: &mut Bytes<'_>) {
    let (pattern, cut, all) = choices(bytes);
    let host = |bytes: &[u8]| match http::first(bytes)? {
        First::Request(request) => {
            let host = request.host(bytes)?;
            Ok(Some((host.name().to_vec(), host.port().to_vec())))
        }
        First::Preface => Ok(None),
    };
    let path = |bytes: &[u8]| match http::first(bytes)? {
        First::Request(request) => request.has_path(bytes, &pattern).map(Some),
        First::Preface => Ok(None),
    };
    let method = |bytes: &[u8]| match http::first(bytes)? {
        First::Request(request) => request.has_method(bytes, &pattern).map(Some),
        First::Preface => Ok(None),
    };
    let (part, _) = all.split_at(cut);
    compare(host(part), host(all));
    compare(path(part), path(all));
    compare(method(part), method(all));
    if let Ok(Some((name, port))) = host(all) {
        assert!(!name.is_empty() && name.to_ascii_lowercase() == name);
        let all = all.to_ascii_lowercase();
        assert!(all.windows(name.len()).any(|some| some == name));
        assert!(port.is_empty() || port.starts_with(b":"));
    }
}
