// SPDX-License-Identifier: GPL-2.0

//! `-m hashlimit`: packets or bytes at a limited rate, for each address or port.

use std::fmt;

use serde_json::{Map, Value, json};

use super::{
    named_bits::{self, NamedBit},
    per,
    recent::parse_list_name,
};
use crate::{
    error::Error,
    fields::{Plain, nest, read},
    netlink::{Nest, Writer, spec::attribute::r#match},
    rules::model::{
        extension::{Extension, ExtensionType, RuleContext},
        family::Family,
        options::{Given, number, options, parse_number, parsed},
    },
    text::number as digits,
};

/// The match `hashlimit`.
pub(super) static TYPE: ExtensionType = ExtensionType {
    about: "packets or bytes at a limited rate, for each address or port",
    options: options!(Hashlimit {
        [!] "hashlimit-upto" | "hashlimit": "RATE" => rate: upto,
            "match up to RATE in the long run: N packets in a unit, such as 3/hour, where the unit is second (if \
             not given), minute, hour or day, or a beginning of these; or bytes in a second, such as 512kb/s";
        [!] "hashlimit-above": "RATE" => rate: above, "match what is beyond RATE";
        [] "hashlimit-burst": "N" => burst: parsed(Burst::parse),
            "so many packets at once after a time without any, 5 if not given; or so many bytes beyond those of a second, such as 1mb";
        [] "hashlimit-mode": "WHAT,.." => by: parsed(By::parse), among || named_bits::names(u32::MAX, &BY),
            "limit the rate of packets that have these in common; of all together if not given";
        [] "hashlimit-srcmask": "BITS" => source_prefix: parsed(parse_prefix),
            "how many of the first bits of the source address count, such as 24, or 24,64 for 24 of IPv4 and 64 \
             of IPv6; one number makes the rule one for IPv4 up to 32, and else for IPv6, if nothing else says \
             which it is for";
        [] "hashlimit-dstmask": "BITS" => destination_prefix: parsed(parse_prefix),
            "as --hashlimit-srcmask, of the destination address";
        [] "hashlimit-name": "NAME" => name: parsed(parse_list_name),
            "the table of rates, which rules that give the same name share; has to be given";
        [] "hashlimit-htable-max": "N" => size: number(1, u32::MAX),
            "how many addresses the table is made for; the first rule that names it decides";
        [] "hashlimit-htable-expire": "MS" => expire: given_number,
            "after how many milliseconds without packets an address is forgotten; if not given, those of the \
             rate's unit, and for bytes 15000, or 60000 with a burst";
        [] "hashlimit-htable-size": "N" => buckets: ignored, "has no effect here";
        [] "hashlimit-htable-gcinterval": "MS" => interval: ignored, "has no effect here";
    }),
    required: Some("rate"),
    notes: "\
What a table knows is shown by palisade rates. When it has no room, those addresses make room that may send at the full \
burst soonest.
",
    examples: &[
        "-A INPUT -m hashlimit --hashlimit-name dns --hashlimit-mode srcip --hashlimit-above 20/s -j DROP",
        "-A INPUT -m hashlimit --hashlimit-name web --hashlimit-mode dstip --hashlimit-upto 1mb/s",
    ],
    ..ExtensionType::nested::<Hashlimit>("hashlimit", r#match::HASHLIMIT)
};

nest! {
    struct Hashlimit: hashlimit {
        rate: Limited = (PACKETS, PERIOD, BYTES, INVERT);
        burst: Option<Burst> = (BURST, BYTES) => "--hashlimit-burst";
        by: By = (SOURCE, SOURCE_PORT, DESTINATION, DESTINATION_PORT) => "--hashlimit-mode";
        name: String = NAME => "--hashlimit-name";
        size: Option<u32> = SIZE => "--hashlimit-htable-max";
        expire: Option<u64> = EXPIRE => "--hashlimit-htable-expire";
        source_prefix: Option<Prefix> = (SOURCE_PREFIX, IPV6_SOURCE_PREFIX) => "--hashlimit-srcmask";
        destination_prefix: Option<Prefix> = (DESTINATION_PREFIX, IPV6_DESTINATION_PREFIX) => "--hashlimit-dstmask";
        buckets: Ignored = ();
        interval: Ignored = ();
    }
}

/// The units of bytes, the largest first.
const MULTIPLES: [(&str, u64); 3] = [("mb", 1 << 20), ("kb", 1 << 10), ("b", 1)];

/// The most packets in a second, and at once.
const MOST: u64 = 1_000_000;

/// So many bytes, such as `512kb`.
fn parse_bytes(text: &str) -> Option<u64> {
    let text = text.to_ascii_lowercase();
    let find = |(unit, size): &(&str, u64)| {
        let number: u64 = digits(text.strip_suffix(unit)?)?;
        number.checked_mul(*size).filter(|&bytes| bytes > 0)
    };
    MULTIPLES.iter().find_map(find)
}

fn show_bytes(bytes: u64, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let is_whole = |(_, size): &&(&str, u64)| bytes % size == 0;
    let (unit, size) = MULTIPLES.iter().find(is_whole).unwrap_or(&("b", 1));
    write!(out, "{}{unit}", bytes / size)
}

/// A rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rate {
    /// So many packets in so many seconds.
    Packets(u32, u32),
    /// So many bytes in a second.
    Bytes(u64),
}

impl Rate {
    fn parse(text: &str) -> Result<Self, String> {
        let (amount, unit) = per::split(text);
        if let (Some(1), Some(bytes)) = (unit, parse_bytes(amount)) {
            return Ok(Self::Bytes(bytes));
        }
        let packets: Option<u64> = digits(amount);
        let (Some(period), Some(packets @ 1..)) = (unit, packets) else {
            return Err(
                "a rate is a number of packets and /second, /minute, /hour or /day, such as 3/hour, or of \
                 bytes in a second, such as 512kb/s"
                    .to_owned(),
            );
        };
        u32::try_from(packets)
            .ok()
            .filter(|_| packets <= MOST.saturating_mul(period.into()))
            .map(|packets| Self::Packets(packets, period))
            .ok_or_else(|| format!("a rate is of at most {MOST} packets in a second"))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Bytes(bytes) => {
                show_bytes(bytes, out)?;
                out.write_str("/s")
            }
            Self::Packets(packets, period) => per::write(packets, period, out),
        }
    }
}

