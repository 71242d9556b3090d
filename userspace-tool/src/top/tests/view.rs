// SPDX-License-Identifier: GPL-2.0

//! What is drawn, at all sizes.

use std::time::{Duration, Instant};

use ratatui::{Terminal, backend::TestBackend, style::Color};

use super::{
    BAN, HTTP,
    events::{entry, flood},
    flooded,
    lists::busy,
    sample,
};
use crate::{
    error::Error,
    lists::Expiry,
    netlink::spec::command,
    top::{
        busiest::{Busy, Reading},
        state::State,
        view,
    },
};

/// A flood, a list that was read, and events.
pub(super) fn full() -> State {
    let mut state = flooded();
    state.has_keys = true;
    state.reading = Some(Ok(Reading {
        list: "ban".to_owned(),
        entries: 7,
        busiest: vec![
            Busy {
                rate: Some(52.0 / 3.0),
                expiry: Some(Expiry::After(14_400_000)),
                ..busy("203.0.113.7", 1234, Some(40))
            },
            Busy {
                rate: Some(0.0),
                expiry: Some(Expiry::Never),
                ..busy("198.51.100.0/24", 3, None)
            },
        ],
        at: Instant::now(),
        took: Duration::ZERO,
    }));
    state.lately.add(entry(command::ENTRY_ADD_NTF, 0, 7, true));
    state.lately.add(flood(1000));
    state
}

fn terminal(state: &State, width: u16, height: u16) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal
        .draw(|frame| {
            let area = frame.area();
            view::draw(state, area, frame.buffer_mut());
        })
        .unwrap();
    terminal
}

/// The lines of the screen.
fn lines(state: &State, width: u16, height: u16) -> Vec<String> {
    let terminal = terminal(state, width, height);
    let cells = terminal.backend().buffer().content();
    let rows = cells.chunks(usize::from(width));
    rows.map(|row| {
        let line: String = row.iter().map(|cell| cell.symbol()).collect();
        line.trim_end().to_owned()
    })
    .collect()
}

#[test]
fn a_terminal_of_80_columns() {
    let lines = lines(&full(), 80, 24);
    assert_eq!(
        lines[..18],
        [
            "palisade top  12:03:06 UTC  20.0k SYNs/s  FLOOD          q: quit  Tab: next list",
            " protected ports, per second ───────────────────────────────────────────────────",
            "ADDRESS   PORT        SYNS  COOK VALID INVAL  OPEN REFUS UNANS SYNS LATELY",
            "any         80 FLOOD 20.0k 19.5k    10     3     9     2     1                 █",
            "192.0.2.1  443           5     0     0     0     2     0     0                 █",
            " list ban: busiest of 7 ────────────────────────────────────────────────────────",
            "ADDRESS         PKT/S PACKETS    LAST SEEN LEFT",
            "203.0.113.7        17    1.2k     40ms ago 4h",
            "198.51.100.0/24     0       3        never ever",
            " rules by rate ─────────────────────────────────────────────────────────────────",
            "TABLE    # PKT/S BYTE/S RULE",
            "raw      2 20.0k   1.2M -A PREROUTING -p tcp -m tcp --dport 80 -j SYNPROXY",
            "raw      3    50   3.0k -A PREROUTING -m recent --rcheck --name ban --rsource -j",
            "raw      1     5    300 -A PREROUTING -d 192.0.2.1/32 -p tcp -m tcp --dport 443",
            " bans, evictions and floods lately ─────────────────────────────────────────────",
            "UTC      EVENT",
            "12:03:05 flood at 198.51.100.1:80 begins",
            "12:03:04 list ban: 203.0.113.7 added by pali?sade[12]",
        ]
    );
    assert!(lines[18..].iter().all(String::is_empty), "{lines:?}");
    assert_eq!(lines.len(), 24);
}

