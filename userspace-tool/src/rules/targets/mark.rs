// SPDX-License-Identifier: GPL-2.0

//! `-j MARK`: change the mark of a packet.

use std::fmt;

use serde_json::{Map, Value};

use crate::{
    error::Error,
    fields::{Plain, nest},
    netlink::{Nest, Writer, spec::attribute::target},
    rules::model::{
        extension::{Extension, ExtensionType},
        mark::{Mark, parse_number},
        options::{Given, options, parsed},
    },
};

/// The target `MARK`.
pub(super) static TYPE: ExtensionType = ExtensionType {
    about: "set the mark of the packet, and go on",
    options: options!(MarkTarget {
        [] "set-mark": "VALUE[/MASK]" => change: parsed(set),
            "set the bits of MASK, all if not given, to zero, and set those of VALUE";
        [] "set-xmark": "VALUE[/MASK]" => change: parsed(|text| Mark::parse(text).map(MarkChange)),
            "set the bits of MASK, all if not given, to zero, and turn those of VALUE";
        [] "and-mark": "BITS" => change: bits(|bits| (0, !bits)), "keep only these bits";
        [] "or-mark": "BITS" => change: bits(|bits| (bits, bits)), "set these bits";
        [] "xor-mark": "BITS" => change: bits(|bits| (bits, 0)), "turn these bits";
    }),
    required: Some("change"),
    conflict: Some(("change", "one -j MARK does one thing: give a second rule")),
    examples: &["-t raw -A PREROUTING -i eth0 -j MARK --set-mark 7"],
    ..ExtensionType::nested::<MarkTarget>("MARK", target::MARK)
};

nest! {
    struct MarkTarget: mark {
        change: MarkChange = (VALUE, MASK) => "--set-xmark";
    }
}

/// The bits of the mask become zero, and then those of the value are turned.
#[derive(Clone, Copy, Debug, Default)]
struct MarkChange(Mark);

fn set(text: &str) -> Result<MarkChange, String> {
    let Mark { value, mask } = Mark::parse(text)?;
    let mask = mask | value;
    Ok(MarkChange(Mark { value, mask }))
}

/// An option whose bits become the value and the mask.
fn bits(change: fn(u32) -> (u32, u32)) -> impl Fn(&Given<'_>) -> Result<MarkChange, String> {
    move |given| {
        let (value, mask) = change(parse_number(given.value())?);
        Ok(MarkChange(Mark { value, mask }))
    }
}

impl fmt::Display for MarkChange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:#x}/{:#x}", self.0.value, self.0.mask)
    }
}

impl Plain for MarkChange {
    type Kinds = <Mark as Plain>::Kinds;

    fn read(nest: &Nest<'_>, kinds: Self::Kinds) -> Result<Option<Self>, Error> {
        Ok(Plain::read(nest, kinds)?.map(Self))
    }

    fn write(&self, kinds: Self::Kinds, nest: &mut Writer) {
        Plain::write(&self.0, kinds, nest);
    }

    fn json(&self, key: &str, object: &mut Map<String, Value>) {
        Plain::json(&self.0, key, object);
    }
}

impl Extension for MarkTarget {
    fn kind(&self) -> &'static ExtensionType {
        &TYPE
    }

    fn list(&self) -> String {
        match self.change.0 {
            Mark { value: 0, mask } => format!(" MARK and {:#x}", !mask),
            Mark { value, mask } if value == mask => format!(" MARK or {value:#x}"),
            Mark { value, mask: 0 } => format!(" MARK xor {value:#x}"),
            Mark {
                value,
                mask: u32::MAX,
            } => format!(" MARK set {value:#x}"),
            Mark { value, mask } => format!(" MARK xset {value:#x}/{mask:#x}"),
        }
    }
}