/// A rate, and whether what is within it matches, or what is beyond it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Limited {
    rate: Rate,
    is_above: bool,
}

/// What is never seen: the rate has to be given.
impl Default for Limited {
    fn default() -> Self {
        Self {
            rate: Rate::Packets(1, 1),
            is_above: false,
        }
    }
}

fn upto(given: &Given<'_>) -> Result<Limited, String> {
    Ok(Limited {
        rate: Rate::parse(given.value())?,
        is_above: given.inverted,
    })
}

fn above(given: &Given<'_>) -> Result<Limited, String> {
    upto(given).map(|limited| Limited {
        is_above: !given.inverted,
        ..limited
    })
}

impl fmt::Display for Limited {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let option = if self.is_above { "above" } else { "upto" };
        write!(out, "--hashlimit-{option} {}", self.rate)
    }
}

impl Plain for Limited {
    type Kinds = (u16, u16, u16, u16);

    fn read(
        nest: &Nest<'_>,
        (packets, period, bytes, invert): Self::Kinds,
    ) -> Result<Option<Self>, Error> {
        let rate = match (
            read(nest, packets)?,
            read(nest, period)?,
            read(nest, bytes)?,
        ) {
            (Some(packets), Some(period), _) => Rate::Packets(packets, period),
            (_, _, Some(bytes)) => Rate::Bytes(bytes),
            _ => return Ok(None),
        };
        let is_above = nest.has(invert);
        Ok(Some(Self { rate, is_above }))
    }

    fn write(&self, (first, second, third, invert): Self::Kinds, nest: &mut Writer) {
        match self.rate {
            Rate::Packets(packets, period) => {
                nest.u32(first, packets);
                nest.u32(second, period);
            }
            Rate::Bytes(bytes) => nest.u64(third, bytes),
        }
        nest.flag_if(invert, self.is_above);
    }

