// SPDX-License-Identifier: GPL-2.0

//! Times such as 2026-11-21T09:30:00.250Z.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use humantime::{Rfc3339Timestamp, format_rfc3339_millis, parse_rfc3339};

/// Milliseconds since 1970.
pub(crate) fn now() -> u64 {
    since_1970(SystemTime::now()).unwrap_or(0)
}

fn since_1970(time: SystemTime) -> Option<u64> {
    let since = time.duration_since(UNIX_EPOCH).ok()?;
    since.as_millis().try_into().ok()
}

/// The last time that can be displayed: the end of the year 9999.
pub(super) const LATEST: u64 = 253_402_300_799_999;

/// A time up to [`LATEST`].
pub(crate) fn show(milliseconds: u64) -> Rfc3339Timestamp {
    format_rfc3339_millis(UNIX_EPOCH + Duration::from_millis(milliseconds))
}

/// The milliseconds since 1970 of such a time.
pub(super) fn parse(text: &str) -> Option<u64> {
    since_1970(parse_rfc3339(text).ok()?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_times_are_right() {
        for (milliseconds, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (4_102_444_799_999, "2099-12-31T23:59:59.999Z"),
            (1_795_253_400_250, "2026-11-21T09:30:00.250Z"),
        ] {
            assert_eq!(show(milliseconds).to_string(), text);
            assert_eq!(parse(text), Some(milliseconds));
        }
        for text in [
            "",
            "2026-11-21",
            "2026-02-29T00:00:00.000Z",
            "2026-13-01T00:00:00.000Z",
            "2026-11-21T24:00:00.000Z",
            "2026-11-21T09:30:00.250+",
            "\u{e9}26-11-21T09:30:00.250Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read(milliseconds in 0..253_402_300_800_000u64) {
            prop_assert_eq!(parse(&show(milliseconds).to_string()), Some(milliseconds));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,30}") {
            let _ = parse(&text);
        }
    }
}
