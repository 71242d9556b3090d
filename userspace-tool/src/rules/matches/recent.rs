// SPDX-License-Identifier: GPL-2.0

//! `-m recent`: whether an address was seen recently.

use std::{fmt, net::IpAddr};

use serde_json::{Map, Value, json};

use crate::{
    error::Error,
    fields::{Negatable, Plain, nest, plain, read},
    netlink::{
        Nest, Writer,
        spec::{HITS_MAX, LIST_NAME_LENGTH_MAX, RecentKey, RecentOperation, attribute::r#match},
    },
    rules::model::{
        extension::{Extension, ExtensionType, RuleContext},
        options::{is, number, options, parse_text, parsed},
        rule::Rule,
    },
    text::{number as number_of_bits, printable},
};

/// The match `recent`.
pub(super) static TYPE: ExtensionType = ExtensionType {
    about: "addresses that were seen lately, and how often",
    options: options!(Recent {
        [!] "set" => operation: is(RecentOperation::Set),
            "add the address to the list, or stamp it anew; always matches";
        [!] "rcheck" | "check" => operation: is(RecentOperation::Check),
            "match if the address is in the list (the default)";
        [!] "update" => operation: is(RecentOperation::Update),
            "as --rcheck, and stamp the address anew if it matched";
        [!] "remove" | "close" => operation: is(RecentOperation::Remove),
            "match if the address is in the list, and remove it";
        [] "seconds": "N" => seconds: number(1, u32::MAX), goes with ["rcheck", "update"],
            "with --rcheck and --update: only packets of the last N seconds count";
        [] "hitcount": "N" => hits: number(1, HITS_MAX), goes with ["rcheck", "update"],
            "with --rcheck and --update: at least N packets have to count";
        [] "rttl" => time_to_live: is(true), goes with ["rcheck", "update", "remove"],
            "with --rcheck, --update and --remove: the TTL or hop limit has to be that of the \
             packet that was stamped last";
        [] "reap" => reap: is(true), goes with ["rcheck", "update"], needs "seconds",
            "with --rcheck and --update and --seconds: forget addresses not seen for so long";
        [] "name": "LIST" => list: parsed(parse_list_name), "the list, DEFAULT if not given";
        [] "mask": "MASK" => mask: parsed(parse_mask),
            "the bits of the address that count, such as 255.255.255.0 or ffff:ffff::, or how many of \
             the first ones, such as 24,64 for 24 of IPv4 and 64 of IPv6";
        [] "rsource" => key: is(RecentKey::Source), "look up the source address (the default)";
        [] "rdest" => key: is(RecentKey::Destination), "look up the destination address";
        [] "rport" => key: is(RecentKey::SourceAndPort),
            "look up the source address together with the source port";
    }),
    conflict: Some((
        "operation",
        "{} was given before, and one -m recent does one thing: give a second one",
    )),
    examples: &[
        "-A INPUT -p tcp --dport 22 --syn -m recent --name SSH --update --seconds 60 --hitcount 4 -j DROP",
        "-A INPUT -p tcp --dport 22 --syn -m recent --name SSH --set",
        "-A INPUT -m recent --name SSH --rcheck --seconds 3600 --reap --rttl -j DROP",
        "-A INPUT -p tcp --dport 25 -m recent --name NETS --set --mask 255.255.255.0",
        "-A INPUT -p tcp --dport 25 -m recent --name NETS --set --mask 24,64",
        "-A INPUT -p udp -m recent --name PEERS --rport --set",
    ],
    ..ExtensionType::nested::<Recent>("recent", r#match::RECENT)
};

nest! {
    struct Recent: recent {
        list: String = NAME => "--name", or "DEFAULT".to_owned();
        operation: Negatable<RecentOperation> = OPERATION ! INVERT,
            or Negatable::plain(RecentOperation::Check);
        key: RecentKey = KEY, or RecentKey::Source;
        seconds: Option<u32> = SECONDS => "--seconds";
        hits: Option<u32> = HITS => "--hitcount";
        time_to_live: bool = TIME_TO_LIVE => "--rttl";
        reap: bool = REAP => "--reap";
        mask: Option<Mask> = (MASK, IPV4_PREFIX, IPV6_PREFIX) => "--mask";
    }
    saved as operation seconds reap hits time_to_live list mask key;
}

/// What a rule asks a list, and not the opposite of it.
pub(crate) struct Visits<'a> {
    pub(crate) list: &'a str,
    /// Whether it stamps who matches.
    pub(crate) is_update: bool,
    pub(crate) seconds: Option<u32>,
    pub(crate) hits: Option<u32>,
}

impl<'a> Visits<'a> {
    /// What the first `-m recent` of a rule asks.
    pub(crate) fn of(rule: &'a Rule) -> Option<Self> {
        let mut matches = rule.matches.iter();
        let recent: &Recent = matches.find_map(|one| one.as_any().downcast_ref())?;
        (!recent.operation.inverted).then_some(Self {
            list: &recent.list,
            is_update: recent.operation.value == RecentOperation::Update,
            seconds: recent.seconds,
            hits: recent.hits,
        })
    }
}

plain! {
    RecentOperation: one_of(Self::from_number), |this| u32(this.number()), this.to_string(),
        |_option| match this {
            Self::Check => "--rcheck",
            Self::Set => "--set",
            Self::Update => "--update",
            Self::Remove => "--remove",
        }
        .to_owned();
    RecentKey: one_of(Self::from_number), |this| u32(this.number()), this.to_string(),
        |_option| match this {
            Self::Source => "--rsource",
            Self::Destination => "--rdest",
            Self::SourceAndPort => "--rport",
        }
        .to_owned();
}

/// The name of a list, if it can be one.
pub(crate) fn parse_list_name(name: &str) -> Result<String, String> {
    match name {
        "" => Err("the name of a list is empty".to_owned()),
        _ => parse_text(name, "the name of a list", LIST_NAME_LENGTH_MAX),
    }
}

/// The bits of an address that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mask {
    /// For packets of that IP version.
    Bits(IpAddr),
    /// How many of the first ones, for packets of each IP version.
    Prefixes { ipv4: u8, ipv6: u8 },
}