    fn json(&self, _key: &str, object: &mut Map<String, Value>) {
        match self.rate {
            Rate::Packets(packets, period) => {
                object.insert("packets".to_owned(), json!(packets));
                object.insert("period".to_owned(), json!(period));
            }
            Rate::Bytes(bytes) => {
                object.insert("bytes".to_owned(), json!(bytes));
            }
        }
        object.insert("above".to_owned(), json!(self.is_above));
    }
}

/// How much may come at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Burst {
    number: u64,
    is_bytes: bool,
}

impl Burst {
    fn parse(text: &str) -> Result<Self, String> {
        if let Some(number) = parse_bytes(text) {
            return Ok(Self {
                number,
                is_bytes: true,
            });
        }
        match digits(text) {
            Some(number @ 1..=MOST) => Ok(Self {
                number,
                is_bytes: false,
            }),
            _ => Err(format!(
                "a burst is a number of packets from 1 to {MOST}, or of bytes, such as 1mb"
            )),
        }
    }
}

impl fmt::Display for Burst {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_bytes {
            true => show_bytes(self.number, out),
            false => self.number.fmt(out),
        }
    }
}

impl Plain for Burst {
    /// Of the burst, and of what makes it one of bytes.
    type Kinds = (u16, u16);

    fn read(nest: &Nest<'_>, (burst, bytes): Self::Kinds) -> Result<Option<Self>, Error> {
        let is_bytes = nest.has(bytes);
        Ok(Plain::read(nest, burst)?.map(|number| Self { number, is_bytes }))
    }

    fn write(&self, (burst, _): Self::Kinds, nest: &mut Writer) {
        nest.u64(burst, self.number);
    }

    fn json(&self, key: &str, object: &mut Map<String, Value>) {
        object.insert(key.to_owned(), json!(self.number));
    }
}

/// What packets have in common whose rate is limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct By(u32);

/// In the order in which iptables prints them.
static BY: [NamedBit; 4] = [("srcip", 1), ("srcport", 2), ("dstip", 4), ("dstport", 8)];

impl By {
    fn parse(text: &str) -> Result<Self, String> {
        named_bits::parse(text, "mode", &BY).map(Self)
    }

    fn names(self) -> Vec<&'static str> {
        named_bits::names(self.0, &BY)
    }
}

impl fmt::Display for By {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.names().join(","))
    }
}

impl Plain for By {
    type Kinds = (u16, u16, u16, u16);

    fn read(nest: &Nest<'_>, (a, b, c, d): Self::Kinds) -> Result<Option<Self>, Error> {
        let flags = [a, b, c, d].into_iter().zip(&BY);
        let present = flags.filter(|(kind, _)| nest.has(*kind));
        Ok(Some(Self(present.map(|(_, (_, bit))| bit).sum())))
    }

    fn write(&self, (a, b, c, d): Self::Kinds, nest: &mut Writer) {
        for (kind, (_, bit)) in [a, b, c, d].into_iter().zip(&BY) {
            nest.flag_if(kind, self.0 & bit != 0);
        }
    }

    fn words(&self, option: &str) -> Option<String> {
        (self.0 != 0).then(|| format!("{option} {self}"))
    }

    fn json(&self, key: &str, object: &mut Map<String, Value>) {
        object.insert(key.to_owned(), json!(self.names()));
    }
}

/// How many of the first bits of an address count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Prefix {
    bits: u8,
    /// Those of IPv6, if there are others.
    ipv6: Option<u8>,
}

/// The most bits of a prefix in IPv4, and in IPv6.
const IPV4_BITS: u8 = 32;
const IPV6_BITS: u8 = 128;

fn parse_prefix(text: &str) -> Result<Prefix, String> {
    let prefix = |text, most: u8| parse_number(text, 0, most.into());
    Ok(match text.split_once(',') {
        None => Prefix {
            bits: prefix(text, IPV6_BITS)?,
            ipv6: None,
        },
        Some((ipv4, ipv6)) => Prefix {
            bits: prefix(ipv4, IPV4_BITS)?,
            ipv6: Some(prefix(ipv6, IPV6_BITS)?),
        },
    })
}

