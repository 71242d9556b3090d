// SPDX-License-Identifier: GPL-2.0

//! Ranges of ports.

use crate::{
    fields::Negatable,
    rules::model::{
        names::{Names, parse_port},
        options::Given,
        range::Range,
    },
};

/// A port or a range; ports may be names of services.
pub(super) fn parse(text: &str, transport: &str, names: &dyn Names) -> Result<Range, String> {
    Range::parse(text, |port| parse_port(port, transport, names))
}

/// An option with a range of ports of that transport protocol.
pub(super) fn port_range(transport: &'static str) -> impl Fn(&Given<'_>) -> Result<Range, String> {
    move |given| parse(given.value(), transport, given.names)
}

/// As in iptables, all ports are no restriction.
pub(super) fn simplify(ports: &mut Option<Negatable<Range>>) {
    ports.take_if(|ports| ports.value == Range::ALL && !ports.inverted);
}

/// What -L shows of ports of that kind, if they are restricted.
pub(super) fn list(kind: &str, ports: Option<&Negatable<Range>>) -> String {
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