fn parse_mask(text: &str) -> Result<Mask, String> {
    if let Some((ipv4, ipv6)) = text.split_once(',') {
        let prefix = |length, most, version| {
            let length = number_of_bits(length).filter(|length| *length <= most);
            length
                .ok_or_else(|| format!("a prefix length of {version} is a number from 0 to {most}"))
        };
        return Ok(Mask::Prefixes {
            ipv4: prefix(ipv4, 32, "IPv4")?,
            ipv6: prefix(ipv6, 128, "IPv6")?,
        });
    }
    text.parse().map(Mask::Bits).map_err(|_| {
        "a mask is such as 255.255.255.0 or ffff:ffff::, or such as 24,64 for both".to_owned()
    })
}

impl Mask {
    /// Whether the mask has all bits, as iptables-save prints it where none was given.
    fn is_whole(self) -> bool {
        match self {
            Self::Bits(IpAddr::V4(mask)) => mask.to_bits() == u32::MAX,
            Self::Bits(IpAddr::V6(mask)) => mask.to_bits() == u128::MAX,
            Self::Prefixes { ipv4, ipv6 } => (ipv4, ipv6) == (32, 128),
        }
    }
}

impl fmt::Display for Mask {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bits(mask) => mask.fmt(out),
            Self::Prefixes { ipv4, ipv6 } => write!(out, "{ipv4},{ipv6}"),
        }
    }
}

impl Plain for Mask {
    /// Of the bits, and of the prefix lengths.
    type Kinds = (u16, u16, u16);

    fn read(nest: &Nest<'_>, (bits, ipv4, ipv6): Self::Kinds) -> Result<Option<Self>, Error> {
        Ok(match (read(nest, ipv4)?, read(nest, ipv6)?) {
            (Some(ipv4), Some(ipv6)) => Some(Self::Prefixes { ipv4, ipv6 }),
            _ => read(nest, bits)?.map(Self::Bits),
        })
    }

    fn write(&self, (bits, ipv4, ipv6): Self::Kinds, nest: &mut Writer) {
        match self {
            Self::Bits(mask) => nest.address(bits, *mask),
            Self::Prefixes {
                ipv4: first,
                ipv6: second,
            } => {
                nest.u8(ipv4, *first);
                nest.u8(ipv6, *second);
            }
        }
    }

    fn json(&self, key: &str, object: &mut Map<String, Value>) {
        object.insert(key.to_owned(), json!(self.to_string()));
    }
}

impl Extension for Recent {
    fn kind(&self) -> &'static ExtensionType {
        &TYPE
    }

    fn check(&mut self, _rule: &RuleContext<'_>) -> Result<(), String> {
        self.mask.take_if(|mask| mask.is_whole());
        Ok(())
    }

    fn list(&self) -> String {
        let Negatable { inverted, value } = self.operation;
        let mut text = if inverted { " !" } else { "" }.to_owned();
        text += &format!(" recent: {}", value.to_string().to_uppercase());
        if let Some(seconds) = self.seconds {
            text += &format!(" seconds: {seconds}");
        }
        if self.reap {
            text += " reap";
        }
        if let Some(hits) = self.hits {
            text += &format!(" hit_count: {hits}");
        }
        if self.time_to_live {
            text += " TTL-Match";
        }
        let side = match self.key {
            RecentKey::Source => "source",
            RecentKey::Destination => "dest",
            RecentKey::SourceAndPort => "source and port",
        };
        text += &format!(" name: {} side: {side}", printable(&self.list));
        if let Some(mask) = self.mask {
            text += &format!(" mask: {mask}");
        }
        text
    }
}
