// SPDX-License-Identifier: GPL-2.0

//! Rates, and counters that begin anew.

use std::time::{Duration, Instant};

use super::{BAN, HTTP, HTTPS, flooded, sample};
use crate::top::{
    history::History,
    rates::{Frame, per_second},
    sample::Counts,
};

#[test]
fn counters_grow_or_begin_anew() {
    for (before, now, milliseconds, expected) in [
        (10, 30, 1000, 20.0),
        (10, 30, 2000, 10.0),
        (10, 10, 1000, 0.0),
        (u64::MAX - 1, u64::MAX, 500, 2.0),
        // Less than before: it has been zeroed.
        (1_000_000, 30, 1000, 30.0),
        (u64::MAX, 0, 1000, 0.0),
        // No time at all.
        (0, 1, 0, 1000.0),
    ] {
        let rate = per_second(before, now, Duration::from_millis(milliseconds));
        assert_eq!(rate, expected, "{before} {now} {milliseconds}");
    }
}

#[test]
fn ports_and_rules_are_sorted_by_rate() {
    let state = flooded();
    let frame = &state.frame;
    assert_eq!(frame.elapsed, Some(Duration::from_secs(2)));
    let ports: Vec<_> = frame.ports.iter().collect();
    assert_eq!(ports[0].port.ports, "80");
    let rates = ports[0].rates.unwrap();
    assert_eq!(
        rates.values(),
        [20_000.0, 19_500.0, 10.0, 3.0, 9.0, 2.0, 1.0, 4.0]
    );
    assert_eq!(ports[1].port.only, Some(443));
    assert_eq!(ports[1].rates.unwrap().syns, 5.0);
    assert_eq!(frame.syns(), 20_005.0);
    assert_eq!(
        frame
            .ports
            .iter()
            .map(|row| row.is_flooded())
            .collect::<Vec<_>>(),
        [true, false]
    );
    let rules: Vec<_> = frame
        .rules
        .iter()
        .map(|row| (row.rule.position, row.rates.unwrap()))
        .collect();
    assert_eq!(
        rules,
        [
            (2, (20_000.0, 1_200_000.0)),
            (3, (50.0, 3000.0)),
            (1, (5.0, 300.0))
        ]
    );
}

#[test]
fn a_rule_is_the_same_wherever_it_stands() {
    let begin = Instant::now();
    let before = sample(begin, 0, &[(HTTP, 100), (BAN, 1000), (BAN, 5)], &[[100; 8]]);
    // Another rule came before them, and the first of two that are equal.
    let rules = [(HTTPS, 9), (HTTP, 110), (BAN, 1000), (BAN, 6)];
    let after = sample(begin, 1, &rules, &[[0; 8], [103; 8]]);
    let frame = Frame::new(Some(&before), &after, &mut History::default());
    let rates: Vec<_> = frame
        .rules
        .iter()
        .map(|row| (row.rule.position, row.rates.map(|(packets, _)| packets)))
        .collect();
    assert_eq!(
        rates,
        [(2, Some(10.0)), (4, Some(1.0)), (3, Some(0.0)), (1, None)]
    );
    // What was not there before has no rate, and so none that is wrong.
    let ports: Vec<_> = frame.ports.iter().map(|row| row.rates).collect();
    assert_eq!(ports, [Some(Counts::of([3.0; 8])), None]);
}

#[test]
fn a_flood_is_told() {
    let begin = Instant::now();
    let flooded = |rule, counts: [u64; 8]| {
        let before = sample(begin, 0, &[(rule, 0)], &[[0; 8]]);
        let after = sample(begin, 1, &[(rule, 0)], &[counts]);
        let frame = Frame::new(Some(&before), &after, &mut History::default());
        frame.ports[0].is_flooded()
    };
    // Few cookies, cookies that come back, and cookies that do not.
    assert!(!flooded(HTTP, [9, 9, 0, 0, 0, 0, 0, 0]));
    assert!(!flooded(HTTP, [1000, 1000, 500, 0, 0, 0, 0, 0]));
    assert!(flooded(HTTP, [1000, 1000, 499, 0, 0, 0, 0, 0]));
    // The rule sends cookies in floods only.
    assert!(!flooded(HTTPS, [1000, 0, 0, 0, 0, 0, 0, 0]));
    assert!(flooded(HTTPS, [1000, 1, 1, 0, 0, 0, 0, 0]));
}

#[test]
fn history_follows_the_ports() {
    let begin = Instant::now();
    let mut history = History::default();
    let mut before = sample(begin, 0, &[(HTTP, 0)], &[[0; 8]]);
    for second in 1..300 {
        let rules = [(HTTPS, 0), (HTTP, 0)];
        let now = sample(begin, second, &rules, &[[0; 8], [second * 10; 8]]);
        let frame = Frame::new(Some(&before), &now, &mut history);
        let http = &frame.ports[0];
        assert_eq!(http.port.only, Some(80));
        assert_eq!(http.history, vec![10.0; (second as usize).min(256)]);
        before = now;
    }
    let gone = sample(begin, 300, &[(HTTPS, 0)], &[[0; 8]]);
    Frame::new(Some(&before), &gone, &mut history);
    let back = sample(begin, 301, &[(HTTP, 0)], &[[0; 8]]);
    let frame = Frame::new(Some(&gone), &back, &mut history);
    assert!(frame.ports[0].history.is_empty());
}
