// SPDX-License-Identifier: GPL-2.0

//! What a client of HTTP/1.1 is answered. Each connection has one request.

/// Most bytes of a request's head.
pub(super) const HEAD_LENGTH_MAX: usize = 8192;

/// Most headers of a request.
const HEADERS_MAX: usize = 64;

/// The path of the counters.
pub(super) const PATH: &str = "/metrics";

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// The head is not there as a whole yet.
    Incomplete,
    Metrics,
    Wrong(Status),
}

/// The first line of an answer, without its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Ok,
    BadRequest,
    NotFound,
    MethodNotAllowed,
    TooLong,
    Unavailable,
}

impl Status {
    fn line(self) -> &'static str {
        match self {
            Self::Ok => "200 OK",
            Self::BadRequest => "400 Bad Request",
            Self::NotFound => "404 Not Found",
            Self::MethodNotAllowed => "405 Method Not Allowed",
            Self::TooLong => "431 Request Header Fields Too Large",
            Self::Unavailable => "503 Service Unavailable",
        }
    }
}

/// Read what a client has sent so far.
pub(super) fn read(bytes: &[u8]) -> Request {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(bytes) {
        Ok(httparse::Status::Partial) if bytes.len() < HEAD_LENGTH_MAX => Request::Incomplete,
        Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
            Request::Wrong(Status::TooLong)
        }
        Err(_) => Request::Wrong(Status::BadRequest),
        Ok(httparse::Status::Complete(_)) => {
            // Prometheus adds the parameters that it was told to.
            let path = request.path.unwrap_or_default().split('?').next();
            match (path == Some(PATH), request.method) {
                (false, _) => Request::Wrong(Status::NotFound),
                (true, Some("GET")) => Request::Metrics,
                (true, _) => Request::Wrong(Status::MethodNotAllowed),
            }
        }
    }
}

/// An answer. The text says what is wrong, unless the status is [`Status::Ok`].
pub(super) fn answer(status: Status, text: &str) -> String {
    let kind = match status {
        Status::Ok => "text/plain; version=0.0.4; charset=utf-8",
        _ => "text/plain; charset=utf-8",
    };
    let allow = match status {
        Status::MethodNotAllowed => "Allow: GET\r\n",
        _ => "",
    };
    format!(
        "HTTP/1.1 {}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n{allow}Connection: close\r\n\r\n{text}",
        status.line(),
        text.len()
    )
}

/// The answer to a request that is wrong.
pub(super) fn refusal(status: Status) -> String {
    answer(status, &format!("{}: there is GET {PATH}\n", status.line()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read() {
        for (head, expected) in [
            ("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", Request::Metrics),
            ("GET /metrics?a=b HTTP/1.0\r\n\r\n", Request::Metrics),
            ("GET /metrics HTTP/1.1\r\nHost: x\r\n", Request::Incomplete),
            ("", Request::Incomplete),
            ("GET / HTTP/1.1\r\n\r\n", Request::Wrong(Status::NotFound)),
            (
                "GET /metrics/ HTTP/1.1\r\n\r\n",
                Request::Wrong(Status::NotFound),
            ),
            ("POST /x HTTP/1.1\r\n\r\n", Request::Wrong(Status::NotFound)),
            (
                "POST /metrics HTTP/1.1\r\n\r\n",
                Request::Wrong(Status::MethodNotAllowed),
            ),
            (
                "HEAD /metrics HTTP/1.1\r\n\r\n",
                Request::Wrong(Status::MethodNotAllowed),
            ),
            ("GET /metrics\r\n\r\n", Request::Wrong(Status::BadRequest)),
            (
                "\x16\x03\x01\x02\x00\x01",
                Request::Wrong(Status::BadRequest),
            ),
        ] {
            assert_eq!(read(head.as_bytes()), expected, "{head}");
        }
    }

    #[test]
    fn a_head_has_an_end() {
        let long = format!(
            "GET /metrics HTTP/1.1\r\nX: {}",
            "x".repeat(HEAD_LENGTH_MAX)
        );
        assert_eq!(read(long.as_bytes()), Request::Wrong(Status::TooLong));
        let many = "X: y\r\n".repeat(HEADERS_MAX + 1);
        let many = format!("GET /metrics HTTP/1.1\r\n{many}\r\n");
        assert_eq!(read(many.as_bytes()), Request::Wrong(Status::TooLong));
    }

    #[test]
    fn answers_say_what_they_are() {
        assert_eq!(
            answer(Status::Ok, "é 1\n"),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
             Content-Length: 5\r\nConnection: close\r\n\r\né 1\n"
        );
        let refused = refusal(Status::MethodNotAllowed);
        assert!(refused.starts_with("HTTP/1.1 405 ") && refused.contains("\r\nAllow: GET\r\n"));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            read(&bytes);
        }
    }
}
