// SPDX-License-Identifier: GPL-2.0

//! `-j SYNPROXY`: a server hears only of clients that have returned a cookie.

use std::rc::Rc;

use serde_json::{Value, json};

use super::{synproxy_flooded::Flooded, synproxy_statistics::Statistics};
use crate::{
    error::Error,
    netlink::{
        Attribute, Writer,
        spec::{
            WINDOW_SCALE_MAX,
            attribute::{synproxy as attribute, target},
        },
    },
    rules::model::{
        extension::{Extension, ExtensionOption, ExtensionType, Given, number, set_once},
        protocol,
        rule::Negatable,
    },
};

pub(super) static TYPE: ExtensionType = ExtensionType {
    name: "SYNPROXY",
    help: "    --mss N                       tell clients this maximum segment size, and not the server's
    --wscale N                    tell them this window scale, 0 to 14, and not the server's
    --sack-perm                   use selective acknowledgements, where the client does
    --timestamp, --timestamps     use timestamps, where the client does
    --ecn                         use explicit congestion notification, where the client does
    --when-flooded RATE[/BURST]   let handshakes with a server pass up to so many SYNs a second, of
                                  which so many may come at once (as many as in a second if not
                                  given); table raw
Without any of the first five, clients are told what the server said when it was last connected to. With any
of them, --sack-perm, --timestamp and --ecn are not used where they are not given.
The target needs -p tcp. It is for PREROUTING of the table raw, where one rule is enough:
    palisade -t raw -A PREROUTING -p tcp --dport 80 -j SYNPROXY
It is also for INPUT and FORWARD of the table filter, where it takes the rules that iptables needs: the SYNs
not tracked (-j CT --notrack), and -m state --state INVALID,UNTRACKED -j SYNPROXY.
palisade protect makes such rules, and shows what they have seen.
",
    options: &[
        ExtensionOption::value(&["mss"]),
        ExtensionOption::value(&["wscale"]),
        ExtensionOption::flag(&["sack-perm"]),
        ExtensionOption::flag(&["timestamp", "timestamps"]),
        ExtensionOption::flag(&["ecn"]),
        ExtensionOption::value(&["when-flooded"]),
    ],
    attribute: target::SYNPROXY,
    new: || Box::new(Synproxy::default()),
    decode: |nest| Ok(Rc::new(Synproxy::decode(nest)?)),
};

#[derive(Debug, Default)]
pub(crate) struct Synproxy {
    mss: Option<u16>,
    wscale: Option<u8>,
    sack_perm: Option<()>,
    timestamp: Option<()>,
    ecn: Option<()>,
    flooded: Option<Flooded>,
    /// What the kernel says that the rule has seen, which is no part of the rule.
    statistics: Option<Statistics>,
}

impl Synproxy {
    fn decode(nest: &Attribute<'_>) -> Result<Self, Error> {
        let mut decoded = Self {
            flooded: Flooded::decode(nest)?,
            ..Self::default()
        };
        for attribute in nest.nested() {
            let attribute = attribute?;
            match attribute.kind {
                attribute::MSS => decoded.mss = Some(attribute.u16()?),
                attribute::WSCALE => decoded.wscale = Some(attribute.u8()?),
                attribute::SACK_PERM => decoded.sack_perm = Some(()),
                attribute::TIMESTAMP => decoded.timestamp = Some(()),
                attribute::ECN => decoded.ecn = Some(()),
                attribute::STATISTICS => {
                    decoded.statistics = Some(Statistics::decode(&attribute)?);
                }
                _ => {}
            }
        }
        Ok(decoded)
    }

    pub(crate) fn flooded(&self) -> Option<Flooded> {
        self.flooded
    }

    pub(crate) fn statistics(&self) -> Statistics {
        self.statistics.unwrap_or_default()
    }

    /// The options in iptables' order, each with what comes before it.
    fn written(&self, prefix: &str) -> String {
        let flag = |given: Option<()>, name: &str| given.map(|()| format!("{prefix}{name}"));
        let number =
            |given: Option<u16>, name: &str| given.map(|number| format!("{prefix}{name} {number}"));
        let options = [
            flag(self.sack_perm, "sack-perm"),
            flag(self.timestamp, "timestamp"),
            number(self.wscale.map(u16::from), "wscale"),
            number(self.mss, "mss"),
            flag(self.ecn, "ecn"),
            self.flooded
                .map(|flooded| format!("{prefix}when-flooded {flooded}")),
        ];
        options.into_iter().flatten().collect()
    }
}

impl Extension for Synproxy {
    fn name(&self) -> &'static str {
        TYPE.name
    }

    fn option(&mut self, given: &Given<'_>) -> Result<(), String> {
        match given.name {
            "mss" => {
                let mss = number(given.value(), 1, u32::from(u16::MAX))?;
                set_once(&mut self.mss, mss)
            }
            "wscale" => {
                let wscale = number(given.value(), 0, WINDOW_SCALE_MAX)?;
                set_once(&mut self.wscale, wscale)
            }
            "sack-perm" => set_once(&mut self.sack_perm, ()),
            "timestamp" => set_once(&mut self.timestamp, ()),
            "ecn" => set_once(&mut self.ecn, ()),
            _ => set_once(&mut self.flooded, Flooded::parse(given.value())?),
        }
    }

    fn check(&mut self, protocol: Option<&Negatable<u8>>) -> Result<(), String> {
        match protocol {
            Some(protocol) if protocol.value == protocol::TCP && !protocol.inverted => Ok(()),
            _ => Err("needs -p tcp in the same rule".to_owned()),
        }
    }

    fn as_synproxy(&self) -> Option<&Synproxy> {
        Some(self)
    }

    fn save(&self) -> String {
        self.written(" --")
    }

    fn list(&self) -> String {
        format!(" SYNPROXY{}", self.written(" "))
    }

    fn json(&self) -> Value {
        json!({
            "mss": self.mss,
            "wscale": self.wscale,
            "sack_perm": self.sack_perm.is_some(),
            "timestamp": self.timestamp.is_some(),
            "ecn": self.ecn.is_some(),
            "when_flooded": self.flooded.map(|flooded| flooded.json()),
            "statistics": self.statistics.map(|statistics| statistics.json()),
        })
    }

    fn encode(&self, request: &mut Writer) {
        request.nested(TYPE.attribute, |nest| {
            if let Some(mss) = self.mss {
                nest.labelled(format_args!("--mss {mss}"), |nest| {
                    nest.u16(attribute::MSS, mss)
                });
            }
            if let Some(wscale) = self.wscale {
                nest.labelled(format_args!("--wscale {wscale}"), |nest| {
                    nest.u8(attribute::WSCALE, wscale);
                });
            }
            for (given, label, kind) in [
                (self.sack_perm, "--sack-perm", attribute::SACK_PERM),
                (self.timestamp, "--timestamp", attribute::TIMESTAMP),
                (self.ecn, "--ecn", attribute::ECN),
            ] {
                if given.is_some() {
                    nest.labelled(label, |nest| nest.flag(kind));
                }
            }
            if let Some(flooded) = self.flooded {
                flooded.encode(nest);
            }
        });
    }
}
