// SPDX-License-Identifier: GPL-2.0

//! Lists as text, to be kept in a file:
//!
//! ```text
//! list SSH size=1000 hits=20 timeout=1h saved=2026-11-21T09:30:00.250Z except=TRUSTED
//! 192.0.2.1 ttl=64 packets=2 ages=1s500ms,20s
//! [2001:db8::1]:443 ttl=60 packets=1 ages=5m until=2026-11-28T00:00:00.000Z
//!
//! list BAN size=100000 hits=20 timeout=0 saved=2026-11-21T09:30:00.250Z networks
//! 198.51.100.0/24 ttl=0 packets=1 ages=2h until=ever
//! ```
//!
//! Ages are those at the time of saving. Restored entries are older by the time since then. `until` is when an
//! address expires that was told so, or `ever`: it does so while the machine is off, too.

use std::fmt;

use super::{
    clock,
    duration::{self, Exact},
    expiry::{EVER, Expiry},
    input::lines,
    key::EntryKey,
    wire::{Entry, List},
};
use crate::{error::Error, netlink::spec::HITS_MAX, rules::list_name, text::quote};

/// More ages do not fit into one attribute; the kernel tells fewer.
const AGES_MAX: usize = 5000;

/// A list with its entries, the one that was seen last first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Saved {
    pub(super) list: List,
    pub(super) entries: Vec<Entry>,
}

/// Write the text of a list, with the ages at that time. Entries are written one by one, since there may be millions.
pub(super) fn save(saved: &Saved, now: u64, out: &mut impl fmt::Write) -> fmt::Result {
    let Saved { list, entries } = saved;
    writeln!(
        out,
        "list {} size={} hits={} timeout={} saved={}{}{}",
        quote_name(&list.name),
        list.size,
        list.hits,
        Exact(list.timeout),
        clock::show(now),
        match quote_name(&list.except).as_str() {
            "" => String::new(),
            except => format!(" except={except}"),
        },
        if list.networks { " networks" } else { "" }
    )?;
    for entry in entries {
        let Entry {
            key,
            time_to_live,
            packets,
            ages,
            expiry,
        } = entry;
        write!(out, "{key} ttl={time_to_live} packets={packets} ages=")?;
        for (index, age) in ages.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(out, "{comma}{}", Exact(*age))?;
        }
        match expiry {
            Some(Expiry::Never) => write!(out, " until={EVER}")?,
            Some(Expiry::After(left)) => {
                let until = now.saturating_add(*left).min(clock::LATEST);
                write!(out, " until={}", clock::show(until))?;
            }
            None => {}
        }
        out.write_char('\n')?;
    }
    Ok(())
}

/// A name as one word. White space, # and % are escaped as in a URL.
fn quote_name(name: &str) -> String {
    let mut text = String::new();
    for character in name.chars() {
        if !character.is_whitespace() && !matches!(character, '#' | '%') {
            text.push(character);
            continue;
        }
        for byte in character.encode_utf8(&mut [0; 4]).bytes() {
            text += &format!("%{byte:02x}");
        }
    }
    text
}

fn unquote_name(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend(before.bytes());
        let digits = after.get(..2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = after.get(2..)?;
    }
    bytes.extend(rest.bytes());
    String::from_utf8(bytes).ok()
}

/// When lists were saved, and are restored, in milliseconds since 1970.
#[derive(Clone, Copy)]
struct Times {
    saved: u64,
    now: u64,
}

/// Read lists; their ages become those at the time `now`.
pub(super) fn restore(text: &str, file: &str, now: u64) -> Result<Vec<Saved>, Error> {
    let mut lists: Vec<Saved> = Vec::new();
    let mut times = Times { saved: now, now };
    for (number, line) in lines(text) {
        let mut read = || -> Result<(), String> {
            if let Some(header) = line.strip_prefix("list ") {
                let (list, saved) = read_header(header)?;
                if lists.iter().any(|other| other.list.name == list.name) {
                    return Err(format!("list {} is there twice", list.name));
                }
                // A clock that went back makes nothing younger.
                times = Times {
                    saved,
                    now: now.max(saved),
                };
                lists.push(Saved {
                    list,
                    entries: Vec::new(),
                });
                return Ok(());
            }
            let list = lists
                .last_mut()
                .ok_or("the line of a list has to come first")?;
            list.entries.extend(read_entry(line, times)?);
            Ok(())
        };
        read().map_err(|reason| {
            Error::Failure(format!(
                "line {number} of {file}: {}: {reason}",
                quote(line)
            ))
        })?;
    }
    Ok(lists)
}

