// SPDX-License-Identifier: GPL-2.0

//! What SYNPROXY announces to clients before it asks the server.

use super::{
    CookieOptions,
    NO_SCALE, //
};
use crate::{
    kernel_api::time::now_milliseconds,
    synproxy::{
        prelude::*,
        server::servers::{
            ServerOptions,
            SCALE_DEFAULT, //
        },
        settings::SynproxySettings, //
    },
};

/// The window scale advertised to clients without timestamps: they cannot return another one.
const SCALE_WITHOUT_TIMESTAMPS: u8 = 8;

/// The MSS of an unknown server, in bytes: that of Ethernet.
const fn mss_default(family: Family) -> u16 {
    match family {
        Family::Ipv4 => 1460,
        Family::Ipv6 => 1440,
    }
}

/// How many low bits of our timestamps carry options instead of the time: the client's window
/// scale, whether it permits SACK, whether it uses ECN, and the advertised window scale.
/// `net/ipv4/syncookies.c` does the same with all but the last.
const STAMP_BITS: u32 = 10;
const SACK_BIT: u32 = 4;
const ECN_BIT: u32 = 5;
const ADVERTISED_WSCALE_SHIFT: u32 = 6;

/// The options negotiated with a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Agreement {
    /// The client's window scale, or [`NO_SCALE`]: neither side scales windows.
    pub(crate) client_scale: u8,
    /// The advertised window scale, or [`NO_SCALE`].
    pub(crate) advertised_wscale: u8,
    /// SACK is permitted.
    pub(crate) sack: bool,
    /// ECN is used.
    pub(crate) ecn: bool,
}

impl Agreement {
    /// From the timestamp that a client echoed.
    pub(crate) fn from_stamp(stamp: u32) -> Self {
        Self {
            client_scale: (stamp & 0xf) as u8,
            advertised_wscale: (stamp >> ADVERTISED_WSCALE_SHIFT & 0xf) as u8,
            sack: stamp >> SACK_BIT & 1 == 1,
            ecn: stamp >> ECN_BIT & 1 == 1,
        }
    }

    /// From a cookie without timestamps.
    pub(crate) fn from_cookie(client_scale: u8, sack: bool) -> Self {
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
        let time = now_milliseconds() >> STAMP_BITS << STAMP_BITS;
        time | u32::from(self.client_scale)
            | u32::from(self.sack) << SACK_BIT
            | u32::from(self.ecn) << ECN_BIT
            | u32::from(self.advertised_wscale) << ADVERTISED_WSCALE_SHIFT
    }

    /// The client's window scale, if windows are scaled.
    pub(crate) fn client_scale(&self) -> Option<u8> {
        (self.client_scale != NO_SCALE).then_some(self.client_scale)
    }
}

/// The contents of a SYN-ACK to a client.
pub(crate) struct Announcement {
    /// Its options.
    pub(crate) options: Options,
    /// Its flags.
    pub(crate) flags: u8,
    /// What the cookie has to carry.
    pub(crate) carried: CookieOptions,
}

impl Announcement {
    /// Options for a client that announced `client`, of a server that uses `server`, if known.
    /// Segments larger than `mss_max` do not get through.
    #[inline]
    pub(crate) fn new(
        settings: &SynproxySettings,
        family: Family,
        segment: &Segment,
        client: &Options,
        server: Option<&ServerOptions>,
        mss_max: u16,
    ) -> Self {
        // Assume that an unknown server is like most.
        let may = |chosen: Option<bool>, learned: fn(&ServerOptions) -> bool| {
            chosen.unwrap_or_else(|| server.is_none_or(learned))
        };
        let timestamps = client
            .timestamps
            .filter(|_| may(settings.timestamps, |server| server.timestamps));
        // As with iptables, options chosen by hand are only offered along with timestamps.
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
                Some(_) => CookieOptions::Nothing,
                None => CookieOptions::Options {
                    scale: agreement.client_scale,
                    sack,
                },
            },
        }
    }
}
