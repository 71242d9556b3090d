// SPDX-License-Identifier: GPL-2.0

//! `--when-flooded`: from how many SYNs on a server is protected.

use std::fmt;

use serde_json::{Value, json};

use crate::{
    error::Error,
    netlink::{
        Attribute, Writer,
        spec::{FLOODED_RATE_MAX, attribute::synproxy as attribute},
    },
    rules::model::extension::number,
};

/// SYNs a second, and at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flooded {
    rate: u32,
    /// As many as in a second if there is none.
    burst: Option<u32>,
}

impl Flooded {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let number = |text| {
            number(text, 1, FLOODED_RATE_MAX).map_err(|_| {
                format!(
                    "this has to be RATE or RATE/BURST, both numbers from 1 to {FLOODED_RATE_MAX}"
                )
            })
        };
        let (rate, burst) = match text.split_once('/') {
            Some((rate, burst)) => (rate, Some(burst)),
            None => (text, None),
        };
        Ok(Self {
            rate: number(rate)?,
            burst: burst.map(number).transpose()?,
        })
    }

    /// Read it from the nest of the target, if it is there.
    pub(super) fn decode(nest: &Attribute<'_>) -> Result<Option<Self>, Error> {
        let (mut rate, mut burst) = (None, None);
        for attribute in nest.nested() {
            let attribute = attribute?;
            match attribute.kind {
                attribute::FLOODED_RATE => rate = Some(attribute.u32()?),
                attribute::FLOODED_BURST => burst = Some(attribute.u32()?),
                _ => {}
            }
        }
        Ok(rate.map(|rate| Self { rate, burst }))
    }

    pub(super) fn encode(self, nest: &mut Writer) {
        nest.labelled(format_args!("--when-flooded {self}"), |nest| {
            nest.u32(attribute::FLOODED_RATE, self.rate);
            if let Some(burst) = self.burst {
                nest.u32(attribute::FLOODED_BURST, burst);
            }
        });
    }

    pub(crate) fn json(self) -> Value {
        json!({ "rate": self.rate, "burst": self.burst })
    }
}

impl fmt::Display for Flooded {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.burst {
            Some(burst) => write!(out, "{}/{burst}", self.rate),
            None => write!(out, "{}", self.rate),
        }
    }
}
