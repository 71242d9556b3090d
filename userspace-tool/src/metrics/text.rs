// SPDX-License-Identifier: GPL-2.0

//! Prometheus' text format, version 0.0.4.

use std::collections::BTreeMap;

/// What Prometheus is told once of all samples of a name.
pub(super) struct Family {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// Without line breaks and backslashes.
    pub(super) help: &'static str,
}

pub(super) enum Kind {
    Counter,
    Gauge,
    /// A gauge in seconds, whose samples are given in milliseconds.
    Seconds,
}

/// The labels of a sample, in order.
#[derive(Clone, Default)]
pub(super) struct Labels(String);

impl Labels {
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        let Self(text) = &mut self;
        if !text.is_empty() {
            text.push(',');
        }
        *text += name;
        *text += "=\"";
        for character in value.chars() {
            match character {
                '\\' => *text += "\\\\",
                '"' => *text += "\\\"",
                '\n' => *text += "\\n",
                // A terminal shows it, too.
                other if other.is_control() => text.push('?'),
                other => text.push(other),
            }
        }
        text.push('"');
        self
    }
}

impl Family {
    /// Add its samples to the text, by their labels. Those that have the same labels are one, since Prometheus would
    /// refuse all of the text otherwise. A name without samples is left out.
    pub(super) fn write(&self, samples: impl Iterator<Item = (Labels, u64)>, text: &mut String) {
        let mut sums = BTreeMap::<String, u64>::new();
        for (Labels(labels), value) in samples {
            let sum = sums.entry(labels).or_default();
            *sum = sum.wrapping_add(value);
        }
        if sums.is_empty() {
            return;
        }
        let Self { name, help, kind } = self;
        let shown = match kind {
            Kind::Counter => "counter",
            Kind::Gauge | Kind::Seconds => "gauge",
        };
        *text += &format!("# HELP {name} {help}\n# TYPE {name} {shown}\n");
        for (labels, value) in sums {
            let value = match kind {
                Kind::Counter | Kind::Gauge => value.to_string(),
                Kind::Seconds => format!("{}.{:03}", value / 1000, value % 1000),
            };
            *text += &format!("{name}{{{labels}}} {value}\n");
        }
    }
}