impl Prefix {
    /// The family of rules that it can only be for, if it is for one alone.
    fn family(self) -> Option<Family> {
        (self.bits > IPV4_BITS).then_some(Family::Ipv6)
    }

    /// The family of rules that it is for unless something else says so.
    fn default_family(self) -> Option<Family> {
        (self.bits <= IPV4_BITS && self.ipv6.is_none()).then_some(Family::Ipv4)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ipv6 {
            None => self.bits.fmt(out),
            Some(ipv6) => write!(out, "{},{ipv6}", self.bits),
        }
    }
}

impl Plain for Prefix {
    type Kinds = (u16, u16);

    fn read(nest: &Nest<'_>, (bits, ipv6): Self::Kinds) -> Result<Option<Self>, Error> {
        let ipv6 = read(nest, ipv6)?;
        Ok(Plain::read(nest, bits)?.map(|bits| Self { bits, ipv6 }))
    }

    fn write(&self, (bits, ipv6): Self::Kinds, nest: &mut Writer) {
        nest.u8(bits, self.bits);
        if let Some(own) = self.ipv6 {
            nest.u8(ipv6, own);
        }
    }

    fn json(&self, key: &str, object: &mut Map<String, Value>) {
        object.insert(key.to_owned(), json!(self.to_string()));
    }
}

/// An option that is taken since old rules have it.
#[derive(Clone, Copy, Debug, Default)]
struct Ignored;

fn ignored(given: &Given<'_>) -> Result<Ignored, String> {
    parse_number::<u32>(given.value(), 1, u32::MAX).map(|_| Ignored)
}

/// A number that is greater than 0.
fn given_number(given: &Given<'_>) -> Result<u64, String> {
    parse_number::<u32>(given.value(), 1, u32::MAX).map(u64::from)
}

impl fmt::Display for Ignored {
    fn fmt(&self, _out: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl Plain for Ignored {
    type Kinds = ();

    fn read(_nest: &Nest<'_>, (): ()) -> Result<Option<Self>, Error> {
        Ok(None)
    }

    fn write(&self, (): (), _nest: &mut Writer) {}

    fn words(&self, _option: &str) -> Option<String> {
        None
    }

    fn json(&self, _key: &str, _object: &mut Map<String, Value>) {}
}

impl Extension for Hashlimit {
    fn kind(&self) -> &'static ExtensionType {
        &TYPE
    }

    fn check(&mut self, _rule: &RuleContext<'_>) -> Result<(), String> {
        if self.name.is_empty() {
            return Err(
                "needs --hashlimit-name NAME: rules of one name share their rates".to_owned(),
            );
        }
        let is_bytes = matches!(self.rate.rate, Rate::Bytes(_));
        match self.burst {
            Some(burst) if burst.is_bytes != is_bytes => Err(format!(
                "--hashlimit-burst {burst} does not go with the rate {}: both are packets, or both bytes",
                self.rate.rate
            )),
            _ => Ok(()),
        }
    }

    fn family(&self) -> Option<Family> {
        let prefixes = [self.source_prefix, self.destination_prefix];
        prefixes.into_iter().flatten().find_map(Prefix::family)
    }

    fn default_family(&self) -> Option<Family> {
        let prefixes = [self.source_prefix, self.destination_prefix];
        prefixes
            .into_iter()
            .flatten()
            .find_map(Prefix::default_family)
    }

    fn list(&self) -> String {
        let Limited { rate, is_above } = self.rate;
        let mut text = format!(
            " limit: {} {rate}",
            if is_above { "above" } else { "up to" }
        );
        if let Some(burst) = self.burst {
            text += &format!(" burst {burst}");
        }
        if self.by != By::default() {
            text += &format!(" mode {}", self.by.to_string().replace(',', "-"));
        }
        text += &format!(" name {}", crate::text::printable(&self.name));
        for (side, prefix) in [
            ("src", self.source_prefix),
            ("dst", self.destination_prefix),
        ] {
            if let Some(prefix) = prefix {
                text += &format!(" {side}mask /{prefix}");
            }
        }
        text
    }
}
