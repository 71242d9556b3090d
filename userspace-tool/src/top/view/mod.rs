// SPDX-License-Identifier: GPL-2.0

//! Drawing a frame.

mod grid;
mod number;
mod panels;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Stylize,
    text::{Line, Span},
    widgets::Widget,
};

use super::state::State;
use crate::text::printable;
use grid::Grid;
use number::short;

/// From this width on, panels stand side by side.
const WIDE: u16 = 120;

/// Rows that a panel has at least: its title, its head, and one of what it shows.
const PANEL_MIN: u16 = 3;

/// Rows of all panels, at most, where there is no screen to fill.
const TEXT_HEIGHT: u16 = 220;

/// Draw the frame into an area of any size.
pub(super) fn draw(state: &State, area: Rect, buffer: &mut Buffer) {
    let area = area.intersection(buffer.area);
    let (top, mut rest) = cut(area, 1);
    head(state, top.width).render(top, buffer);
    if let Some(notice) = &state.notice {
        let (row, below) = cut(rest, 1);
        Line::from(printable(notice))
            .red()
            .bold()
            .render(row, buffer);
        rest = below;
    }
    if rest.width < WIDE {
        column(rest, buffer, |width| {
            vec![
                panels::ports(state, width),
                panels::busiest(state, width),
                panels::rules(state),
                panels::lately(state, rest.height),
            ]
        });
        return;
    }
    // Ports and rules need more room than addresses.
    let left = Rect {
        width: rest.width / 5 * 3,
        ..rest
    };
    let right = Rect {
        x: rest.x + left.width + 1,
        width: rest.width - left.width - 1,
        ..rest
    };
    column(left, buffer, |width| {
        vec![panels::ports(state, width), panels::rules(state)]
    });
    column(right, buffer, |width| {
        vec![
            panels::busiest(state, width),
            panels::lately(state, rest.height),
        ]
    });
}

/// The frame as lines of text of this width.
pub(super) fn text(state: &State, width: u16) -> String {
    let area = Rect::new(0, 0, width, TEXT_HEIGHT);
    let mut buffer = Buffer::empty(area);
    draw(state, area, &mut buffer);
    let mut text = String::new();
    for row in area.rows() {
        let cells = row
            .columns()
            .filter_map(|column| buffer.cell((column.x, row.y)));
        let line: String = cells.map(|cell| cell.symbol()).collect();
        text += line.trim_end();
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text + "\n"
}

/// The first rows of an area, and the others.
fn cut(area: Rect, rows: u16) -> (Rect, Rect) {
    let height = rows.min(area.height);
    let first = Rect { height, ..area };
    let rest = Rect {
        y: area.y + height,
        height: area.height - height,
        ..area
    };
    (first, rest)
}

/// The first line.
fn head(state: &State, width: u16) -> Line<'static> {
    let mut spans = vec![Span::from("palisade top").bold()];
    if let Some(sample) = &state.sample {
        spans.push(format!("  {} UTC", panels::time_of_day(sample.time)).into());
    }
    if state.frame.elapsed.is_some() && !state.frame.ports.is_empty() {
        spans.push(format!("  {} SYNs/s", short(state.frame.syns())).into());
    }
    if state.frame.ports.iter().any(|row| row.is_flooded()) {
        spans.push("  ".into());
        spans.push(Span::styled("FLOOD", panels::ALARM));
    }
    if state.has_keys {
        let keys = "q: quit  Tab: next list";
        let used: usize = spans.iter().map(Span::width).sum();
        let room = usize::from(width).saturating_sub(used);
        if room > keys.len() + 1 {
            spans.push(format!("{keys:>room$}").dim());
        }
    }
    Line::from(spans)
}

/// Draw panels below each other: as many as there is room for.
fn column(area: Rect, buffer: &mut Buffer, panels: impl FnOnce(u16) -> Vec<Grid>) {
    let panels = panels(area.width);
    let wanted: Vec<u16> = panels.iter().map(Grid::height).collect();
    let mut rest = area;
    for (panel, height) in panels.iter().zip(share(&wanted, area.height)) {
        let (own, below) = cut(rest, height);
        panel.render(own, buffer);
        rest = below;
    }
}

/// How many rows each panel gets of those that there are. The first panels are there in any case; what is left is shared
/// out as long as a panel wants more.
fn share(wanted: &[u16], height: u16) -> Vec<u16> {
    let count = usize::from(height / PANEL_MIN).clamp(1, wanted.len().max(1));
    let mut heights = vec![0; wanted.len()];
    let mut left = height;
    for (own, wanted) in heights.iter_mut().zip(wanted).take(count) {
        *own = PANEL_MIN.min(*wanted).min(left);
        left -= *own;
    }
    loop {
        let before = left;
        for (own, wanted) in heights.iter_mut().zip(wanted).take(count) {
            if left > 0 && *own < *wanted {
                *own += 1;
                left -= 1;
            }
        }
        if left == before {
            return heights;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn rows_are_shared_out() {
        for (wanted, height, expected) in [
            (&[3, 3, 3, 3][..], 23, &[3, 3, 3, 3][..]),
            (&[3, 50, 50, 4], 23, &[3, 8, 8, 4]),
            (&[50, 50, 50, 50], 23, &[6, 6, 6, 5]),
            (&[50, 50, 50, 50], 11, &[4, 4, 3, 0]),
            (&[50, 50], 4, &[4, 0]),
            (&[50, 50], 1, &[1, 0]),
            (&[50], 0, &[0]),
            (&[], 5, &[]),
        ] {
            assert_eq!(share(wanted, height), expected, "{wanted:?} {height}");
        }
    }
}