fn read_header(header: &str) -> Result<(List, u64), String> {
    let mut words = header.split_whitespace();
    let name = words.next().and_then(unquote_name);
    let name = list_name(&name.ok_or("the list has no name")?)?;
    let (mut size, mut hits, mut timeout, mut saved) = (None, None, None, None);
    let (mut except, mut networks) = (String::new(), false);
    for word in words {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        match key {
            "size" => size = Some(read_number(key, value, 1, u32::MAX)?),
            "hits" => hits = Some(read_number(key, value, 1, HITS_MAX)?),
            "timeout" => timeout = Some(duration::parse(value)?),
            "saved" => {
                saved = Some(read_time(value)?);
            }
            "except" => {
                let name = unquote_name(value).ok_or("except is the name of a list")?;
                except = list_name(&name)?;
            }
            "networks" if key == word => networks = true,
            _ => return Err(format!("{key} is nothing that a list has")),
        }
    }
    let list = List {
        name,
        size: size.ok_or("size is missing")?,
        hits: hits.ok_or("hits is missing")?,
        timeout: timeout.ok_or("timeout is missing")?,
        except,
        networks,
        ..List::default()
    };
    Ok((list, saved.ok_or("saved is missing")?))
}

fn read_time(text: &str) -> Result<u64, String> {
    clock::parse(text).ok_or_else(|| "a time is such as 2026-11-21T09:30:00.250Z".to_owned())
}

/// Read an entry; none if it has expired.
fn read_entry(line: &str, times: Times) -> Result<Option<Entry>, String> {
    let elapsed = times.now.saturating_sub(times.saved);
    let mut words = line.split_whitespace();
    let key: EntryKey = words.next().unwrap_or_default().parse()?;
    let (mut time_to_live, mut packets, mut ages) = (0, None, Vec::new());
    let mut expiry = None;
    for word in words {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        match key {
            "ttl" => time_to_live = read_number(key, value, 0, u8::MAX.into())?,
            "packets" => packets = Some(read_number(key, value, 0, u32::MAX)?),
            "ages" => {
                for age in value.split(',') {
                    ages.push(duration::parse(age)?.saturating_add(elapsed));
                }
            }
            "until" if value == EVER => expiry = Some(Expiry::Never),
            "until" => {
                let left = read_time(value)?.saturating_sub(times.now);
                expiry = Some(Expiry::After(left));
            }
            _ => return Err(format!("{key} is nothing that an address has")),
        }
    }
    if ages.is_empty() {
        return Err("ages is missing".to_owned());
    }
    if ages.len() > AGES_MAX {
        return Err(format!("there are more than {AGES_MAX} ages"));
    }
    if !ages.is_sorted() {
        return Err("the latest packet comes first".to_owned());
    }
    let entry = Entry {
        key,
        time_to_live: u8::try_from(time_to_live).unwrap_or(0),
        packets: packets.unwrap_or(u32::try_from(ages.len()).unwrap_or(u32::MAX)),
        ages,
        expiry,
    };
    Ok((expiry != Some(Expiry::After(0))).then_some(entry))
}

