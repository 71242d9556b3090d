// SPDX-License-Identifier: GPL-2.0

//! `-j LOG`: a line in the kernel's log.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::{
    error::Error,
    fields::{Plain, nest},
    netlink::{
        Nest, Writer,
        spec::{LOG_PREFIX_LENGTH_MAX, attribute::target},
    },
    rules::model::{
        extension::{Extension, ExtensionType},
        options::{is, options, parsed, text},
    },
    text::printable,
};

/// The target `LOG`.
pub(super) static TYPE: ExtensionType = ExtensionType {
    about: "write a line to the kernel's log, and go on",
    options: options!(Log {
        [] "log-level": "LEVEL" => level: parsed(parse_level), among level_names,
            "a level, warning if not given, or its number from 0 to 7";
        [] "log-prefix": "TEXT" => prefix: text("a prefix", LOG_PREFIX_LENGTH_MAX),
            "what the line begins with, of at most 29 bytes";
        [+] "log-tcp-sequence" => flags: is(LogFlags(1)), "with TCP sequence numbers";
        [+] "log-tcp-options" => flags: is(LogFlags(2)), "with the options of the TCP header";
        [+] "log-ip-options" => flags: is(LogFlags(4)), "with the options of the IP header";
        [+] "log-uid" => flags: is(LogFlags(8)), "with the user who sends the packet";
        [+] "log-macdecode" => flags: is(LogFlags(32)),
            "with the addresses and the protocol of the link layer";
    }),
    notes: "\
The packet then goes on with the next rule. Of network namespaces other than the first the kernel logs
packets only where the sysctl net.netfilter.nf_log_all_netns is 1.
",
    examples: &[
        "-A INPUT -p tcp --dport 23 -j LOG --log-prefix \"telnet: \" --log-level info",
    ],
    ..ExtensionType::nested::<Log>("LOG", target::LOG)
};

const DEFAULT_LEVEL: u8 = 4;

nest! {
    struct Log: log {
        level: u8 = LEVEL => "--log-level", unless DEFAULT_LEVEL;
        prefix: String = PREFIX => "--log-prefix", unless String::new();
        flags: LogFlags = FLAGS, unless LogFlags(0);
    }
    saved as prefix level flags;
}

/// The names of levels, in the order in which iptables looks for abbreviations.
const LEVELS: &[(&str, u8)] = &[
    ("alert", 1),
    ("crit", 2),
    ("debug", 7),
    ("emerg", 0),
    ("error", 3),
    ("info", 6),
    ("notice", 5),
    ("panic", 0),
    ("warning", DEFAULT_LEVEL),
];

fn level_names() -> Vec<&'static str> {
    LEVELS.iter().map(|(name, _)| *name).collect()
}

fn parse_level(text: &str) -> Result<u8, String> {
    if let [digit @ b'0'..=b'7'] = text.as_bytes() {
        return Ok(digit - b'0');
    }
    let lower = text.to_ascii_lowercase();
    let mut levels = LEVELS.iter();
    let level = levels.find(|(name, _)| !lower.is_empty() && name.starts_with(&lower));
    level.map(|(_, number)| *number).ok_or_else(|| {
        "a level is a number from 0 to 7, or emerg, alert, crit, error, warning, notice, info or debug"
            .to_owned()
    })
}

/// NF_LOG flags: what the line contains besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct LogFlags(u32);

impl LogFlags {
    /// The options, with what JSON calls them.
    const OPTIONS: [(&str, &str, Self); 5] = [
        ("--log-tcp-sequence", "tcp_sequence", Self(1)),
        ("--log-tcp-options", "tcp_options", Self(2)),
        ("--log-ip-options", "ip_options", Self(4)),
        ("--log-uid", "uid", Self(8)),
        ("--log-macdecode", "macdecode", Self(32)),
    ];

    fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl fmt::Display for LogFlags {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = Self::OPTIONS.iter().filter(|(_, _, flag)| self.has(*flag));
        let options: Vec<&str> = set.map(|(option, ..)| *option).collect();
        out.write_str(&options.join(" "))
    }
}

impl Plain for LogFlags {
    type Kinds = u16;

    fn read(nest: &Nest<'_>, kind: u16) -> Result<Option<Self>, Error> {
        Ok(Plain::read(nest, kind)?.map(Self))
    }

    fn write(&self, kind: u16, nest: &mut Writer) {
        nest.u32(kind, self.0);
    }

    fn put(&mut self, other: Self) {
        self.0 |= other.0;
    }

    fn json(&self, _key: &str, object: &mut Map<String, Value>) {
        for (_, key, flag) in Self::OPTIONS {
            object.insert(key.to_owned(), json!(self.has(flag)));
        }
    }
}

impl Extension for Log {
    fn kind(&self) -> &'static ExtensionType {
        &TYPE
    }

    fn list(&self) -> String {
        let mut text = format!(" LOG flags {} level {}", self.flags.0, self.level);
        if !self.prefix.is_empty() {
            text += &format!(" prefix \"{}\"", printable(&self.prefix));
        }
        text
    }
}
