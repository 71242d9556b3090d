// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of ClientHellos: those of OpenSSL 3.5.9, whole, cut and damaged.

use super::{
    glob::Glob,
    tls,
    Found,
    Missing, //
};
use crate::packet::tcp::options_tests::Numbers;
use kernel::prelude::*;

/// A ClientHello, the name that it has, and whether it offers `http/1.1`.
type Example = (&'static [u8], Option<&'static [u8]>, Option<bool>);

/// `openssl s_client`, each with options: none, X25519 alone, TLS 1.2, no name, records of 512 bytes, and
/// a session ticket. The last one is the first as browsers send it: with GREASE (RFC 8701) in front and
/// behind, GREASE for Encrypted Client Hello, and the name behind what is long.
const EXAMPLES: [Example; 7] = [
    (
        include_bytes!("hellos/post-quantum.bin"),
        Some(b"www.example.org"),
        Some(true),
    ),
    (
        include_bytes!("hellos/classic.bin"),
        Some(b"www.example.org"),
        None,
    ),
    (
        include_bytes!("hellos/tls12.bin"),
        Some(b"old.example.org"),
        None,
    ),
    (include_bytes!("hellos/nameless.bin"), None, None),
    (
        include_bytes!("hellos/records.bin"),
        Some(b"www.example.org"),
        Some(true),
    ),
    (
        include_bytes!("hellos/ticket.bin"),
        Some(b"ticket.example.org"),
        None,
    ),
    (
        include_bytes!("hellos/grease.bin"),
        Some(b"www.example.org"),
        Some(true),
    ),
];

/// What is found in a ClientHello: itself, whether the name is this one, and whether it offers this.
fn read(bytes: &[u8], name: &[u8], protocol: &Glob) -> [Found<bool>; 3] {
    [
        tls::is_client_hello(bytes).map(|()| true),
        tls::server_name(bytes).map(|found| found.name() == name),
        tls::offers(bytes, protocol),
    ]
}

/// The same ClientHello in records of `size` bytes.
fn in_records(hello: &[u8], size: usize) -> Result<KVec<u8>> {
    let mut message = KVec::new();
    let mut rest = hello;
    while let [_, _, _, high, low, body @ ..] = rest {
        let (record, next) = body.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        message.extend_from_slice(record, GFP_KERNEL)?;
        rest = next;
    }
    let mut records = KVec::new();
    for piece in message.chunks(size) {
        let [high, low] = (piece.len() as u16).to_be_bytes();
        records.extend_from_slice(&[22, 3, 1, high, low], GFP_KERNEL)?;
        records.extend_from_slice(piece, GFP_KERNEL)?;
    }
    Ok(records)
}

#[kunit_tests(palisade_client_hellos)]
mod tests {
    use super::*;

    #[test]
    fn each_says_what_it_says() -> Result {
        let protocol = Glob::new(b"http/1.1", false)?;
        for (hello, name, offers) in EXAMPLES {
            let expected = [
                Ok(true),
                name.map(|_| true).ok_or(Missing::Absent),
                offers.ok_or(Missing::Absent),
            ];
            assert_eq!(read(hello, name.unwrap_or_default(), &protocol), expected);
            for size in [1, 2, 3, 7, 64, 512, 4096] {
                let records = in_records(hello, size)?;
                assert_eq!(
                    read(&records, name.unwrap_or_default(), &protocol),
                    expected
                );
            }
        }
        let other = Glob::new(b"http/1.0", false)?;
        assert_eq!(tls::offers(EXAMPLES[0].0, &other), Ok(false));
        Ok(())
    }

    #[test]
    fn what_is_cut_says_the_same_or_nothing() -> Result {
        let protocol = Glob::new(b"http/1.1", false)?;
        for (hello, name, _) in EXAMPLES {
            for size in [16384, 100] {
                let records = in_records(hello, size)?;
                let whole = read(&records, name.unwrap_or_default(), &protocol);
                let mut known = [false; 3];
                for length in 0..=records.len() {
                    let cut = read(&records[..length], name.unwrap_or_default(), &protocol);
                    for ((cut, whole), known) in cut.iter().zip(&whole).zip(&mut known) {
                        assert!(cut == whole || *cut == Err(Missing::Incomplete) && !*known);
                        *known = cut == whole;
                    }
                }
                assert_eq!(known, [true; 3]);
            }
        }
        Ok(())
    }

    #[test]
    fn other_protocols_are_known_at_once() {
        for other in [
            &b"GET / HTTP/1.1\r\n"[..],
            // A ServerHello, an alert, data, a record of SSL 2, one without data, and a message that is longer
            // than what is looked at.
            &[22, 3, 3, 0, 80, 2],
            &[21],
            &[23],
            &[0x80, 0x2e],
            &[22, 3, 1, 0, 0],
            &[22, 3, 1, 64, 1],
            &[22, 3, 1, 64, 0, 1, 0, 64, 1],
        ] {
            assert_eq!(tls::is_client_hello(other), Err(Missing::Absent));
            let before = tls::is_client_hello(&other[..other.len() - 1]);
            assert!(other[0] != 22 || before == Err(Missing::Incomplete));
        }
    }

    #[test]
    fn nothing_damaged_does_harm() -> Result {
        let protocol = Glob::new(b"http/1.1", false)?;
        let mut numbers = Numbers(1);
        for (hello, ..) in EXAMPLES {
            let mut bytes = in_records(hello, 16384)?;
            for _ in 0..2000 {
                let index = numbers.next() as usize % bytes.len().min(400);
                let byte = core::mem::replace(&mut bytes[index], numbers.next() as u8);
                let whole = read(&bytes, b"", &protocol);
                let length = numbers.next() as usize % bytes.len();
                let cut = read(&bytes[..length], b"", &protocol);
                for (cut, whole) in cut.iter().zip(&whole) {
                    assert!(cut == whole || *cut == Err(Missing::Incomplete));
                }
                bytes[index] = byte;
            }
        }
        Ok(())
    }
}
