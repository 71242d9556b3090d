// SPDX-License-Identifier: GPL-2.0

//! `-j SYNPROXY`: only clients that return a SYN cookie reach the server.

use std::fmt;

use super::synproxy_statistics::Statistics;
use crate::{
    fields::{Fields, composite, nest},
    netlink::spec::{FLOODED_RATE_MAX, UNTIL_DATA_MAX, WINDOW_SCALE_MAX, attribute::target},
    rules::model::{
        extension::{Extension, ExtensionType},
        options::{is, number, options, parse_number, parsed},
        protocol,
    },
};

/// The target `SYNPROXY`.
pub(super) static TYPE: ExtensionType = ExtensionType {
    about: "let only clients that return a SYN cookie reach the server",
    options: options!(Synproxy {
        [] "mss": "N" => mss: number(1, u16::MAX as u32),
            "tell clients this maximum segment size, and not the server's";
        [] "wscale": "N" => wscale: number(0, WINDOW_SCALE_MAX),
            "tell them this window scale, 0 to 14, and not the server's";
        [] "sack-perm" => sack_perm: is(true),
            "use selective acknowledgements, where the client does";
        [] "timestamp", "timestamps" => timestamp: is(true),
            "use timestamps, where the client does";
        [] "ecn" => ecn: is(true),
            "use explicit congestion notification, where the client does";
        [] "window": "N" => window: number(0, u16::MAX as u32),
            "tell clients of a server behind this machine no larger window \
             before it has answered; with 0 they wait until it has";
        [] "until-data": "[SECONDS]" => until_data: parsed(parse_until_data),
            "open no connection before the client's first bytes are there, or \
             so many seconds (3 if not given) are over; rules see these bytes in \
             the connection's SYN; table raw";
        [] "when-flooded": "RATE[/BURST]" => when_flooded: parsed(Flooded::parse),
            "let handshakes with a server pass up to so many SYNs a second, of \
             which so many may come at once (as many as in a second if not \
             given); table raw";
    }),
    protocols: &[("tcp", protocol::TCP)],
    notes: "\
Without any of the first five, clients are told what the server said when it was last connected to. With any
of them, --sack-perm, --timestamp and --ecn are not used where they are not given.
The target needs -p tcp. It is for PREROUTING of the table raw, where one rule is enough. It is also for INPUT and FORWARD of the table filter, where it takes the rules that iptables needs: the SYNs
not tracked (-j CT --notrack), and -m state --state INVALID,UNTRACKED -j SYNPROXY.
With --until-data, the packet that opens a connection is a SYN for all rules of all tables, and has what the client
said: one request of HTTP, or one ClientHello of TLS, to its end, or else the client's first segment. So -m tls, -m http
and -m string tell in PREROUTING of the table nat where it goes.
palisade protect makes such rules, and shows what they have seen.
",
    examples: &[
        "-t raw -A PREROUTING -p tcp --dport 80 -j SYNPROXY",
        "-t raw -A PREROUTING -p tcp --dport 443 -j SYNPROXY --when-flooded 1000/2000",
        "-t raw -A PREROUTING -p tcp --dport 443 -j SYNPROXY --until-data",
    ],
    ..ExtensionType::nested::<Synproxy>("SYNPROXY", target::SYNPROXY)
};

nest! {
    pub(crate) struct Synproxy: synproxy {
        mss: Option<u16> = MSS => "--mss";
        wscale: Option<u8> = WSCALE => "--wscale";
        sack_perm: bool = SACK_PERM => "--sack-perm";
        timestamp: bool = TIMESTAMP => "--timestamp";
        ecn: bool = ECN => "--ecn";
        pub(crate) when_flooded: Option<Flooded> = (FLOODED_RATE, FLOODED_BURST)
            => "--when-flooded";
        /// Counters of the rule, which only the kernel sets.
        statistics: Option<Statistics> = STATISTICS;
        window: Option<u16> = WINDOW => "--window";
        pub(crate) until_data: Option<u32> = UNTIL_DATA => "--until-data";
    }
    saved as sack_perm timestamp wscale mss ecn window until_data when_flooded;
}

/// Seconds until a connection is opened whose client says nothing, if they are not given.
const PATIENCE: u32 = 3;

fn parse_until_data(text: &str) -> Result<u32, String> {
    match text {
        "" => Ok(PATIENCE),
        _ => parse_number(text, 1, UNTIL_DATA_MAX),
    }
}

impl Synproxy {
    pub(crate) fn statistics(&self) -> Statistics {
        self.statistics.unwrap_or_default()
    }
}

impl Extension for Synproxy {
    fn kind(&self) -> &'static ExtensionType {
        &TYPE
    }

    fn list(&self) -> String {
        format!(" SYNPROXY{}", self.save().replace(" --", " "))
    }
}

/// The rate of SYNs, per second, above which a server is protected, and the burst.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flooded {
    rate: u32,
    /// The rate if there is none.
    burst: Option<u32>,
}

impl Flooded {
    fn parse(text: &str) -> Result<Self, String> {
        let number = |text| {
            parse_number(text, 1, FLOODED_RATE_MAX).map_err(|_| {
                format!(
                    "this has to be RATE or RATE/BURST, both numbers from 1 to {FLOODED_RATE_MAX}"
                )
            })
        };
        let (rate, burst) = match text.split_once('/') {
            Some((rate, burst)) => (rate, Some(burst)),
            None => (text, None),
        };
        Ok(Self {
            rate: number(rate)?,
            burst: burst.map(number).transpose()?,
        })
    }
}

impl fmt::Display for Flooded {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.burst {
            Some(burst) => write!(out, "{}/{burst}", self.rate),
            None => write!(out, "{}", self.rate),
        }
    }
}

composite!(Flooded { rate, burst or None });
