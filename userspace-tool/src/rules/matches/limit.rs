// SPDX-License-Identifier: GPL-2.0

//! `-m limit`: packets at a limited rate.

use std::{fmt, rc::Rc};

use serde_json::{Value, json};

use crate::{
    error::Error,
    netlink::{
        Attribute, Writer,
        spec::attribute::{limit as attribute, r#match},
    },
    rules::model::extension::{Extension, ExtensionOption, ExtensionType, Given, set_once},
};

pub(super) static TYPE: ExtensionType = ExtensionType {
    name: "limit",
    help: "\
    --limit N[/UNIT]   match N packets in a unit in the long run, 3/hour if not given; the unit is
                       second (if not given), minute, hour or day, or a beginning of these
    --limit-burst N    match N packets at once after a time without any, 5 if not given
Packets beyond that do not match.
",
    options: &[
        ExtensionOption::value(&["limit"]),
        ExtensionOption::value(&["limit-burst"]),
    ],
    attribute: r#match::LIMIT,
    new: || Box::new(Limit::default()),
    decode: |nest| Ok(Rc::new(Limit::decode(nest)?)),
};

const DEFAULT_RATE: Rate = Rate {
    packets: 3,
    period: 3600,
};

const DEFAULT_BURST: u32 = 5;

/// The most that both numbers can be.
const MOST: u32 = 10_000;

/// A unit of time.
struct Unit {
    name: &'static str,
    /// What iptables prints.
    short: &'static str,
    seconds: u32,
}

const UNITS: &[Unit] = &[
    Unit {
        name: "second",
        short: "sec",
        seconds: 1,
    },
    Unit {
        name: "minute",
        short: "min",
        seconds: 60,
    },
    Unit {
        name: "hour",
        short: "hour",
        seconds: 3600,
    },
    Unit {
        name: "day",
        short: "day",
        seconds: 86400,
    },
];

/// So many packets in so many seconds.
#[derive(Clone, Copy, Debug)]
struct Rate {
    packets: u32,
    period: u32,
}

impl Rate {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            "a rate is a number of packets and /second, /minute, /hour or /day, such as 3/hour"
                .to_owned()
        };
        let (packets, unit) = text.split_once('/').unwrap_or((text, "second"));
        let unit = unit.to_ascii_lowercase();
        let mut units = UNITS.iter();
        let unit = units
            .find(|known| !unit.is_empty() && known.name.starts_with(&unit))
            .ok_or_else(wrong)?;
        let digits = packets.bytes().all(|byte| byte.is_ascii_digit());
        let packets: u64 = packets
            .parse()
            .ok()
            .filter(|packets| digits && *packets > 0)
            .ok_or_else(wrong)?;
        // As in iptables, a rate is that of the smallest unit in which it is a whole number.
        UNITS
            .iter()
            .find_map(|smaller| {
                let product = packets.checked_mul(smaller.seconds.into())?;
                let fits = product % u64::from(unit.seconds) == 0;
                let packets = product / u64::from(unit.seconds);
                fits.then_some((packets, smaller.seconds))
            })
            .and_then(|(packets, period)| {
                let packets = u32::try_from(packets).ok()?;
                (packets <= MOST).then_some(Self { packets, period })
            })
            .ok_or_else(|| format!("a rate is of at most {MOST} packets in its unit"))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { packets, period } = self;
        match UNITS.iter().find(|unit| unit.seconds == *period) {
            Some(unit) => write!(out, "{packets}/{}", unit.short),
            // Only programs that are not palisade make such a rule.
            None => write!(out, "{packets}/{period}s"),
        }
    }
}

#[derive(Debug, Default)]
struct Limit {
    rate: Option<Rate>,
    burst: Option<u32>,
}

impl Limit {
    fn decode(nest: &Attribute<'_>) -> Result<Self, Error> {
        let (mut rate, mut burst) = (DEFAULT_RATE, None);
        for attribute in nest.nested() {
            let attribute = attribute?;
            match attribute.kind {
                attribute::PACKETS => rate.packets = attribute.u32()?,
                attribute::PERIOD => rate.period = attribute.u32()?,
                attribute::BURST => burst = Some(attribute.u32()?),
                _ => {}
            }
        }
        Ok(Self {
            rate: Some(rate),
            burst,
        })
    }

    fn rate(&self) -> Rate {
        self.rate.unwrap_or(DEFAULT_RATE)
    }

    fn burst(&self) -> u32 {
        self.burst.unwrap_or(DEFAULT_BURST)
    }
}

fn parse_burst(text: &str) -> Result<u32, String> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(number) if digits && (1..=MOST).contains(&number) => Ok(number),
        _ => Err(format!("this has to be a number from 1 to {MOST}")),
    }
}

impl Extension for Limit {
    fn name(&self) -> &'static str {
        TYPE.name
    }

    fn option(&mut self, given: &Given<'_>) -> Result<(), String> {
        match given.name {
            "limit" => set_once(&mut self.rate, Rate::parse(given.value())?),
            _ => set_once(&mut self.burst, parse_burst(given.value())?),
        }
    }

    fn save(&self) -> String {
        let text = format!(" --limit {}", self.rate());
        match self.burst() {
            DEFAULT_BURST => text,
            burst => text + &format!(" --limit-burst {burst}"),
        }
    }

    fn list(&self) -> String {
        format!(" limit: avg {} burst {}", self.rate(), self.burst())
    }

    fn json(&self) -> Value {
        let Rate { packets, period } = self.rate();
        json!({ "packets": packets, "period": period, "burst": self.burst() })
    }

    fn encode(&self, request: &mut Writer) {
        let rate = self.rate();
        request.nested(TYPE.attribute, |nest| {
            nest.labelled(format_args!("--limit {rate}"), |nest| {
                nest.u32(attribute::PACKETS, rate.packets);
                nest.u32(attribute::PERIOD, rate.period);
            });
            nest.labelled(format_args!("--limit-burst {}", self.burst()), |nest| {
                nest.u32(attribute::BURST, self.burst());
            });
        });
    }
}