#[test]
fn a_terminal_of_200_columns() {
    let lines = lines(&full(), 200, 50);
    assert_eq!(
        lines[..10],
        [
            "palisade top  12:03:06 UTC  20.0k SYNs/s  FLOOD                                                                                                                                  q: quit  Tab: next list",
            " protected ports, per second ───────────────────────────────────────────────────────────────────────────────────────────  list ban: busiest of 7 ───────────────────────────────────────────────────────",
            "ADDRESS   PORT        SYNS COOKIES VALID INVALID OPENED REFUSED UNANSWERED OUT-OF-FLOW SYNS LATELY                       ADDRESS         PKT/S PACKETS    LAST SEEN LEFT",
            "any         80 FLOOD 20.0k   19.5k    10       3      9       2          1           4                                 █ 203.0.113.7        17    1.2k     40ms ago 4h",
            "192.0.2.1  443           5       0     0       0      2       0          0           0                                 █ 198.51.100.0/24     0       3        never ever",
            " rules by rate ─────────────────────────────────────────────────────────────────────────────────────────────────────────  bans, evictions and floods lately ────────────────────────────────────────────",
            "TABLE    # PKT/S BYTE/S RULE                                                                                             UTC      EVENT",
            "raw      2 20.0k   1.2M -A PREROUTING -p tcp -m tcp --dport 80 -j SYNPROXY                                               12:03:05 flood at 198.51.100.1:80 begins",
            "raw      3    50   3.0k -A PREROUTING -m recent --rcheck --name ban --rsource -j DROP                                    12:03:04 list ban: 203.0.113.7 added by pali?sade[12]",
            "raw      1     5    300 -A PREROUTING -d 192.0.2.1/32 -p tcp -m tcp --dport 443 -j SYNPROXY --when-flooded 1000",
        ]
    );
    assert!(lines[10..].iter().all(String::is_empty), "{lines:?}");
    assert_eq!(lines.len(), 50);
}

#[test]
fn a_flood_is_red() {
    let terminal = terminal(&full(), 80, 24);
    let buffer = terminal.backend().buffer();
    assert_eq!(buffer[(0, 3)].fg, Color::Red);
    assert_eq!(buffer[(0, 4)].fg, Color::Reset);
}

#[test]
fn small_terminals_have_the_ports() {
    let lines = lines(&full(), 20, 5);
    assert_eq!(
        lines[..5],
        [
            "palisade top  12:03:",
            " protected ports, pe",
            "ADDRESS PORT  SYNS S",
            "any       80 20.0k █",
            "192.0.2  443     5 █",
        ]
    );
    assert!(lines[5..].iter().all(String::is_empty), "{lines:?}");
    assert_eq!(lines.len(), 5);
}

#[test]
fn all_sizes_can_be_drawn() {
    let mut gone = full();
    gone.lose(&Error::NotLoaded("why".to_owned()));
    for state in [full(), gone, State::new(Some("x".to_owned()))] {
        for width in (0..30).chain([39, 40, 80, 119, 120, 121, 200]) {
            for height in (0..9).chain([15, 24, 50]) {
                assert_eq!(
                    lines(&state, width.max(1), height).len(),
                    usize::from(height)
                );
            }
        }
        terminal(&state, 0, 0);
        terminal(&state, 0, 5);
    }
}

#[test]
fn a_module_that_is_gone_is_told() {
    let mut state = full();
    state.lose(&Error::NotLoaded("why".to_owned()));
    let lines = lines(&state, 80, 24);
    assert_eq!(lines[1], "the palisade kernel module is not loaded: why");
    assert!(lines[3].contains("no port is protected"), "{lines:?}");
}

#[test]
fn nothing_from_outside_reaches_the_terminal_as_it_is() {
    let mut state = full();
    let begin = Instant::now();
    let mut sample = sample(begin, 0, &[(HTTP, 1), (BAN, 2)], &[]);
    for list in &mut sample.lists {
        list.name = "\x1b[2Jlist".to_owned();
    }
    for rule in &mut sample.rules {
        rule.identity.text += " -m comment --comment \x1b[31mx\u{9b}1m";
    }
    state.add(sample);
    state.notice = Some("a\x1bb".to_owned());
    let text = lines(&state, 200, 50).join("");
    assert!(
        text.contains("?[2Jlist") && text.contains("?[31mx?1m"),
        "{text}"
    );
    assert!(
        text.contains("pali?sade[12]") && text.contains("a?b"),
        "{text}"
    );
    assert!(!text.contains(char::is_control), "{text}");
}

#[test]
fn many_rows_leave_room_for_the_others() {
    let mut state = full();
    let begin = Instant::now();
    let rules = [(BAN, 1); 300];
    state.add(sample(begin, 9, &rules, &[]));
    for time in 0..300 {
        state
            .lately
            .add(entry(command::ENTRY_ADD_NTF, time, 9, false));
    }
    for width in [80, 200] {
        let lines = lines(&state, width, 24);
        for title in [
            "protected ports",
            "list ban",
            "rules by rate",
            "bans, evictions",
        ] {
            assert!(
                lines.iter().any(|line| line.contains(title)),
                "{title}: {lines:?}"
            );
        }
    }
    let text = view::text(&state, 80);
    assert!(
        text.lines().count() > 200 && text.contains("203.0.113.9 added\n"),
        "{text}"
    );
}
