// SPDX-License-Identifier: GPL-2.0

//! Times as people write and read them.

use std::fmt;

use crate::text::is_number;

/// Units of what is printed, in milliseconds, the longest first.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

/// The milliseconds of a duration such as 90s, 1h30m or 500ms; a bare number is seconds.
pub(crate) fn parse(text: &str) -> Result<u64, String> {
    let seconds = is_number(text).then(|| format!("{text}s"));
    let is_word = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    humantime::parse_duration(seconds.as_deref().unwrap_or(text))
        .ok()
        .filter(|_| is_word)
        .and_then(|duration| duration.as_millis().try_into().ok())
        .ok_or_else(|| {
            "a duration is a number of seconds, or such as 500ms, 90s, 10m, 1h30m, 7d".to_owned()
        })
}

/// Milliseconds as a time without loss, which [`parse`] reads, such as 1h2m3s40ms.
pub(crate) struct Exact(pub(crate) u64);

impl fmt::Display for Exact {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut milliseconds = self.0;
        if milliseconds == 0 {
            return out.write_str("0s");
        }
        for (unit, size) in UNITS {
            if milliseconds >= size {
                write!(out, "{}{unit}", milliseconds / size)?;
                milliseconds %= size;
            }
        }
        Ok(())
    }
}

/// A time in two units at most, such as 3.2s, 5m 12s or 2d 3h.
pub(crate) fn show(milliseconds: u64) -> String {
    if milliseconds < 1000 {
        return format!("{milliseconds}ms");
    }
    if milliseconds < 60_000 {
        let tenths = milliseconds % 1000 / 100;
        return if tenths == 0 {
            format!("{}s", milliseconds / 1000)
        } else {
            format!("{}.{tenths}s", milliseconds / 1000)
        };
    }
    let mut units = UNITS.windows(2).filter_map(|pair| match pair {
        [(large, size), (small, part)] if milliseconds >= *size => {
            let rest = milliseconds % size / part;
            let count = milliseconds / size;
            Some(if rest == 0 {
                format!("{count}{large}")
            } else {
                format!("{count}{large} {rest}{small}")
            })
        }
        _ => None,
    });
    units.next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        for (text, milliseconds) in [
            ("0", 0),
            ("90", 90_000),
            ("500ms", 500),
            ("1h30m", 5_400_000),
            ("7d", 604_800_000),
        ] {
            assert_eq!(parse(text), Ok(milliseconds), "{text}");
        }
        for text in [
            "",
            "s",
            "1x",
            "-1",
            "1.5s",
            "5m3",
            "99999999999999999999d",
            "1h 2m",
            "é",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_are_shown() {
        for (milliseconds, text) in [
            (0, "0ms"),
            (999, "999ms"),
            (3249, "3.2s"),
            (5000, "5s"),
            (312_000, "5m 12s"),
            (3_600_000, "1h"),
            (183_600_000, "2d 3h"),
        ] {
            assert_eq!(show(milliseconds), text);
        }
    }
}
