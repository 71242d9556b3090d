// SPDX-License-Identifier: GPL-2.0

//! Numbers in a unit of time, such as `3/hour`.

use std::fmt;

/// The units of time, with what iptables prints and the seconds that they have.
pub(super) const UNITS: [(&str, &str, u32); 4] = [
    ("second", "sec", 1),
    ("minute", "min", 60),
    ("hour", "hour", 3600),
    ("day", "day", 86400),
];

/// What comes before the unit, and the seconds of that, which is a second if there is none; no seconds if there is no such
/// unit. As in iptables, the beginning of a unit will do.
pub(super) fn split(text: &str) -> (&str, Option<u32>) {
    let (number, unit) = text.split_once('/').unwrap_or((text, "second"));
    let unit = unit.to_ascii_lowercase();
    let is_meant = |name: &str| !unit.is_empty() && name.starts_with(&unit);
    let found = UNITS.iter().find(|(name, ..)| is_meant(name));
    (number, found.map(|(_, _, seconds)| *seconds))
}

/// Write a number in a period of so many seconds.
pub(super) fn write(number: u32, period: u32, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    match UNITS.iter().find(|(_, _, seconds)| *seconds == period) {
        Some((_, short, _)) => write!(out, "{number}/{short}"),
        // Only other programs make such a rule.
        None => write!(out, "{number}/{period}s"),
    }
}
