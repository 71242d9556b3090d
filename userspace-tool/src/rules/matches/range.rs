// SPDX-License-Identifier: GPL-2.0

//! Ranges of numbers, which iptables writes as `FIRST:LAST`.

use std::fmt;

use crate::fields::composite;

/// Both ends are included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    first: u16,
    last: u16,
}

impl Range {
    pub(super) const ALL: Self = Self {
        first: 0,
        last: u16::MAX,
    };

    /// A number or a range, whose ends may be left out.
    pub(super) fn parse(
        text: &str,
        number: impl Fn(&str) -> Result<u16, String>,
    ) -> Result<Self, String> {
        let end = |text: &str, open| match text {
            "" => Ok(open),
            _ => number(text),
        };
        let range = match text.split_once(':') {
            Some((first, last)) => Self {
                first: end(first, Self::ALL.first)?,
                last: end(last, Self::ALL.last)?,
            },
            None => {
                let first = number(text)?;
                Self { first, last: first }
            }
        };
        if range.first > range.last {
            return Err("the range ends before it starts".to_owned());
        }
        Ok(range)
    }

    /// The number, if there is only one.
    pub(super) fn only(self) -> Option<u16> {
        (self.first == self.last).then_some(self.first)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.only() {
            Some(number) => number.fmt(out),
            None => write!(out, "{}:{}", self.first, self.last),
        }
    }
}

composite!(Range { first, last });