fn read_number(name: &str, text: &str, least: u32, most: u32) -> Result<u32, String> {
    match text.parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(format!("{name} is a number from {least} to {most}")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    const HEADER: &str = "list a size=5 hits=3 timeout=1h saved=2026-11-21T09:30:00.000Z";

    #[test]
    fn ages_go_on_counting() {
        let text =
            format!("# mine\n{HEADER}\n\n192.0.2.1 ttl=64 packets=9 ages=1s,2m\n[::1]:5 ages=0");
        let saved = clock::parse("2026-11-21T09:30:00.000Z").unwrap();
        let lists = restore(&text, "x", saved + 500).unwrap();
        assert_eq!(lists.len(), 1);
        let entries = &lists[0].entries;
        assert_eq!(entries[0].ages, [1500, 120_500]);
        assert_eq!((entries[0].time_to_live, entries[0].packets), (64, 9));
        assert_eq!((entries[1].key.port, entries[1].packets), (5, 1));
        // A clock that went back does not make anything younger.
        assert_eq!(
            restore(&text, "x", saved - 500).unwrap()[0].entries[0].ages[0],
            1000
        );
    }

    #[test]
    fn who_was_told_when_to_expire_does_so_meanwhile() {
        let text = format!(
            "{HEADER}\n::1 ages=1s until=2026-11-21T09:30:10.000Z\n::2 ages=1s until=ever\n::3 ages=1s"
        );
        let saved = clock::parse("2026-11-21T09:30:00.000Z").unwrap();
        let restored = |now| -> Vec<Option<Expiry>> {
            let lists = restore(&text, "x", now).unwrap();
            lists[0].entries.iter().map(|entry| entry.expiry).collect()
        };
        let never = Some(Expiry::Never);
        assert_eq!(
            restored(saved + 9999),
            [Some(Expiry::After(1)), never, None]
        );
        assert_eq!(restored(saved + 10_000), [never, None]);
        assert_eq!(restored(saved + 99_000), [never, None]);
        // A clock that went back does not keep anybody longer.
        assert_eq!(restored(0), [Some(Expiry::After(10_000)), never, None]);
    }

    #[test]
    fn bad_lines_are_named() {
        for (lines, expected) in [
            (
                "192.0.2.1 ages=1s",
                "line 1 of f: \"192.0.2.1 ages=1s\": the line of a list",
            ),
            ("list a", "line 1 of f: \"list a\": size is missing"),
            (&format!("{HEADER}\n1.2.3 ages=1s"), "line 2 of f: "),
            (
                &format!("{HEADER}\n::1 ages=2s,1s"),
                "line 2 of f: \"::1 ages=2s,1s\": the latest",
            ),
            (
                &format!("{HEADER}\n::1"),
                "line 2 of f: ::1: ages is missing",
            ),
            (
                &format!("{HEADER}\n::1 ages=1s until=soon"),
                "line 2 of f: \"::1 ages=1s until=soon\": a time is such as",
            ),
            (&format!("{HEADER}\n{HEADER}"), "line 2 of f: "),
        ] {
            let error = restore(lines, "f", 0).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    prop_compose! {
        fn entry()(
            address in any::<std::net::IpAddr>(),
            port in any::<u16>(),
            prefix in proptest::option::of(0u8..=32),
            time_to_live in any::<u8>(),
            packets in any::<u32>(),
            mut ages in vec(0..u64::from(u32::MAX), 1..9),
            expiry in proptest::option::of(prop_oneof![
                Just(Expiry::Never),
                (1..1u64 << 40).prop_map(Expiry::After),
            ]),
        ) -> Entry {
            ages.sort_unstable();
            let key = match prefix {
                Some(length) => EntryKey::of_prefix(address, length).unwrap(),
                None => EntryKey::from(address).with_port(port),
            };
            Entry { key, time_to_live, packets, ages, expiry }
        }
    }

    proptest! {
        #[test]
        fn what_is_saved_is_restored(
            name in "[ -~äöü\u{2003}]{1,30}",
            size in 1..=u32::MAX,
            hits in 1..=HITS_MAX,
            timeout in 0..u64::from(u32::MAX),
            except in "|[ -~äöü\u{2003}]{1,30}",
            networks in any::<bool>(),
            entries in vec(entry(), 0..5),
            now in 0..clock::LATEST - (1 << 40),
        ) {
            let list = List { name, size, hits, timeout, except, networks, ..List::default() };
            let saved = Saved { list, entries };
            let mut text = String::new();
            save(&saved, now, &mut text).unwrap();
            let restored = restore(&text, "x", now);
            prop_assert_eq!(restored.unwrap(), [saved]);
        }

        #[test]
        fn no_text_makes_it_panic(
            lines in vec("list \\PC{0,20}|(size|hits|timeout|saved|except|ages|ttl|until)=[0-9a-z,]{0,5}|::1 ages=[0-9smh,]{0,9}|\\PC{0,9}", 0..6)
        ) {
            let _ = restore(&format!("{HEADER}\n{}", lines.join("\n")), "x", 0);
            let _ = restore(&lines.join("\n"), "x", 0);
        }
    }
}
