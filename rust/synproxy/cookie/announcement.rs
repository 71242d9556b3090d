// SPDX-License-Identifier: GPL-2.0

//! What SYNPROXY announces to clients before it asks the server.

use super::{
    CookieOptions,
    Cookies,
    NO_SCALE, //
};
use crate::{
    kernel_api::{
        net::listeners::Offer,
        time::now_milliseconds, //
    },
    synproxy::{
        prelude::*,
        server::servers::{
            Known,
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

    /// The advertised window scale, if windows are scaled.
    pub(crate) fn advertised_wscale(&self) -> Option<u8> {
        (self.advertised_wscale != NO_SCALE).then_some(self.advertised_wscale)
    }
}

/// What a client is told of a server.
impl Known {
    /// An option, which servers are assumed to use until they do not.
    #[inline]
    fn uses(&self, offer: fn(&Offer) -> bool, server: fn(&ServerOptions) -> bool) -> bool {
        match self {
            Self::Listener(listener) => offer(listener),
            Self::Server(options) => server(options),
            Self::Nothing => true,
        }
    }

    fn scale(&self) -> Option<u8> {
        match self {
            Self::Listener(offer) => offer.scale,
            Self::Server(server) => server.scale,
            Self::Nothing => Some(SCALE_DEFAULT),
        }
    }

    /// The MSS, of which a client is told no more than `mss_max`.
    fn mss(&self, family: Family, mss_max: u16) -> u16 {
        match self {
            Self::Listener(offer) => offer.mss.unwrap_or(mss_max),
            Self::Server(server) if server.is_local => mss_max,
            Self::Server(server) => server.mss,
            Self::Nothing => mss_default(family),
        }
    }
}

/// The contents of a SYN-ACK to a client.
pub(crate) struct Announcement {
    /// Its options.
    pub(crate) options: Options,
    /// Its flags.
    pub(crate) flags: u8,
    /// Its window, in bytes. It is zero where the client has to wait for the server; what it sends
    /// before the server has answered otherwise is held.
    pub(crate) window: u16,
    /// What the cookie has to carry.
    pub(crate) carried: CookieOptions,
}

impl Announcement {
    /// Options for a client that announced `client`, of a server that uses `server`. Segments larger
    /// than `mss_max` do not get through.
    #[inline]
    pub(crate) fn new(
        settings: &SynproxySettings,
        family: Family,
        segment: &Segment,
        client: &Options,
        server: &Known,
        mss_max: u16,
    ) -> Self {
        let timestamps = client.timestamps.filter(|_| {
            (settings.timestamps)
                .unwrap_or_else(|| server.uses(|offer| offer.timestamps, |known| known.timestamps))
        });
        // As with iptables, options chosen by hand are only offered along with timestamps.
        let others = timestamps.is_some() || settings.is_learned();
        let sack = others
            && client.sack
            && (settings.sack)
                .unwrap_or_else(|| server.uses(|offer| offer.sack, |known| known.sack));
        let ecn = timestamps.is_some()
            && segment.asks_for_congestion_notification()
            && (settings.ecn).unwrap_or(match server {
                Known::Listener(offer) => offer.ecn,
                Known::Server(known) => known.ecn,
                Known::Nothing => false,
            });
        let advertised_wscale = match (client.scale, settings.scale) {
            (None, _) => None,
            _ if !others => None,
            (Some(_), Some(chosen)) => Some(chosen),
            (Some(_), None) => server.scale(),
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
        let mss = (settings.mss).unwrap_or_else(|| server.mss(family, mss_max));
        let options = Options {
            mss: Some(mss.min(mss_max)),
            scale: advertised_wscale,
            sack,
            timestamps: timestamps.map(|timestamps| Timestamps {
                value: agreement.stamp(),
                echo: timestamps.value,
            }),
            ..Options::default()
        };
        Self {
            options,
            window: match server {
                Known::Listener(offer) => {
                    offer.window(Cookies::mss(client.mss.unwrap_or(MSS_DEFAULT)))
                }
                Known::Server(known) => known.window.min(settings.window.unwrap_or(u16::MAX)),
                Known::Nothing => 0,
            },
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
