// SPDX-License-Identifier: GPL-2.0

//! What the panels say.

use std::time::Duration;

use ratatui::style::{Color, Modifier, Style};

use super::{
    grid::{Column, Grid, ROWS_MAX},
    number::{bars, short},
};
use crate::{
    lists::{duration, show_time},
    top::{rates::PortRates, sample::Counts, state::State},
};

/// The style of what is under attack.
pub(super) const ALARM: Style = Style::new().fg(Color::Red).add_modifier(Modifier::BOLD);

/// Room that a sparkline should have, and what it has at least.
const BARS: usize = 24;
const BARS_MIN: usize = 12;

/// The most that addresses and ports take.
const ADDRESS: usize = 39;
const PORTS: usize = 11;

/// From this width on, words say what colors do.
const NARROW: usize = 40;

/// The mark of a port that is flooded.
const FLOOD: &str = "FLOOD";

/// A number has at most so many characters.
const NUMBER: usize = 5;

/// The titles of the counters, in the order of [`Counts::values`]: where there is room, and where there is little.
const TITLES: [(&str, &str); 8] = [
    ("SYNS", "SYNS"),
    ("COOKIES", "COOK"),
    ("VALID", "VALID"),
    ("INVALID", "INVAL"),
    ("OPENED", "OPEN"),
    ("REFUSED", "REFUS"),
    ("UNANSWERED", "UNANS"),
    ("OUT-OF-FLOW", "OUT"),
];

/// The hour, minute and second in UTC.
pub(super) fn time_of_day(milliseconds: u64) -> String {
    let time = show_time(milliseconds).to_string();
    time.get(11..19).unwrap_or_default().to_owned()
}

/// A rate, where there is one.
fn rate(rate: Option<f64>) -> String {
    rate.map_or("-".to_owned(), short)
}

/// How wide the widest of these is, up to a limit.
fn widest<'a>(texts: impl Iterator<Item = &'a str>, limit: usize) -> usize {
    let widths = texts.map(|text| text.chars().count());
    widths.max().unwrap_or(0).min(limit)
}

/// The counters that there is room for, and the room of the sparkline.
fn counters(room: usize) -> (Vec<Column>, usize) {
    let long = TITLES.iter().map(|(long, _)| Column::number(long, NUMBER));
    let long: Vec<Column> = long.collect();
    let used = |columns: &[Column]| -> usize {
        let widths = columns.iter().map(|column| usize::from(column.width) + 1);
        widths.sum()
    };
    if used(&long) + BARS <= room {
        let left = room - used(&long);
        return (long, left);
    }
    let short = TITLES
        .iter()
        .map(|(_, short)| Column::number(short, NUMBER));
    let mut short: Vec<Column> = short.collect();
    while used(&short) + BARS_MIN > room && short.len() > 1 {
        short.pop();
    }
    let left = room.saturating_sub(used(&short));
    (short, left)
}

/// The protected ports.
pub(super) fn ports(state: &State, width: u16) -> Grid {
    let rows = || state.frame.ports.iter().take(ROWS_MAX);
    let address = |row: &PortRates| match &row.port.interface {
        Some(interface) => format!("{} {interface}", row.port.address),
        None => row.port.address.clone(),
    };
    let addresses: Vec<String> = rows().map(address).collect();
    let ports = rows().map(|row| row.port.ports.as_str());
    let width = usize::from(width);
    // Where there is little room, the color says it.
    let has_mark = width >= NARROW;
    let mut columns = vec![
        Column::text(
            "ADDRESS",
            widest(addresses.iter().map(String::as_str), ADDRESS.min(width / 4)),
        ),
        Column::number("PORT", widest(ports, PORTS)),
    ];
    columns.extend(has_mark.then(|| Column::text("", FLOOD.len())));
    let used: usize = columns
        .iter()
        .map(|column| usize::from(column.width) + 1)
        .sum();
    let (counters, room) = counters(width.saturating_sub(used));
    let count = counters.len();
    columns.extend(counters);
    columns.push(Column::text("SYNS LATELY", 0));
    let rows = rows().zip(addresses).map(|(row, address)| {
        let is_flooded = row.is_flooded();
        let (style, mark) = match is_flooded {
            true => (ALARM, FLOOD),
            false => (Style::new(), ""),
        };
        let rates = match row.rates {
            Some(rates) => rates.values().map(Some),
            None => [None; Counts::<f64>::NAMES.len()],
        };
        let mut cells = vec![address, row.port.ports.clone()];
        cells.extend(has_mark.then(|| mark.to_owned()));
        cells.extend(rates.into_iter().take(count).map(rate));
        cells.push(bars(&row.history, room));
        (style, cells)
    });
    Grid {
        title: "protected ports, per second".to_owned(),
        columns,
        rows: rows.collect(),
        hint: "no port is protected: palisade protect does that".to_owned(),
    }
}

