// SPDX-License-Identifier: GPL-2.0

//! The time of day, as people write it and other machines read it: 2026-11-21T09:30:00.250Z.

use std::time::{SystemTime, UNIX_EPOCH};

const DAY: u64 = 86_400_000;

/// Milliseconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| since.as_millis().try_into().ok())
        .unwrap_or(0)
}

fn is_leap(year: u64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of_year(year: u64) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

fn days_of_month(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

pub(super) fn show(milliseconds: u64) -> String {
    let (mut days, rest) = (milliseconds / DAY, milliseconds % DAY);
    let (mut year, mut month) = (1970, 1);
    while days >= days_of_year(year) {
        days -= days_of_year(year);
        year += 1;
    }
    while days >= days_of_month(year, month) {
        days -= days_of_month(year, month);
        month += 1;
    }
    let (hours, minutes) = (rest / 3_600_000, rest / 60_000 % 60);
    let (seconds, thousandths) = (rest / 1000 % 60, rest % 1000);
    format!(
        "{year:04}-{month:02}-{:02}T{hours:02}:{minutes:02}:{seconds:02}.{thousandths:03}Z",
        days + 1
    )
}

/// The milliseconds since 1970 of such a time, up to the year 9999.
pub(super) fn parse(text: &str) -> Option<u64> {
    let form = "0000-00-00T00:00:00.000Z";
    let fits = text.len() == form.len()
        && text
            .bytes()
            .zip(form.bytes())
            .all(|(byte, like)| match like {
                b'0' => byte.is_ascii_digit(),
                _ => byte == like,
            });
    if !fits {
        return None;
    }
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hours, minutes) = (number(11, 13)?, number(14, 16)?);
    let (seconds, thousandths) = (number(17, 19)?, number(20, 23)?);
    let exists = year >= 1970
        && (1..=12).contains(&month)
        && (1..=days_of_month(year, month)).contains(&day)
        && hours < 24
        && minutes < 60
        && seconds < 60;
    if !exists {
        return None;
    }
    let days = (1970..year).map(days_of_year).sum::<u64>()
        + (1..month)
            .map(|month| days_of_month(year, month))
            .sum::<u64>()
        + (day - 1);
    Some(days * DAY + hours * 3_600_000 + minutes * 60_000 + seconds * 1000 + thousandths)
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
            assert_eq!(show(milliseconds), text);
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
            prop_assert_eq!(parse(&show(milliseconds)), Some(milliseconds));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,30}") {
            let _ = parse(&text);
        }
    }
}
