// SPDX-License-Identifier: GPL-2.0

//! What clients are told of a server before it is asked.

use super::{
    Carried,
    NO_SCALE, //
};
use crate::{
    kernel_api::time::milliseconds_since_boot,
    packet::Family,
    synproxy::{
        server::servers::ServerOptions,
        settings::SynproxySettings,
        tcp::{
            options::{
                Options,
                Timestamps, //
            },
            segment::{
                flags,
                Segment, //
            },
        }, //
    }, //
};

/// The window scale of a server that is not known: what Linux uses with its default of memory.
pub(in crate::synproxy) const SCALE_DEFAULT: u8 = 7;

/// The window scale that clients without timestamps are told: nothing brings back another one.
const SCALE_WITHOUT_TIMESTAMPS: u8 = 8;

/// The maximum segment size of a server that is not known, in bytes: that of Ethernet.
const fn mss_default(family: Family) -> u16 {
    match family {
        Family::Ipv4 => 1460,
        Family::Ipv6 => 1440,
    }
}

/// How many of its lowest bits a timestamp of ours does not tell the time with, but what was agreed on with
/// the client: its window scale, whether it permits selective acknowledgements, whether it uses explicit
/// congestion notification, and the window scale that it was told. `net/ipv4/syncookies.c` does the same
/// with all but the last.
const STAMP_BITS: u32 = 10;
const SACK_BIT: u32 = 4;
const ECN_BIT: u32 = 5;
const ADVERTISED_WSCALE_SHIFT: u32 = 6;

/// What a client was told, and has told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::synproxy) struct Agreement {
    /// The client's window scale, or [`NO_SCALE`]: it scales none, nor does it expect to be sent such.
    pub(in crate::synproxy) client_scale: u8,
    /// The window scale that it was told, or [`NO_SCALE`].
    pub(in crate::synproxy) advertised_wscale: u8,
    /// Selective acknowledgements are permitted.
    pub(in crate::synproxy) sack: bool,
    /// Explicit congestion notification is used.
    pub(in crate::synproxy) ecn: bool,
}

impl Agreement {
    /// As a timestamp brings it back.
    pub(in crate::synproxy) fn from_stamp(stamp: u32) -> Self {
        Self {
            client_scale: (stamp & 0xf) as u8,
            advertised_wscale: (stamp >> ADVERTISED_WSCALE_SHIFT & 0xf) as u8,
            sack: stamp >> SACK_BIT & 1 == 1,
            ecn: stamp >> ECN_BIT & 1 == 1,
        }
    }

    /// As a cookie brings it back.
    pub(in crate::synproxy) fn from_cookie(client_scale: u8, sack: bool) -> Self {
        Self {
            client_scale,
            advertised_wscale: match client_scale {
                NO_SCALE => NO_SCALE,
                _ => SCALE_WITHOUT_TIMESTAMPS,
            },
            sack,
            ecn: false,
        }
    }

    fn stamp(&self) -> u32 {
        let time = milliseconds_since_boot() >> STAMP_BITS << STAMP_BITS;
        time | u32::from(self.client_scale)
            | u32::from(self.sack) << SACK_BIT
            | u32::from(self.ecn) << ECN_BIT
            | u32::from(self.advertised_wscale) << ADVERTISED_WSCALE_SHIFT
    }

    /// The client's window scale, if windows are scaled.
    pub(in crate::synproxy) fn client_scale(&self) -> Option<u8> {
        (self.client_scale != NO_SCALE).then_some(self.client_scale)
    }
}

/// What a client's SYN is answered with.
pub(in crate::synproxy) struct Announcement {
    /// The options of the answer.
    pub(in crate::synproxy) options: Options,
    /// Its flags.
    pub(in crate::synproxy) flags: u8,
    /// What the cookie has to bring back.
    pub(in crate::synproxy) carried: Carried,
}

impl Announcement {
    /// For a client that has these options, of a server that uses those, as far as is known. Larger segments than
    /// `mss_max` do not come through.
    #[inline]
    pub(in crate::synproxy) fn new(
        settings: &SynproxySettings,
        family: Family,
        segment: &Segment,
        client: &Options,
        server: Option<&ServerOptions>,
        mss_max: u16,
    ) -> Self {
        // What is not known of a server is assumed to be as with most.
        let may = |chosen: Option<bool>, learned: fn(&ServerOptions) -> bool| {
            chosen.unwrap_or_else(|| server.is_none_or(learned))
        };
        let timestamps = client
            .timestamps
            .filter(|_| may(settings.timestamps, |server| server.timestamps));
        // As with iptables, where the options of a rule were chosen by hand.
        let others = timestamps.is_some() || settings.is_learned();
        let sack = others && client.sack && may(settings.sack, |server| server.sack);
        let ecn = timestamps.is_some()
            && segment.asks_for_congestion_notification()
            && (settings.ecn).unwrap_or_else(|| server.is_some_and(|server| server.ecn));
        let advertised_wscale = match (client.scale, settings.scale, server) {
            (None, _, _) => None,
            _ if !others => None,
            (Some(_), Some(chosen), _) => Some(chosen),
            (Some(_), None, Some(server)) => server.scale,
            (Some(_), None, None) => Some(SCALE_DEFAULT),
        };
        let advertised_wscale = match (advertised_wscale, timestamps) {
            (Some(_), None) => Some(SCALE_WITHOUT_TIMESTAMPS),
            (told, _) => told,
        };
        let agreement = Agreement {
            client_scale: client
                .scale
                .filter(|_| advertised_wscale.is_some())
                .unwrap_or(NO_SCALE),
            advertised_wscale: advertised_wscale.unwrap_or(NO_SCALE),
            sack,
            ecn,
        };
        let mss = match (settings.mss, server) {
            (Some(chosen), _) => chosen,
            (None, Some(server)) if server.is_local => mss_max,
            (None, Some(server)) => server.mss,
            (None, None) => mss_default(family),
        };
        let options = Options {
            mss: Some(mss.min(mss_max)),
            scale: advertised_wscale,
            sack,
            timestamps: timestamps.map(|timestamps| Timestamps {
                value: agreement.stamp(),
                echo: timestamps.value,
            }),
        };
        Self {
            options,
            flags: flags::SYN | flags::ACK | if ecn { flags::ECE } else { 0 },
            carried: match timestamps {
                Some(_) => Carried::Nothing,
                None => Carried::Options {
                    scale: agreement.client_scale,
                    sack,
                },
            },
        }
    }
}
