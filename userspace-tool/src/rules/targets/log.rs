// SPDX-License-Identifier: GPL-2.0

//! `-j LOG`: a line in the kernel's log.

use std::rc::Rc;

use serde_json::{Value, json};

use crate::{
    error::Error,
    netlink::{
        Attribute, Writer,
        spec::{
            LOG_PREFIX_LENGTH_MAX,
            attribute::{log as attribute, target},
        },
    },
    rules::model::extension::{Extension, ExtensionOption, ExtensionType, Given, set_once},
    text::{printable, quote},
};

pub(super) static TYPE: ExtensionType = ExtensionType {
    name: "LOG",
    help: "\
    --log-level LEVEL    emerg, alert, crit, error, warning (if not given), notice, info or debug, or
                         their numbers from 0 to 7
    --log-prefix TEXT    what the line begins with, of at most 29 bytes
    --log-tcp-sequence   with TCP sequence numbers
    --log-tcp-options    with the options of the TCP header
    --log-ip-options     with the options of the IP header
    --log-uid            with the user who sends the packet
    --log-macdecode      with the addresses and the protocol of the link layer
The packet then goes on with the next rule. Of network namespaces other than the first the kernel logs
packets only where the sysctl net.netfilter.nf_log_all_netns is 1.
",
    options: &[
        ExtensionOption::value(&["log-level"]),
        ExtensionOption::value(&["log-prefix"]),
        ExtensionOption::flag(&["log-tcp-sequence"]),
        ExtensionOption::flag(&["log-tcp-options"]),
        ExtensionOption::flag(&["log-ip-options"]),
        ExtensionOption::flag(&["log-uid"]),
        ExtensionOption::flag(&["log-macdecode"]),
    ],
    attribute: target::LOG,
    new: || Box::new(Log::default()),
    decode: |nest| Ok(Rc::new(Log::decode(nest)?)),
};

const DEFAULT_LEVEL: u8 = 4;

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

/// The options that are flags, as the kernel numbers them.
const FLAGS: &[(&str, u32)] = &[
    ("log-tcp-sequence", 1),
    ("log-tcp-options", 2),
    ("log-ip-options", 4),
    ("log-uid", 8),
    ("log-macdecode", 32),
];

#[derive(Debug, Default)]
struct Log {
    level: Option<u8>,
    prefix: Option<String>,
    flags: u32,
}

impl Log {
    fn decode(nest: &Attribute<'_>) -> Result<Self, Error> {
        let mut log = Self::default();
        for attribute in nest.nested() {
            let attribute = attribute?;
            match attribute.kind {
                attribute::LEVEL => log.level = Some(attribute.u8()?),
                attribute::PREFIX => log.prefix = Some(attribute.string()?),
                attribute::FLAGS => log.flags = attribute.u32()?,
                _ => {}
            }
        }
        Ok(log)
    }

    fn level(&self) -> u8 {
        self.level.unwrap_or(DEFAULT_LEVEL)
    }

    fn prefix(&self) -> &str {
        self.prefix.as_deref().unwrap_or_default()
    }

    /// The options that are given by the flags.
    fn flag_options(&self) -> impl Iterator<Item = &'static str> {
        let flags = self.flags;
        let set = FLAGS.iter().filter(move |(_, flag)| flags & flag != 0);
        set.map(|(option, _)| *option)
    }
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

fn parse_prefix(text: &str) -> Result<String, String> {
    if text.len() > LOG_PREFIX_LENGTH_MAX as usize {
        return Err(format!(
            "a prefix has at most {LOG_PREFIX_LENGTH_MAX} bytes, this one has {}",
            text.len()
        ));
    }
    if text.chars().any(char::is_control) {
        return Err("a prefix cannot hold control characters".to_owned());
    }
    Ok(text.to_owned())
}

impl Extension for Log {
    fn name(&self) -> &'static str {
        TYPE.name
    }

    fn option(&mut self, given: &Given<'_>) -> Result<(), String> {
        match given.name {
            "log-level" => set_once(&mut self.level, parse_level(given.value())?),
            "log-prefix" => set_once(&mut self.prefix, parse_prefix(given.value())?),
            name => {
                let flag = FLAGS.iter().find(|(option, _)| *option == name);
                self.flags |= flag.map_or(0, |(_, flag)| *flag);
                Ok(())
            }
        }
    }

    fn save(&self) -> String {
        let mut text = String::new();
        if !self.prefix().is_empty() {
            text += &format!(" --log-prefix {}", quote(self.prefix()));
        }
        if self.level() != DEFAULT_LEVEL {
            text += &format!(" --log-level {}", self.level());
        }
        for option in self.flag_options() {
            text += &format!(" --{option}");
        }
        text
    }

    fn list(&self) -> String {
        let mut text = format!(" LOG flags {} level {}", self.flags, self.level());
        if !self.prefix().is_empty() {
            text += &format!(" prefix \"{}\"", printable(self.prefix()));
        }
        text
    }

    fn json(&self) -> Value {
        let has = |option| self.flag_options().any(|set| set == option);
        json!({
            "level": self.level(),
            "prefix": self.prefix(),
            "tcp_sequence": has("log-tcp-sequence"),
            "tcp_options": has("log-tcp-options"),
            "ip_options": has("log-ip-options"),
            "uid": has("log-uid"),
            "macdecode": has("log-macdecode"),
        })
    }

    fn encode(&self, request: &mut Writer) {
        request.nested(TYPE.attribute, |nest| {
            nest.labelled(format_args!("--log-level {}", self.level()), |nest| {
                nest.u8(attribute::LEVEL, self.level());
            });
            if !self.prefix().is_empty() {
                nest.labelled(format_args!("--log-prefix {}", self.prefix()), |nest| {
                    nest.string(attribute::PREFIX, self.prefix());
                });
            }
            let options: Vec<String> = self
                .flag_options()
                .map(|option| format!("--{option}"))
                .collect();
            if !options.is_empty() {
                nest.labelled(options.join(" "), |nest| {
                    nest.u32(attribute::FLAGS, self.flags);
                });
            }
        });
    }
}
