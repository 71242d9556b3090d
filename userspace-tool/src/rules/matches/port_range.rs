// SPDX-License-Identifier: GPL-2.0

//! Ranges of ports.

use std::fmt;

use crate::{
    fields::{Negatable, composite},
    rules::model::{
        names::{Names, parse_port},
        options::Given,
    },
};

/// Both ends are included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PortRange {
    first: u16,
    last: u16,
}

impl PortRange {
    pub(super) const ALL: Self = Self {
        first: 0,
        last: u16::MAX,
    };

    /// A port or a range, whose ends may be left out; ports may be names of services.
    pub(super) fn parse(text: &str, transport: &str, names: &dyn Names) -> Result<Self, String> {
        let port = |text: &str| parse_port(text, transport, names);
        let end = |text: &str, open| match text {
            "" => Ok(open),
            _ => port(text),
        };
        let range = match text.split_once(':') {
            Some((first, last)) => Self {
                first: end(first, Self::ALL.first)?,
                last: end(last, Self::ALL.last)?,
            },
            None => {
                let first = port(text)?;
                Self { first, last: first }
            }
        };
        if range.first > range.last {
            return Err("the range ends before it starts".to_owned());
        }
        Ok(range)
    }

    /// The port, if there is only one.
    pub(super) fn only(self) -> Option<u16> {
        (self.first == self.last).then_some(self.first)
    }
}

/// An option with a range of ports of that transport protocol.
pub(super) fn port_range(
    transport: &'static str,
) -> impl Fn(&Given<'_>) -> Result<PortRange, String> {
    move |given| PortRange::parse(given.value(), transport, given.names)
}

/// As in iptables, all ports are no restriction.
pub(super) fn simplify(ports: &mut Option<Negatable<PortRange>>) {
    ports.take_if(|ports| ports.value == PortRange::ALL && !ports.inverted);
}

/// What -L shows of ports of that kind, if they are restricted.
pub(super) fn list(kind: &str, ports: Option<&Negatable<PortRange>>) -> String {
    let Some(ports) = ports else {
        return String::new();
    };
    let plural = if ports.value.only().is_some() {
        ""
    } else {
        "s"
    };
    format!(" {kind}{plural}:{}{}", ports.mark(), ports.value)
}

impl fmt::Display for PortRange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.only() {
            Some(port) => port.fmt(out),
            None => write!(out, "{}:{}", self.first, self.last),
        }
    }
}

composite!(PortRange { first, last });
