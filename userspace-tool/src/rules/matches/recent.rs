// SPDX-License-Identifier: GPL-2.0

//! `-m recent`: whether an address was seen recently.

use std::{net::IpAddr, rc::Rc};

use serde_json::{Value, json};

use crate::{
    error::Error,
    netlink::{
        Attribute, Writer,
        spec::{
            HITS_MAX, LIST_NAME_LENGTH_MAX, RecentKey, RecentOperation,
            attribute::{r#match, recent as attribute},
        },
    },
    rules::model::{
        extension::{Extension, ExtensionOption, ExtensionType, Given, set_once},
        rule::Negatable,
    },
    text::{printable, quote},
};

const DEFAULT_LIST: &str = "DEFAULT";

pub(super) static TYPE: ExtensionType = ExtensionType {
    name: "recent",
    help: "\
[!] --set             add the address to the list, or stamp it anew; always matches
[!] --rcheck          match if the address is in the list (the default)
[!] --update          as --rcheck, and stamp the address anew if it matched
[!] --remove          match if the address is in the list, and remove it
    --seconds N       with --rcheck and --update: only packets of the last N seconds count
    --hitcount N      with --rcheck and --update: at least N packets have to count
    --rttl            with --rcheck, --update and --remove: the TTL or hop limit has to be that of the
                      packet that was stamped last
    --reap            with --rcheck and --update and --seconds: forget addresses not seen for so long
    --name NAME       the list, DEFAULT if not given
    --mask MASK       the bits of the address that count, such as 255.255.255.0 or ffff:ffff::
    --rsource         look up the source address (the default)
    --rdest           look up the destination address
    --rport           look up the source address together with the source port
",
    options: &[
        ExtensionOption::flag(&["set"]).negatable(),
        ExtensionOption::flag(&["rcheck", "check"]).negatable(),
        ExtensionOption::flag(&["update"]).negatable(),
        ExtensionOption::flag(&["remove", "close"]).negatable(),
        ExtensionOption::value(&["seconds"]),
        ExtensionOption::value(&["hitcount"]),
        ExtensionOption::flag(&["rttl"]),
        ExtensionOption::flag(&["reap"]),
        ExtensionOption::value(&["name"]),
        ExtensionOption::value(&["mask"]),
        ExtensionOption::flag(&["rsource"]),
        ExtensionOption::flag(&["rdest"]),
        ExtensionOption::flag(&["rport"]),
    ],
    attribute: r#match::RECENT,
    new: || Box::new(Recent::default()),
    decode: |nest| Ok(Rc::new(Recent::decode(nest)?)),
};

#[derive(Debug, Default)]
struct Recent {
    name: Option<String>,
    operation: Option<Negatable<RecentOperation>>,
    key: Option<RecentKey>,
    seconds: Option<u32>,
    hits: Option<u32>,
    time_to_live: bool,
    reap: bool,
    mask: Option<IpAddr>,
}

impl Recent {
    fn decode(nest: &Attribute<'_>) -> Result<Self, Error> {
        let mut recent = Self::default();
        let (mut operation, mut inverted) = (None, false);
        for attribute in nest.nested() {
            let attribute = attribute?;
            match attribute.kind {
                attribute::NAME => recent.name = Some(attribute.string()?),
                attribute::OPERATION => {
                    operation = Some(attribute.one_of(RecentOperation::from_number)?);
                }
                attribute::INVERT => inverted = true,
                attribute::KEY => recent.key = Some(attribute.one_of(RecentKey::from_number)?),
                attribute::SECONDS => recent.seconds = Some(attribute.u32()?),
                attribute::HITS => recent.hits = Some(attribute.u32()?),
                attribute::TIME_TO_LIVE => recent.time_to_live = true,
                attribute::REAP => recent.reap = true,
                attribute::MASK => recent.mask = Some(attribute.address()?),
                _ => {}
            }
        }
        recent.operation = operation.map(|value| Negatable { inverted, value });
        Ok(recent)
    }

    fn list_name(&self) -> &str {
        self.name.as_deref().unwrap_or(DEFAULT_LIST)
    }

    fn operation(&self) -> Negatable<RecentOperation> {
        self.operation.unwrap_or(Negatable {
            inverted: false,
            value: RecentOperation::Check,
        })
    }

    fn key(&self) -> RecentKey {
        self.key.unwrap_or(RecentKey::Source)
    }

    fn set_operation(&mut self, given: &Given<'_>, value: RecentOperation) -> Result<(), String> {
        if let Some(earlier) = &self.operation {
            let earlier = option_name(earlier.value);
            return Err(format!(
                "--{earlier} was given before, and one -m recent does one thing: give a second one"
            ));
        }
        self.operation = Some(Negatable {
            inverted: given.inverted,
            value,
        });
        Ok(())
    }

    fn set_key(&mut self, key: RecentKey) -> Result<(), String> {
        set_once(&mut self.key, key)
            .map_err(|_| "--rsource, --rdest or --rport was given before".to_owned())
    }
}

fn option_name(operation: RecentOperation) -> &'static str {
    match operation {
        RecentOperation::Check => "rcheck",
        RecentOperation::Set => "set",
        RecentOperation::Update => "update",
        RecentOperation::Remove => "remove",
    }
}

