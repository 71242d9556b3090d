// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of how much of a connection's first bytes has to be there.

use super::is_whole;
use kernel::prelude::*;

#[kunit_tests(palisade_whole)]
mod tests {
    use super::*;

    /// The number of bytes that are waited for.
    fn whole(bytes: &[u8]) -> Option<usize> {
        (0..=bytes.len()).find(|length| is_whole(&bytes[..*length]))
    }

    #[test]
    fn client_hellos_are_read_to_their_end() {
        let hellos: [&[u8]; 4] = [
            include_bytes!("hellos/post-quantum.bin"),
            include_bytes!("hellos/records.bin"),
            include_bytes!("hellos/nameless.bin"),
            include_bytes!("hellos/grease.bin"),
        ];
        for hello in hellos {
            assert_eq!(whole(hello), Some(hello.len()));
        }
        // An empty one.
        assert_eq!(whole(b"\x16\x03\x01\0\x04\x01\0\0\0more"), Some(9));
    }

    #[test]
    fn requests_are_read_to_the_end_of_their_headers() {
        for (request, length) in [
            (&b"GET / HTTP/1.1\r\nHost: a\r\n\r\nmore"[..], 27),
            (b"GET / HTTP/1.0\n\nmore", 16),
            (b"\r\nCONNECT a:1 HTTP/1.1\r\nA: b\r\n c\r\n\r\nmore", 36),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nmore", 24),
        ] {
            assert_eq!(whole(request), Some(length));
        }
        assert_eq!(whole(b"GET / HTTP/1.1\r\nHost: a\r\n"), None);
        assert_eq!(whole(b"GET"), None);
    }

    #[test]
    fn nothing_else_is_waited_for() {
        for (bytes, length) in [
            (&b"\0\0\0\x08"[..], 1),
            (b"\x16\x02", 2),
            (b"SSH-2.0-OpenSSH_10.0\r\n", 21),
            (b"EHLO a\r\n", 7),
            (b"GET / HTTP/2.0\r\n", 12),
            (b"*1\r\n$4\r\nPING\r\n", 3),
        ] {
            assert_eq!(whole(bytes), Some(length));
        }
        assert!(!is_whole(&[0; 0][..]));
    }

    #[test]
    fn nothing_is_waited_for_forever() -> Result {
        let mut request: KVec<u8> = KVec::from_elem(b'x', 16384, GFP_KERNEL)?;
        assert!(is_whole(&request[..]) && !is_whole(&request[..16383]));
        // A ClientHello that would be longer.
        for (to, from) in request.iter_mut().zip(b"\x16\x03\x01\x40\0\x01\0\x40\x01") {
            *to = *from;
        }
        assert!(is_whole(&request[..9]));
        Ok(())
    }
}
