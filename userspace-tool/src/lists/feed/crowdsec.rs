// SPDX-License-Identifier: GPL-2.0

//! The decisions that CrowdSec's custom bouncer writes, each a JSON object on a line.

use serde_json::Value;

use super::{
    super::{expiry::Expiry, wire::NewEntry},
    line::Request,
};

/// Units of Go's durations, in nanoseconds. Those that begin with another come first.
const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1000),
    ("\u{b5}s", 1000),
    ("\u{3bc}s", 1000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

pub(super) fn parse(line: &str) -> Result<Request, String> {
    let decision: Value = serde_json::from_str(line)
        .map_err(|error| format!("this is not a JSON object: {error}"))?;
    let text = |name| decision.get(name).and_then(Value::as_str);
    let need = |name| text(name).ok_or_else(|| format!("{name} is missing"));
    for (name, known) in [("scope", &["Ip", "Range"][..]), ("type", &["ban"])] {
        match text(name) {
            Some(other) if !known.iter().any(|known| known.eq_ignore_ascii_case(other)) => {
                return Ok(Request::Skip(format!("decisions of the {name} {other}")));
            }
            _ => {}
        }
    }
    let key = need("value")?.parse()?;
    match need("action")? {
        "add" => Ok(match milliseconds(need("duration")?)? {
            0 => Request::Skip("decisions that have expired".to_owned()),
            left => Request::Add(NewEntry {
                key,
                expiry: Some(Expiry::After(left)),
            }),
        }),
        "del" => Ok(Request::Delete(key)),
        _ => Err("an action is add or del".to_owned()),
    }
}

/// The milliseconds of a duration of Go, such as 3h59m57.2s; 0 if it is none, or has passed.
fn milliseconds(text: &str) -> Result<u64, String> {
    let wrong = || "a duration is such as 3h59m57.2s".to_owned();
    let (is_past, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(wrong());
    }
    let mut nanoseconds = 0u128;
    while !rest.is_empty() {
        let end = rest.find(|character: char| character != '.' && !character.is_ascii_digit());
        let (number, unit) = rest.split_at(end.ok_or_else(wrong)?);
        let known = UNITS.iter().find(|(name, _)| unit.starts_with(name));
        let (name, size) = known.ok_or_else(wrong)?;
        let size = u128::from(*size);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() {
            return Err(wrong());
        }
        if !whole.is_empty() {
            let whole: u64 = whole.parse().map_err(|_| wrong())?;
            nanoseconds = nanoseconds.saturating_add(size.saturating_mul(whole.into()));
        }
        let mut weight = size;
        for digit in fraction.chars() {
            weight /= 10;
            let digit = digit.to_digit(10).ok_or_else(wrong)?;
            nanoseconds = nanoseconds.saturating_add(weight.saturating_mul(digit.into()));
        }
        rest = unit.get(name.len()..).unwrap_or_default();
    }
    if is_past {
        return Ok(0);
    }
    u64::try_from(nanoseconds.div_ceil(1_000_000)).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_of_go_are_read() {
        for (text, expected) in [
            ("0", 0),
            ("0s", 0),
            ("3h59m57.2s", 14_397_200),
            ("167h59m59.999999999s", 604_800_000),
            ("+1.5h", 5_400_000),
            (".5s", 500),
            ("1.s", 1000),
            ("300ms", 300),
            ("1ns", 1),
            ("1500\u{b5}s", 2),
            ("1500\u{3bc}s2us", 2),
            ("-1m30s", 0),
            ("876000h0m0s", 3_153_600_000_000),
        ] {
            assert_eq!(milliseconds(text), Ok(expected), "{text}");
        }
        for text in [
            "",
            "-",
            "1",
            "s",
            ".s",
            "1..5s",
            "1h2",
            "1d",
            "99999999999999999999h",
        ] {
            assert!(milliseconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn decisions_are_read() {
        let entry = |key: &str, milliseconds| {
            let key = key.parse().unwrap();
            let expiry = Some(Expiry::After(milliseconds));
            Request::Add(NewEntry { key, expiry })
        };
        for (line, expected) in [
            (
                r#"{"duration":"4h","origin":"cscli","scenario":"a # b","scope":"Ip","type":"ban","value":"192.0.2.1","id":1,"action":"add"}"#,
                entry("192.0.2.1", 14_400_000),
            ),
            (
                r#"{"duration":"1s","scope":"range","value":"2001:db8::/32","action":"add"}"#,
                entry("2001:db8::/32", 1000),
            ),
            (
                r#"{"duration":"-1s","scope":"Ip","type":"ban","value":"192.0.2.1","action":"del"}"#,
                Request::Delete("192.0.2.1".parse().unwrap()),
            ),
            (
                r#"{"duration":"-1s","scope":"Ip","value":"192.0.2.1","action":"add"}"#,
                Request::Skip("decisions that have expired".to_owned()),
            ),
            (
                r#"{"duration":"1h","scope":"Country","value":"XX","action":"add"}"#,
                Request::Skip("decisions of the scope Country".to_owned()),
            ),
            (
                r#"{"duration":"1h","scope":"Ip","type":"captcha","value":"192.0.2.1","action":"add"}"#,
                Request::Skip("decisions of the type captcha".to_owned()),
            ),
        ] {
            assert_eq!(parse(line), Ok(expected), "{line}");
        }
        for (line, expected) in [
            ("{", "this is not a JSON object: "),
            ("{}", "value is missing"),
            (r#"{"value":"192.0.2.1"}"#, "action is missing"),
            (r#"{"value":"192.0.2.1","action":"ban"}"#, "an action is"),
            (
                r#"{"value":"192.0.2.1","action":"add"}"#,
                "duration is missing",
            ),
            (
                r#"{"value":"x","action":"del"}"#,
                "not an IPv4 or IPv6 address",
            ),
        ] {
            let reason = parse(line).unwrap_err();
            assert!(reason.starts_with(expected), "{line}: {reason}");
        }
    }

    proptest! {
        #[test]
        fn no_duration_makes_it_panic(text in "-?([0-9]{0,20}\\.?[0-9]{0,20}(h|m|s|ms|\u{b5}s|ns)?){0,4}|\\PC{0,9}") {
            let _ = milliseconds(&text);
        }
    }
}
