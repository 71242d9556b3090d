// SPDX-License-Identifier: GPL-2.0

//! A server of the counters, for Prometheus to ask.

use std::{
    cmp::Reverse,
    collections::{HashMap, VecDeque},
    io::{self, Read, Write},
    net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Weak},
    thread,
    time::Duration,
};

use super::http::{self, HEAD_LENGTH_MAX, PATH, Request, Status, answer, refusal};
use crate::{error::Error, output};

/// How long a client may say nothing, or not read.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Most connections that are open to an address. A new one takes the place of an old one.
const CONNECTIONS_MAX: usize = 64;

/// Most bytes that are read behind a request, such as the body of one that is refused.
const REST_LENGTH_MAX: u64 = 65536;

/// What makes the text.
pub(super) type Scrape = fn() -> Result<String, Error>;

/// Answer requests until the process is ended.
pub(super) fn run(addresses: &[SocketAddr], scrape: Scrape) -> Result<String, Error> {
    let listeners = addresses.iter().map(|address| listen(*address));
    // All of them, or none.
    let listeners = listeners.collect::<Result<Vec<_>, _>>()?;
    for listener in &listeners {
        if let Ok(address) = listener.local_addr() {
            output::write(&format!("listening on http://{address}{PATH}\n"))?;
        }
    }
    thread::scope(|scope| {
        for listener in &listeners {
            scope.spawn(|| serve(listener, scrape));
        }
    });
    Ok(String::new())
}

fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address)
        .map_err(|error| Error::Failure(format!("metrics: cannot listen on {address}: {error}")))
}

/// Each connection has a thread, so that nobody waits for another client.
pub(super) fn serve(listener: &TcpListener, scrape: Scrape) {
    let mut open = Open::default();
    loop {
        let accepted = listener.accept().and_then(|(stream, peer)| {
            stream.set_read_timeout(Some(TIMEOUT))?;
            stream.set_write_timeout(Some(TIMEOUT))?;
            let stream = open.add(stream, peer.ip());
            thread::Builder::new().spawn(move || converse(&stream, scrape))
        });
        if let Err(error) = accepted {
            output::warn(&format!("metrics: a connection was lost: {error}"));
            // Where it is want of memory or of files, trying again at once makes it worse.
            thread::sleep(Duration::from_millis(100));
        }
    }
}

/// The connections that are open, the oldest first.
#[derive(Default)]
struct Open(VecDeque<(IpAddr, Weak<TcpStream>)>);