fn parse_number(given: &Given<'_>, most: u32) -> Result<u32, String> {
    let digits = given.value().bytes().all(|byte| byte.is_ascii_digit());
    match given.value().parse() {
        Ok(number) if digits && (1..=most).contains(&number) => Ok(number),
        _ => Err(format!("this has to be a number from 1 to {most}")),
    }
}

/// The name of a list, if it can be one.
pub(crate) fn parse_list_name(name: &str) -> Result<String, String> {
    if name.is_empty() {
        return Err("the name of a list is empty".to_owned());
    }
    if name.len() > LIST_NAME_LENGTH_MAX as usize {
        return Err(format!(
            "the name of a list has at most {LIST_NAME_LENGTH_MAX} bytes, this one has {}",
            name.len()
        ));
    }
    if name.chars().any(char::is_control) {
        return Err("the name of a list cannot hold control characters".to_owned());
    }
    Ok(name.to_owned())
}

fn parse_mask(text: &str) -> Result<IpAddr, String> {
    text.parse()
        .map_err(|_| "a mask is such as 255.255.255.0 or ffff:ffff::".to_owned())
}

/// Whether the mask has all bits, as iptables-save prints it where none was given.
fn is_whole(mask: IpAddr) -> bool {
    match mask {
        IpAddr::V4(mask) => mask.to_bits() == u32::MAX,
        IpAddr::V6(mask) => mask.to_bits() == u128::MAX,
    }
}

fn set_flag(place: &mut bool) -> Result<(), String> {
    if std::mem::replace(place, true) {
        return Err("was given before".to_owned());
    }
    Ok(())
}

