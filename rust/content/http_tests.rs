// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of requests of HTTP.

use super::{
    glob::Glob,
    http::{
        self,
        First, //
    },
    Found,
    Missing, //
};
use kernel::prelude::*;

/// What is found in a request: whether the method, the host, its port and the path are these.
fn read(bytes: &[u8], [method, host, port, path]: [&str; 4]) -> [Found<bool>; 4] {
    let glob = |text: &str| Glob::new(text.as_bytes(), false).map_err(|_| Missing::Absent);
    let request = || match http::first(bytes)? {
        First::Request(request) => Ok(request),
        First::Preface => Err(Missing::Absent),
    };
    [
        request().and_then(|request| request.has_method(bytes, &glob(method)?)),
        request().and_then(|request| Ok(request.host(bytes)?.name() == host.as_bytes())),
        request().and_then(|request| Ok(request.host(bytes)?.port() == port.as_bytes())),
        request().and_then(|request| request.has_path(bytes, &glob(path)?)),
    ]
}

/// Requests, and their method, host, port and path; an empty host or path is none.
const EXAMPLES: [(&str, [&str; 4]); 13] = [
    (
        "GET /api/v1?key=/x#y HTTP/1.1\r\nHost: www.Example.org\r\n\r\n",
        ["GET", "www.example.org", "", "/api/v1"],
    ),
    (
        "\r\nPOST / HTTP/1.0\r\nUser-Agent: x\r\nhOST:\t example.org.:8080 \t\r\n\r\nHost: b",
        ["POST", "example.org", ":8080", "/"],
    ),
    (
        "GET http://user:word@Example.org:80?a HTTP/1.1\r\nHost: other\r\n\r\n",
        ["GET", "example.org", ":80", "/"],
    ),
    (
        "GET https://example.org/a/b@c/http://d HTTP/1.1\nHost: other\n\n",
        ["GET", "example.org", "", "/a/b@c/http://d"],
    ),
    (
        "GET //host/http://x HTTP/1.1\r\nHostess: a\r\nX-Host: b\r\nHost: [2001:DB8::1]:81\r\n\r\n",
        ["GET", "[2001:db8::1]", ":81", "//host/http://x"],
    ),
    (
        "GET / HTTP/1.1\r\nHost: [2001:db8::1]\r\n\r\n",
        ["GET", "[2001:db8::1]", "", "/"],
    ),
    (
        "CONNECT example.org:443 HTTP/1.1\r\nHost: other\r\n\r\n",
        ["CONNECT", "example.org", ":443", ""],
    ),
    (
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        ["OPTIONS", "a", "", "*"],
    ),
    ("GET /a HTTP/1.0\r\nX: y\r\n\r\n", ["GET", "", "", "/a"]),
    ("GET /a HTTP/1.0\r\n\r\nHost: a\r\n", ["GET", "", "", "/a"]),
    ("GET /a HTTP/1.1\r\nHost:\r\n\r\n", ["GET", "", "", "/a"]),
    (
        "GET /a HTTP/1.1\r\nHost : a\r\nHost: b\r\n",
        ["GET", "", "", "/a"],
    ),
    (
        "GET /a HTTP/1.1\r\nX: y\r\n z\r\nHost: b\r\n",
        ["GET", "", "", "/a"],
    ),
];

#[kunit_tests(palisade_http_requests)]
mod tests {
    use super::*;

    #[test]
    fn each_says_what_it_says() {
        for (request, parts @ [_, host, _, path]) in EXAMPLES {
            let has = |part: &str| match part {
                "" => Err(Missing::Absent),
                _ => Ok(true),
            };
            let expected = [Ok(true), has(host), has(host), has(path)];
            assert_eq!(read(request.as_bytes(), parts), expected);
        }
    }

    #[test]
    fn what_is_cut_says_the_same_or_nothing() {
        for (request, parts) in EXAMPLES {
            let whole = read(request.as_bytes(), parts);
            let mut known = [false; 4];
            for length in 0..=request.len() {
                let cut = read(&request.as_bytes()[..length], parts);
                for ((cut, whole), known) in cut.iter().zip(&whole).zip(&mut known) {
                    assert!(cut == whole || *cut == Err(Missing::Incomplete) && !*known);
                    *known = cut == whole;
                }
            }
            assert_eq!(known, [true; 4]);
        }
    }

    #[test]
    fn other_protocols_are_known_at_once() {
        for other in [
            "\x16\x03",
            " ",
            "GET\t",
            "GET /\r",
            "GET / HTTP/2",
            "GET / HTTP/1.1x",
            "GET / HTTP/1.1\rx",
            "GET a HTTP/1.1\r\n",
            "GET a:b HTTP/1.1\r\n",
            "GET a:/ HTTP/1.1\r\n",
            "EHLO example.org\r",
            "SSH-2.0-OpenSSH_10.0\r",
        ] {
            let is_absent = |bytes| matches!(http::first(bytes), Err(Missing::Absent));
            assert!(is_absent(other.as_bytes()));
            let before = http::first(&other.as_bytes()[..other.len() - 1]);
            assert!(other.starts_with('\x16') || matches!(before, Err(Missing::Incomplete)));
        }
    }

    #[test]
    fn http_2_says_nothing_more() {
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        assert!(matches!(http::first(&preface[..]), Ok(First::Preface)));
        for length in 0..preface.len() {
            let cut = http::first(&preface[..length]);
            assert!(matches!(cut, Err(Missing::Incomplete)));
        }
        assert!(matches!(
            http::first(&b"PRI * HTTP/2.0\r\n\r\nSN"[..]),
            Err(Missing::Absent)
        ));
        assert!(matches!(
            http::first(&b"PRI * HTTP/1.1\r\n"[..]),
            Ok(First::Request(_))
        ));
    }

    #[test]
    fn it_ends_somewhere() -> Result {
        // A method, a target and headers that never end.
        for (start, rest) in [
            (&b""[..], b'a'),
            (b"GET /", b'a'),
            (b"GET / HTTP/1.1\r\na:", b'a'),
            (b"", b'\n'),
        ] {
            let mut bytes = KVec::new();
            bytes.extend_from_slice(start, GFP_KERNEL)?;
            bytes.extend_with(super::super::LENGTH_MAX - start.len(), rest, GFP_KERNEL)?;
            let found = read(&bytes, [""; 4])[1];
            assert_eq!(found, Err(Missing::Absent));
            let found = read(&bytes[..bytes.len() - 1], [""; 4])[1];
            assert_eq!(found, Err(Missing::Incomplete));
        }
        Ok(())
    }
}
