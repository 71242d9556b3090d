// SPDX-License-Identifier: GPL-2.0

//! `-m limit`: packets at a limited rate.

use std::fmt;

use super::per;
use crate::{
    fields::{composite, nest},
    netlink::spec::attribute::r#match,
    rules::model::{
        extension::{Extension, ExtensionType},
        options::{number, options, parsed},
    },
    text::number as digits,
};

/// The match `limit`.
pub(super) static TYPE: ExtensionType = ExtensionType {
    about: "packets at a limited rate",
    options: options!(Limit {
        [] "limit": "N[/UNIT]" => rate: parsed(Rate::parse),
            "match N packets in a unit in the long run, 3/hour if not given; the unit is \
             second (if not given), minute, hour or day, or a beginning of these";
        [] "limit-burst": "N" => burst: number(1, MOST),
            "match N packets at once after a time without any, 5 if not given";
    }),
    notes: "Packets beyond that do not match.\n",
    examples: &["-A INPUT -p tcp --syn -m limit --limit 10/s --limit-burst 100 -j ACCEPT"],
    ..ExtensionType::nested::<Limit>("limit", r#match::LIMIT)
};

nest! {
    struct Limit: limit {
        rate: Rate = (PACKETS, PERIOD) => "--limit", or Rate { packets: 3, period: 3600 };
        burst: u32 = BURST => "--limit-burst", unless 5;
    }
}

/// The most that both numbers can be.
const MOST: u32 = 10_000;

/// So many packets in so many seconds.
#[derive(Clone, Copy, Debug)]
struct Rate {
    packets: u32,
    period: u32,
}

impl Rate {
    fn parse(text: &str) -> Result<Self, String> {
        let (packets, unit) = per::split(text);
        let packets: Option<u64> = digits(packets);
        let (Some(unit), Some(packets @ 1..)) = (unit, packets) else {
            return Err(
                "a rate is a number of packets and /second, /minute, /hour or /day, such as 3/hour"
                    .to_owned(),
            );
        };
        // As in iptables, a rate is that of the smallest unit in which it is a whole number.
        let in_unit = |(_, _, period): &(&str, &str, u32)| {
            let product = packets.checked_mul((*period).into())?;
            let is_whole = product % u64::from(unit) == 0;
            is_whole.then_some((product / u64::from(unit), *period))
        };
        let rate = per::UNITS.iter().find_map(in_unit);
        rate.and_then(|(packets, period)| {
            let packets = u32::try_from(packets).ok()?;
            (packets <= MOST).then_some(Self { packets, period })
        })
        .ok_or_else(|| format!("a rate is of at most {MOST} packets in its unit"))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        per::write(self.packets, self.period, out)
    }
}

composite!(Rate { packets, period });

impl Extension for Limit {
    fn kind(&self) -> &'static ExtensionType {
        &TYPE
    }

    fn list(&self) -> String {
        format!(" limit: avg {} burst {}", self.rate, self.burst)
    }
}