impl Extension for Recent {
    fn name(&self) -> &'static str {
        TYPE.name
    }

    fn option(&mut self, given: &Given<'_>) -> Result<(), String> {
        match given.name {
            "set" => self.set_operation(given, RecentOperation::Set),
            "rcheck" => self.set_operation(given, RecentOperation::Check),
            "update" => self.set_operation(given, RecentOperation::Update),
            "remove" => self.set_operation(given, RecentOperation::Remove),
            "seconds" => set_once(&mut self.seconds, parse_number(given, u32::MAX)?),
            "hitcount" => set_once(&mut self.hits, parse_number(given, HITS_MAX)?),
            "name" => set_once(&mut self.name, parse_list_name(given.value())?),
            "rttl" => set_flag(&mut self.time_to_live),
            "reap" => set_flag(&mut self.reap),
            "mask" => set_once(&mut self.mask, parse_mask(given.value())?),
            "rsource" => self.set_key(RecentKey::Source),
            "rport" => self.set_key(RecentKey::SourceAndPort),
            _ => self.set_key(RecentKey::Destination),
        }
    }

    fn check(&mut self, _protocol: Option<&Negatable<u8>>) -> Result<(), String> {
        self.mask = self.mask.filter(|mask| !is_whole(*mask));
        let operation = self.operation().value;
        if self.time_to_live && operation == RecentOperation::Set {
            return Err(
                "--rttl goes with --rcheck, --update or --remove, not with --set".to_owned(),
            );
        }
        if matches!(operation, RecentOperation::Check | RecentOperation::Update) {
            if self.reap && self.seconds.is_none() {
                return Err("--reap needs --seconds".to_owned());
            }
            return Ok(());
        }
        let limit = match (self.seconds, self.hits) {
            (Some(_), _) => "seconds",
            (_, Some(_)) => "hitcount",
            _ if self.reap => "reap",
            _ => return Ok(()),
        };
        Err(format!(
            "--{limit} goes with --rcheck or --update, not with --{}",
            option_name(operation)
        ))
    }

    fn save(&self) -> String {
        let operation = self.operation();
        let mut text = format!(" {}--{}", operation.prefix(), option_name(operation.value));
        if let Some(seconds) = self.seconds {
            text += &format!(" --seconds {seconds}");
        }
        if self.reap {
            text += " --reap";
        }
        if let Some(hits) = self.hits {
            text += &format!(" --hitcount {hits}");
        }
        if self.time_to_live {
            text += " --rttl";
        }
        let side = match self.key() {
            RecentKey::Source => "rsource",
            RecentKey::Destination => "rdest",
            RecentKey::SourceAndPort => "rport",
        };
        text += &format!(" --name {}", quote(self.list_name()));
        if let Some(mask) = self.mask {
            text += &format!(" --mask {mask}");
        }
        text + &format!(" --{side}")
    }

    fn list(&self) -> String {
        let operation = self.operation();
        let space = if operation.inverted { " !" } else { "" };
        let verb = match operation.value {
            RecentOperation::Check => "CHECK",
            RecentOperation::Set => "SET",
            RecentOperation::Update => "UPDATE",
            RecentOperation::Remove => "REMOVE",
        };
        let mut text = format!("{space} recent: {verb}");
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
        let side = match self.key() {
            RecentKey::Source => "source",
            RecentKey::Destination => "dest",
            RecentKey::SourceAndPort => "source and port",
        };
        text += &format!(" name: {} side: {side}", printable(self.list_name()));
        if let Some(mask) = self.mask {
            text += &format!(" mask: {mask}");
        }
        text
    }

    fn json(&self) -> Value {
        let operation = self.operation();
        json!({
            "list": self.list_name(),
            "operation": operation.value.to_string(),
            "inverted": operation.inverted,
            "key": self.key().to_string(),
            "seconds": self.seconds,
            "hits": self.hits,
            "time_to_live": self.time_to_live,
            "reap": self.reap,
            "mask": self.mask,
        })
    }

    fn encode(&self, request: &mut Writer) {
        let operation = self.operation();
        request.nested(TYPE.attribute, |nest| {
            nest.labelled(format_args!("--name {}", self.list_name()), |nest| {
                nest.string(attribute::NAME, self.list_name());
            });
            nest.labelled(format_args!("--{}", option_name(operation.value)), |nest| {
                nest.u32(attribute::OPERATION, operation.value.number());
                if operation.inverted {
                    nest.flag(attribute::INVERT);
                }
            });
            nest.u32(attribute::KEY, self.key().number());
            if let Some(seconds) = self.seconds {
                nest.labelled(format_args!("--seconds {seconds}"), |nest| {
                    nest.u32(attribute::SECONDS, seconds);
                });
            }
            if let Some(hits) = self.hits {
                nest.labelled(format_args!("--hitcount {hits}"), |nest| {
                    nest.u32(attribute::HITS, hits);
                });
            }
            if self.time_to_live {
                nest.labelled("--rttl", |nest| nest.flag(attribute::TIME_TO_LIVE));
            }
            if self.reap {
                nest.labelled("--reap", |nest| nest.flag(attribute::REAP));
            }
            if let Some(mask) = self.mask {
                nest.labelled(format_args!("--mask {mask}"), |nest| {
                    nest.address(attribute::MASK, mask);
                });
            }
        });
    }
}