/// The busiest addresses of a list.
pub(super) fn busiest(state: &State, width: u16) -> Grid {
    let (reading, error) = match &state.reading {
        Some(Ok(reading)) => (Some(reading), None),
        Some(Err(error)) => (None, Some(error.to_string())),
        None => (None, None),
    };
    let title = match (&state.list, reading) {
        (Some(list), Some(reading)) => {
            let entries = reading.entries;
            // A list that takes long to read is not read each second.
            let age = reading.at.elapsed();
            let age = match age < Duration::from_secs(3) {
                true => String::new(),
                false => format!(", read {} s ago", age.as_secs()),
            };
            format!("list {list}: busiest of {entries}{age}")
        }
        (Some(list), None) => format!("list {list}"),
        (None, _) => "lists".to_owned(),
    };
    let hint = match (&state.list, reading) {
        _ if error.is_some() => error.unwrap_or_default(),
        (None, _) => "there is no list".to_owned(),
        (Some(list), _) if state.sample.is_some() && !state.has_list() => {
            format!("there is no list {list}")
        }
        (Some(_), Some(_)) => "it has no addresses".to_owned(),
        (Some(_), None) => "it is being read".to_owned(),
    };
    let all = reading.map_or(&[][..], |reading| &reading.busiest);
    let rows: Vec<(Style, Vec<String>)> = all
        .iter()
        .map(|busy| {
            let since = |milliseconds| format!("{} ago", duration::show(milliseconds));
            let cells = vec![
                busy.key.to_string(),
                rate(busy.rate),
                short(busy.packets.into()),
                busy.age.map_or("never".to_owned(), since),
                busy.expiry
                    .map_or("-".to_owned(), |expiry| expiry.to_string()),
            ];
            (Style::new(), cells)
        })
        .collect();
    let addresses = rows.iter().filter_map(|(_, cells)| cells.first());
    let limit = usize::from(width).saturating_sub(40).max(15);
    let columns = vec![
        Column::text("ADDRESS", widest(addresses.map(String::as_str), limit)),
        Column::number("PKT/S", NUMBER),
        Column::number("PACKETS", NUMBER),
        Column::number("LAST SEEN", 12),
        Column::text("LEFT", 0),
    ];
    Grid {
        title,
        columns,
        rows,
        hint,
    }
}

/// The rules that match most.
pub(super) fn rules(state: &State) -> Grid {
    let rows = state.frame.rules.iter().take(ROWS_MAX).map(|row| {
        let rule = &row.rule;
        let cells = vec![
            rule.identity.table.clone(),
            rule.position.to_string(),
            rate(row.rates.map(|(packets, _)| packets)),
            rate(row.rates.map(|(_, bytes)| bytes)),
            rule.identity.text.clone(),
        ];
        (Style::new(), cells)
    });
    Grid {
        title: "rules by rate".to_owned(),
        columns: vec![
            Column::text("TABLE", 6),
            Column::number("#", 3),
            Column::number("PKT/S", NUMBER),
            Column::number("BYTE/S", NUMBER),
            Column::text("RULE", 0),
        ],
        rows: rows.collect(),
        hint: "there are no rules".to_owned(),
    }
}

/// What happened lately, in so many rows at most.
pub(super) fn lately(state: &State, height: u16) -> Grid {
    let lately = &state.lately;
    let room = usize::from(height).min(ROWS_MAX);
    let rows = lately.lines(room).into_iter();
    let rows = rows.map(|line| (Style::new(), vec![time_of_day(line.time), line.text]));
    let lost = match (lately.lost, lately.lost_more) {
        (0, false) => String::new(),
        (0, true) => " (some were lost)".to_owned(),
        (lost, false) => format!(" ({} were lost)", short(lost as f64)),
        (lost, true) => format!(" (more than {} were lost)", short(lost as f64)),
    };
    Grid {
        title: format!("bans, evictions and floods lately{lost}"),
        columns: vec![Column::text("UTC", 8), Column::text("EVENT", 0)],
        rows: rows.collect(),
        hint: "nothing since this was started".to_owned(),
    }
}
