// SPDX-License-Identifier: GPL-2.0

//! The flags of a TCP segment, as bits of its header's byte 13.

use std::fmt;

use crate::{fields::composite, rules::model::options::Given};

/// Names in the order in which iptables prints them.
const NAMES: [(&str, u8); 8] = [
    ("FIN", 0x01),
    ("SYN", 0x02),
    ("RST", 0x04),
    ("PSH", 0x08),
    ("ACK", 0x10),
    ("URG", 0x20),
    ("ECE", 0x40),
    ("CWR", 0x80),
];

/// What iptables calls ALL.
const ALL: u8 = 0x3f;

/// Which flags are looked at, and which of them are set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TcpFlags {
    /// The flags that are looked at.
    pub(super) mask: u8,
    /// Those of them that are set.
    pub(super) set: u8,
}

impl TcpFlags {
    /// The first segment of a connection.
    pub(super) const SYN: Self = Self {
        mask: 0x17,
        set: 0x02,
    };

    pub(super) fn parse(given: &Given<'_>) -> Result<Self, String> {
        let [mask, set] = given.values else {
            return Err("this has to be two lists of flags".to_owned());
        };
        let (mask, set) = (parse_list(mask)?, parse_list(set)?);
        if set & !mask != 0 {
            return Err(format!(
                "{} has to be among the flags that are looked at, the first ones",
                names(set & !mask)
            ));
        }
        Ok(Self { mask, set })
    }
}

/// What a list is made of.
pub(super) fn words() -> Vec<&'static str> {
    let names = NAMES.iter().map(|(name, _)| *name);
    names.chain(["ALL", "NONE"]).collect()
}

fn parse_list(text: &str) -> Result<u8, String> {
    text.split(',').try_fold(0, |flags, name| {
        let upper = name.to_uppercase();
        let flag = match upper.as_str() {
            "ALL" => Some(ALL),
            "NONE" => Some(0),
            _ => NAMES
                .iter()
                .find(|(known, _)| *known == upper)
                .map(|(_, flag)| *flag),
        };
        let flag = flag.ok_or_else(|| {
            let known = words().join(", ");
            format!("there is no flag {name:?}: known are {known}")
        })?;
        Ok(flags | flag)
    })
}

fn names(flags: u8) -> String {
    let set = NAMES.iter().filter(|(_, flag)| flags & flag != 0);
    let names: Vec<&str> = set.map(|(name, _)| *name).collect();
    if names.is_empty() {
        "NONE".to_owned()
    } else {
        names.join(",")
    }
}

impl fmt::Display for TcpFlags {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", names(self.mask), names(self.set))
    }
}

composite!(TcpFlags { mask, set or 0 });
