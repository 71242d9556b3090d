// SPDX-License-Identifier: GPL-2.0

//! The program as a person sees it: exit statuses, and one line for a mistake.

use std::{
    fs::OpenOptions,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    os::{
        fd::OwnedFd,
        unix::{ffi::OsStrExt, net::UnixStream, process::ExitStatusExt},
    },
    process::{Command, Output, Stdio},
};

fn palisade(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
    command.args(arguments).stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    palisade(arguments).output().expect("palisade starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("output is text")
}

#[test]
fn wrong_usage_gets_one_line_and_status_2() {
    for (arguments, expected) in [
        (
            &[][..],
            "palisade: no command given: palisade --help shows the commands\n",
        ),
        (
            &["-A", "INPUT", "-m", "Tcp"],
            "palisade: -m Tcp: there is none of this name: did you mean tcp?\n",
        ),
        (
            &["save", "x"],
            "palisade: save: unexpected argument 'x' found: see palisade save --help\n",
        ),
        (
            &["restore", "--nofulsh"],
            "palisade: restore: unexpected argument '--nofulsh' found: a similar argument exists: \
             '--noflush': see palisade restore --help\n",
        ),
        (
            &["restore", "-T", "security"],
            "palisade: restore: invalid value 'security' for '--table <TABLE>': there is no such table: \
             known are raw, filter, nat, mangle: see palisade restore --help\n",
        ),
        (
            &["list"],
            "palisade: list needs a command: palisade list --help shows them\n",
        ),
        (
            &["list", "shw"],
            "palisade: list: unrecognized subcommand 'shw': a similar subcommand exists: 'show': \
             see palisade list --help\n",
        ),
        (
            &["list", "del", "x"],
            "palisade: list del x: no address given: palisade list flush x removes all, palisade \
             list destroy x the list itself\n",
        ),
        (
            &["list", "add", "x", "10.0.0.0/33"],
            "palisade: list: invalid value '10.0.0.0/33' for '<ADDRESS>...': the length of its \
             prefix is a number from 0 to 32: see palisade list --help\n",
        ),
        (
            &["list", "create", "x", "hits=0"],
            "palisade: list: invalid value 'hits=0' for '[SETTING=VALUE]...': hits is a number \
             from 1 to 65535: see palisade list --help\n",
        ),
        (
            &["list", "create", "x", "hits=1", "hits=2"],
            "palisade: list create x: hits is given twice\n",
        ),
        (
            &["protect"],
            "palisade: protect needs a port, such as 443, or an address and a port, such as \
             192.0.2.1:443: palisade protect --help shows more\n",
        ),
        (
            &["protect", "localhost:80"],
            "palisade: protect: localhost:80: localhost is the name of a host: give an address\n",
        ),
        (
            &["protect", "--statsu"],
            "palisade: protect: unexpected argument '--statsu' found: a similar argument exists: \
             '--status': see palisade protect --help\n",
        ),
        (
            &["ban", "192.0.2.0/33"],
            "palisade: ban: invalid value '192.0.2.0/33' for '[ADDRESS]...': the length of its \
             prefix is a number from 0 to 32: see palisade ban --help\n",
        ),
        (
            &["metrics", "x"],
            "palisade: metrics: unexpected argument 'x' found: see palisade metrics --help\n",
        ),
        (
            &["metrics", "--listen", "localhost:9789"],
            "palisade: metrics: invalid value 'localhost:9789' for '--listen <ADDRESS:PORT>': give an \
             address and a port, such as 127.0.0.1:9789, or [::]:9789 for all addresses: see palisade \
             metrics --help\n",
        ),
        (
            &["metrics", "--listen", "[::1]:0", "--output", "x"],
            "palisade: metrics: the argument '--listen <ADDRESS:PORT>' cannot be used with '--output \
             <FILE>': see palisade metrics --help\n",
        ),
        (
            &["trace", "x"],
            "palisade: trace: unexpected argument 'x' found: see palisade trace --help\n",
        ),
        (
            &["monitor", "x"],
            "palisade: monitor: unexpected argument 'x' found: see palisade monitor --help\n",
        ),
        (
            &["top", "x"],
            "palisade: top: unexpected argument 'x' found: see palisade top --help\n",
        ),
        (
            &["top", "--interval", "10ms"],
            "palisade: top: invalid value '10ms' for '--interval <TIME>': give a time from 100ms to 1d: \
             see palisade top --help\n",
        ),
        // A line break that someone typed does not become one in the message.
        (
            &["x\ny"],
            "palisade: bad argument \"x?y\": it belongs to no option\n",
        ),
    ] {
        let output = run(arguments);
        assert_eq!(text(&output.stderr), expected, "{arguments:?}");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn arguments_have_to_be_text() {
    let argument = std::ffi::OsStr::from_bytes(b"\xff");
    let output = palisade(&["-L"])
        .arg(argument)
        .output()
        .expect("palisade starts");
    assert_eq!(
        text(&output.stderr),
        "palisade: argument 2 is not UTF-8 text\n"
    );
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn help_goes_to_standard_output() {
    for arguments in [
        &["--help"][..],
        &["-h"],
        &["list", "--help"],
        &["metrics", "--help"],
        &["monitor", "--help"],
        &["top", "--help"],
        &["trace", "--help"],
        &["persist", "--help"],
        &["protect", "--help"],
        &["ban", "--help"],
        &["unban", "--help"],
        &["save", "--help"],
        &["restore", "--help"],
        &["-m", "recent", "--help"],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(text(&output.stdout).contains("Usage:"), "{arguments:?}");
        assert!(output.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_full_disk_is_an_error() {
    let full = OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .expect("/dev/full opens");
    let output = palisade(&["--help"])
        .stdout(full)
        .output()
        .expect("palisade starts");
    assert_eq!(output.status.code(), Some(1));
    let message = text(&output.stderr);
    assert!(
        message.starts_with("palisade: cannot write to standard output: "),
        "{message}"
    );
    assert_eq!(message.lines().count(), 1);
}

#[test]
fn a_reader_that_went_away_is_no_error() {
    let (reader, writer) = UnixStream::pair().expect("a pair of sockets");
    drop(reader);
    let output = palisade(&["--help"])
        .stdout(OwnedFd::from(writer))
        .output()
        .expect("palisade starts");
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty());
}

#[test]
fn a_server_of_counters_answers_until_it_is_terminated() {
    let mut server = palisade(&[
        "metrics",
        "--listen",
        "127.0.0.1:0",
        "--listen",
        "127.0.0.1:0",
    ])
    .stdout(Stdio::piped())
    .spawn()
    .expect("palisade starts");
    let mut lines = BufReader::new(server.stdout.take().expect("a pipe")).lines();
    for _ in 0..2 {
        let line = lines.next().expect("a line").expect("text");
        let address = line
            .strip_prefix("listening on http://")
            .and_then(|rest| rest.strip_suffix("/metrics"));
        let address = address.unwrap_or_else(|| panic!("{line}"));
        for (request, expected) in [
            ("GET / HTTP/1.1", "HTTP/1.1 404 Not Found"),
            ("POST /metrics HTTP/1.1", "HTTP/1.1 405 Method Not Allowed"),
        ] {
            let mut stream = TcpStream::connect(address).expect("a connection");
            let head = format!("{request}\r\n\r\n");
            stream.write_all(head.as_bytes()).expect("a request");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).expect("an answer");
            assert!(answer.starts_with(expected), "{request}: {answer}");
        }
    }
    let killed = Command::new("kill").arg(server.id().to_string()).status();
    assert!(killed.expect("kill starts").success());
    let status = server.wait().expect("it ends");
    assert_eq!(status.signal(), Some(15), "{status}");
}

#[test]
fn an_address_that_is_in_use_is_an_error() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a socket");
    let address = taken.local_addr().expect("an address").to_string();
    let output = run(&["metrics", "--listen", "127.0.0.1:0", "--listen", &address]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        text(&output.stderr),
        format!(
            "palisade: metrics: cannot listen on {address}: Address already in use (os error 98)\n"
        )
    );
    assert!(output.stdout.is_empty());
}

#[test]
fn a_live_view_needs_a_terminal() {
    let output = run(&["top"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        text(&output.stderr),
        "palisade: top: standard output is not a terminal: use --once or --json\n"
    );
    assert!(output.stdout.is_empty());
}
