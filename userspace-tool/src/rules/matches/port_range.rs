// SPDX-License-Identifier: GPL-2.0

//! Ranges of ports.

use std::fmt;

use crate::rules::model::names::{Names, parse_port};

/// Both ends are included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PortRange {
    pub(super) first: u16,
    pub(super) last: u16,
}

impl PortRange {
    pub(super) const ALL: Self = Self {
        first: 0,
        last: u16::MAX,
    };

    /// A port or a range, whose ends may be left out; ports may be names of services.
    pub(super) fn parse(text: &str, transport: &str, names: &dyn Names) -> Result<Self, String> {
        let port = |text: &str| parse_port(text, transport, names);
        let Some((first, last)) = text.split_once(':') else {
            let port = port(text)?;
            return Ok(Self {
                first: port,
                last: port,
            });
        };
        let range = Self {
            first: if first.is_empty() { 0 } else { port(first)? },
            last: if last.is_empty() {
                u16::MAX
            } else {
                port(last)?
            },
        };
        if range.first > range.last {
            return Err("the range ends before it starts".to_owned());
        }
        Ok(range)
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(out, "{}", self.first)
        } else {
            write!(out, "{}:{}", self.first, self.last)
        }
    }
}
