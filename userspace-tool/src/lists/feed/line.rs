// SPDX-License-Identifier: GPL-2.0

//! A line of a feed: one that people write, one of CrowdSec's bouncer, or one of sshguard.

use super::{
    super::{expiry::Expiry, key::EntryKey, wire::NewEntry},
    crowdsec,
};
use crate::error::suggestion;

/// What a line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Request {
    Add(NewEntry),
    Delete(EntryKey),
    Flush,
    /// A flush, when the feed ends.
    FlushOnExit,
    /// Nothing that a list can do; what it is.
    Skip(String),
}

/// Read a line; none if it says nothing.
pub(super) fn parse(line: &str) -> Result<Option<Request>, String> {
    if line.trim_start().starts_with('{') {
        return crowdsec::parse(line).map(Some);
    }
    let line = line.split('#').next().unwrap_or_default().trim();
    let (word, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
    let rest = rest.trim_start();
    let alone = |request| match rest {
        "" => Ok(request),
        _ => Err(format!("nothing follows {word}")),
    };
    Ok(Some(match word {
        "" => return Ok(None),
        "add" => Request::Add(rest.parse()?),
        "del" => Request::Delete(rest.parse()?),
        "block" => Request::Add(NewEntry {
            key: sshguard_key(rest)?,
            // Until it is released.
            expiry: Some(Expiry::Never),
        }),
        "release" => Request::Delete(sshguard_key(rest)?),
        "flush" => alone(Request::Flush)?,
        "flushonexit" => alone(Request::FlushOnExit)?,
        _ => {
            let known = ["add", "del", "flush", "block", "release", "flushonexit"];
            return Err(suggestion(word, &known));
        }
    }))
}

/// What sshguard names in three words: an address, the IP version, and the length of a prefix.
fn sshguard_key(words: &str) -> Result<EntryKey, String> {
    let words: Vec<&str> = words.split_whitespace().collect();
    let [address, version, length] = words[..] else {
        return Err("an address, 4 or 6, and the length of a prefix are wanted".to_owned());
    };
    let key: EntryKey = format!("{address}/{length}").parse()?;
    match (key.network.addr().is_ipv4(), version) {
        (true, "4") | (false, "6") => Ok(key),
        _ => Err(format!("{address} is no address of IP version {version}")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn add(key: &str, expiry: Option<Expiry>) -> Request {
        let key = key.parse().unwrap();
        Request::Add(NewEntry { key, expiry })
    }

    #[test]
    fn lines_of_each_kind_are_read() {
        let delete = |key: &str| Request::Delete(key.parse().unwrap());
        let never = Some(Expiry::Never);
        for (line, expected) in [
            ("add 192.0.2.1", add("192.0.2.1", None)),
            (
                " add\t2001:db8::/32 for=ever # x",
                add("2001:db8::/32", never),
            ),
            (
                "add 192.0.2.1 443 for=90",
                add("192.0.2.1:443", Some(Expiry::After(90_000))),
            ),
            ("del 192.0.2.0/24", delete("192.0.2.0/24")),
            ("flush", Request::Flush),
            ("block 192.0.2.1 4 32", add("192.0.2.1", never)),
            ("block 2001:db8::1 6 64\r", add("2001:db8::/64", never)),
            ("release 192.0.2.1 4 24", delete("192.0.2.0/24")),
            ("flushonexit", Request::FlushOnExit),
        ] {
            assert_eq!(parse(line), Ok(Some(expected)), "{line}");
        }
        for line in ["", " \t", "# add 192.0.2.1"] {
            assert_eq!(parse(line), Ok(None), "{line}");
        }
    }

    #[test]
    fn bad_lines_say_why() {
        for (line, expected) in [
            ("ad 192.0.2.1", "did you mean add?"),
            ("add", "not an IPv4 or IPv6 address"),
            ("add 192.0.2.1 for=soon", "a duration is"),
            ("add 192.0.2.1 for=0", "an address is kept for some time"),
            ("del 192.0.2.0/33", "the length of its prefix"),
            ("flush 192.0.2.1", "nothing follows flush"),
            ("block 192.0.2.1", "an address, 4 or 6, and"),
            (
                "block 192.0.2.1 6 32",
                "192.0.2.1 is no address of IP version 6",
            ),
            ("release ::1 6 129", "the length of its prefix"),
        ] {
            let reason = parse(line).unwrap_err();
            assert!(reason.starts_with(expected), "{line}: {reason}");
        }
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic(line in "(add|del|block|release|flush)? ?[0-9a-f.:/]{0,9}( 4| 6| for=)?( [0-9]{0,3})?|\\PC{0,20}") {
            let _ = parse(&line);
        }
    }
}
