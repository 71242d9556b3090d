// SPDX-License-Identifier: GPL-2.0

//! Ranges of numbers, which iptables writes as `FIRST:LAST`.

use std::fmt;

use crate::fields::composite;

/// Both ends are included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    first: u16,
    last: u16,
}

impl Range {
    pub(crate) const ALL: Self = Self {
        first: 0,
        last: u16::MAX,
    };

    /// A number or a range, whose ends may be left out.
    pub(crate) fn parse(
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

    pub(crate) fn contains(self, number: u16) -> bool {
        (self.first..=self.last).contains(&number)
    }

    /// The number, if there is only one.
    pub(crate) fn only(self) -> Option<u16> {
        (self.first == self.last).then_some(self.first)
    }
}

/// The ranges as multiport has them.
pub(crate) fn list(ranges: &[Range]) -> String {
    let ranges: Vec<String> = ranges.iter().map(Range::to_string).collect();
    ranges.join(",")
}

/// The numbers that are in one of the ranges or, if inverted, in none of them.
pub(crate) fn numbers(ranges: &[Range], inverted: bool) -> Vec<Range> {
    let mut ranges = ranges.to_vec();
    if !inverted {
        return ranges;
    }
    ranges.sort_by_key(|range| range.first);
    let mut outside = Vec::new();
    // The first number that no range before has.
    let mut next = Some(Range::ALL.first);
    for range in ranges {
        let Some(first) = next else { break };
        if first < range.first {
            let last = range.first - 1;
            outside.push(Range { first, last });
        }
        next = range.last.checked_add(1).map(|after| after.max(first));
    }
    let last = Range::ALL.last;
    outside.extend(next.map(|first| Range { first, last }));
    outside
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
