// SPDX-License-Identifier: GPL-2.0

//! A panel: a title, and rows in columns.

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Rect},
    style::{Style, Stylize},
    text::Line,
    widgets::{Block, Borders, Cell, Paragraph, Row, Table, Widget},
};

use crate::text::printable;

/// Most rows of a panel.
pub(super) const ROWS_MAX: usize = 100;

/// A column.
pub(super) struct Column {
    pub(super) title: &'static str,
    pub(super) width: u16,
    /// Numbers are aligned to the right.
    pub(super) is_number: bool,
}

impl Column {
    pub(super) fn text(title: &'static str, width: usize) -> Self {
        let width = width.max(title.len()).try_into().unwrap_or(u16::MAX);
        Self {
            title,
            width,
            is_number: false,
        }
    }

    pub(super) fn number(title: &'static str, width: usize) -> Self {
        Self {
            is_number: true,
            ..Self::text(title, width)
        }
    }
}

/// A panel.
pub(super) struct Grid {
    pub(super) title: String,
    /// The last one gets all the room that is left.
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<(Style, Vec<String>)>,
    /// What is said where there are no rows.
    pub(super) hint: String,
}

impl Grid {
    /// How many rows of the screen it could use.
    pub(super) fn height(&self) -> u16 {
        let rows = self.rows.len().clamp(1, ROWS_MAX) as u16;
        rows + 2
    }

    pub(super) fn render(&self, area: Rect, buffer: &mut Buffer) {
        if area.is_empty() {
            return;
        }
        let block = Block::new()
            .borders(Borders::TOP)
            .title(Line::from(format!(" {} ", printable(&self.title))).bold());
        if self.rows.is_empty() {
            let hint = Paragraph::new(printable(&self.hint)).dim();
            hint.block(block).render(area, buffer);
            return;
        }
        let line = |text: String, column: &Column| match column.is_number {
            true => Line::from(text).right_aligned(),
            false => Line::from(text),
        };
        let titles = self.columns.iter();
        let titles = titles.map(|column| Cell::from(line(column.title.to_owned(), column)));
        let room = usize::from(area.height);
        let rows = self.rows.iter().take(room).map(|(style, cells)| {
            let cells = cells.iter().zip(&self.columns);
            let cells = cells.map(|(cell, column)| Cell::from(line(printable(cell), column)));
            Row::new(cells).style(*style)
        });
        let last = self.columns.len().saturating_sub(1);
        let widths = self.columns.iter().enumerate().map(|(index, column)| {
            if index == last {
                Constraint::Fill(1)
            } else {
                Constraint::Length(column.width)
            }
        });
        let table = Table::new(rows, widths)
            .header(Row::new(titles).style(Style::new().underlined()))
            .column_spacing(1)
            .block(block);
        Widget::render(table, area, buffer);
    }
}