impl Open {
    /// Add one. Where there is no room, the client with the most connections loses its oldest, so that one who opens
    /// many keeps nobody else out.
    fn add(&mut self, stream: TcpStream, peer: IpAddr) -> Arc<TcpStream> {
        self.0.retain(|(_, stream)| stream.strong_count() > 0);
        if self.0.len() >= CONNECTIONS_MAX {
            let mut counts = HashMap::<IpAddr, usize>::new();
            for (peer, _) in &self.0 {
                *counts.entry(*peer).or_default() += 1;
            }
            let all = self.0.iter().enumerate();
            let oldest = all.min_by_key(|(_, (peer, _))| Reverse(counts.get(peer)));
            let oldest = oldest.map(|(index, _)| index);
            let oldest = oldest.and_then(|index| self.0.remove(index));
            if let Some(stream) = oldest.and_then(|(_, stream)| stream.upgrade()) {
                // Its thread stops reading or writing then. It may be closed already.
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
        let stream = Arc::new(stream);
        self.0.push_back((peer, Arc::downgrade(&stream)));
        stream
    }
}

/// Answer one request. A client that goes away, or says nothing, gets no answer.
fn converse(stream: &TcpStream, scrape: Scrape) {
    let answered = request(stream).and_then(|request| {
        let answer = match request {
            Request::Incomplete => return Ok(()),
            Request::Wrong(status) => refusal(status),
            Request::Metrics => match scrape() {
                Ok(text) => answer(Status::Ok, &text),
                Err(error) => {
                    output::warn(&error.to_string());
                    answer(Status::Unavailable, &format!("{error}\n"))
                }
            },
        };
        let mut stream = stream;
        stream.write_all(answer.as_bytes())?;
        stream.shutdown(Shutdown::Write)
    });
    if answered.is_ok() {
        // Closing with something unread resets the connection, and the client may lose the answer.
        let _ = io::copy(&mut stream.take(REST_LENGTH_MAX), &mut io::sink());
    }
}

/// Read the head of a request. It is incomplete if the client ends it there.
fn request(mut stream: &TcpStream) -> io::Result<Request> {
    let mut head = [0; HEAD_LENGTH_MAX];
    let mut length = 0;
    loop {
        let room = head.get_mut(length..).unwrap_or_default();
        let read = match stream.read(room) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        length += read;
        let request = http::read(head.get(..length).unwrap_or_default());
        if read == 0 || request != Request::Incomplete {
            return Ok(request);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server, and where it listens.
    fn server(address: &str, scrape: Scrape) -> SocketAddr {
        let listener = listen(address.parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || serve(&listener, scrape));
        address
    }

    fn send(address: SocketAddr, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream
    }

    fn answer_to(address: SocketAddr, request: &str) -> String {
        let mut answer = String::new();
        send(address, request).read_to_string(&mut answer).unwrap();
        answer
    }

    const GET: &str = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";

    #[test]
    fn counters_are_served_over_both_ip_versions() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let address = server(address, || Ok("x 1\n".to_owned()));
            for _ in 0..2 {
                let answer = answer_to(address, GET);
                assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
                assert!(answer.ends_with("\r\n\r\nx 1\n"), "{answer}");
            }
        }
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        let failure = || Err(Error::Failure("something is wrong".to_owned()));
        let answer = answer_to(server("127.0.0.1:0", failure), GET);
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        assert!(answer.ends_with("\r\n\r\nsomething is wrong\n"), "{answer}");
    }

    #[test]
    fn a_refused_body_does_not_lose_the_answer() {
        let address = server("127.0.0.1:0", || Ok(String::new()));
        let body = "x".repeat(20_000);
        let post = format!("POST /metrics HTTP/1.1\r\nContent-Length: 20000\r\n\r\n{body}");
        let answer = answer_to(address, &post);
        assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
    }

    #[test]
    fn a_client_that_says_nothing_keeps_nobody_waiting() {
        let address = server("127.0.0.1:0", || Ok(String::new()));
        let _silent: Vec<_> = (0..CONNECTIONS_MAX * 2)
            .map(|_| send(address, "GET "))
            .collect();
        assert!(answer_to(address, GET).starts_with("HTTP/1.1 200 "));
    }

    #[test]
    fn who_has_the_most_connections_loses_the_oldest() {
        let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let connect = || TcpStream::connect(address).unwrap();
        let mut open = Open::default();
        let one = open.add(connect(), [192, 0, 2, 1].into());
        let many: Vec<_> = (1..CONNECTIONS_MAX)
            .map(|_| open.add(connect(), [192, 0, 2, 2].into()))
            .collect();
        let new = open.add(connect(), [192, 0, 2, 3].into());
        let is_open = |stream: &Arc<TcpStream>| {
            open.0
                .iter()
                .any(|(_, other)| other.ptr_eq(&Arc::downgrade(stream)))
        };
        assert!(is_open(&one) && is_open(&new));
        let gone: Vec<_> = many.iter().map(|stream| !is_open(stream)).collect();
        assert!(gone[0] && !gone[1..].contains(&true), "{gone:?}");
        // Its thread has nothing to read any more, and does not wait.
        let mut first: &TcpStream = &many[0];
        first.set_nonblocking(true).unwrap();
        assert_eq!(first.read(&mut [0]).unwrap(), 0);
        drop(many);
        open.add(connect(), [192, 0, 2, 3].into());
        assert_eq!(open.0.len(), 3);
    }
}
