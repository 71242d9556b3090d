// SPDX-License-Identifier: GPL-2.0

//! `-m iprange`: ranges of addresses.

use std::fmt;

use crate::{
    fields::{Negatable, composite, nest},
    netlink::spec::attribute::r#match,
    rules::model::{
        address::{AddressRange, parse_address},
        extension::{Extension, ExtensionType, RuleContext},
        family::Family,
        options::{options, parsed},
    },
};

/// The match `iprange`.
pub(super) static TYPE: ExtensionType = ExtensionType {
    about: "ranges of addresses",
    options: options!(Iprange {
        [!] "src-range": "ADDR[-ADDR]" => source: parsed(parse),
            "the source address is one of these, both ends included";
        [!] "dst-range": "ADDR[-ADDR]" => destination: parsed(parse),
            "the destination address is one of these";
    }),
    notes: "The rule is for the IP version of the addresses.\n",
    examples: &["-A INPUT -m iprange --src-range 192.0.2.10-192.0.2.20 -j ACCEPT"],
    ..ExtensionType::nested::<Iprange>("iprange", r#match::IPRANGE)
};

nest! {
    struct Iprange: iprange {
        source: Option<Negatable<AddressRange>> = (SOURCE_FIRST, SOURCE_LAST) ! SOURCE_INVERT
            => "--src-range";
        destination: Option<Negatable<AddressRange>> =
            (DESTINATION_FIRST, DESTINATION_LAST) ! DESTINATION_INVERT => "--dst-range";
    }
}

fn parse(text: &str) -> Result<AddressRange, String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let address = |text| {
        parse_address(text)
            .ok_or("a range is such as 192.0.2.1-192.0.2.9 or 2001:db8::1-2001:db8::9")
    };
    AddressRange::new(address(first)?, address(last)?)
}

impl fmt::Display for AddressRange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-{}", self.first, self.last)
    }
}

composite!(AddressRange { first, last });

impl Iprange {
    fn ranges(&self) -> impl Iterator<Item = &Negatable<AddressRange>> {
        self.source.iter().chain(&self.destination)
    }
}

impl Extension for Iprange {
    fn kind(&self) -> &'static ExtensionType {
        &TYPE
    }

    fn check(&mut self, _rule: &RuleContext<'_>) -> Result<(), String> {
        let mut families = self.ranges().map(|range| range.value.family());
        match (families.next(), families.next()) {
            (None, _) => Err("needs --src-range or --dst-range".to_owned()),
            (Some(source), Some(destination)) if source != destination => Err(format!(
                "--src-range is for {} and --dst-range is for {}: no packet is both",
                source.name(),
                destination.name()
            )),
            _ => Ok(()),
        }
    }

    fn family(&self) -> Option<Family> {
        Some(self.ranges().next()?.value.family())
    }

    fn list(&self) -> String {
        let show = |kind, range: &Option<Negatable<AddressRange>>| {
            range.as_ref().map_or_else(String::new, |range| {
                format!(" {kind} IP range {}{}", range.prefix(), range.value)
            })
        };
        show("source", &self.source) + &show("destination", &self.destination)
    }
}
