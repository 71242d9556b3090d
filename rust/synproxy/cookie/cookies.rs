// SPDX-License-Identifier: GPL-2.0

//! SYN cookies: the sequence number of a SYN-ACK carries what the SYN said, and proves that we sent
//! it.
//!
//! As in `net/ipv4/syncookies.c`, a cookie is valid in the minute it was made and in the next, and
//! the client's sequence number is added to it. Its code is one SipHash where the kernel has two,
//! and it distinguishes eight MSS values. If the client uses timestamps, they carry its options; if
//! not, the cookie does, in place of five bits of its code:
//!
//!     with timestamps:     minute:1 mss:3 code:28
//!     without timestamps:  minute:1 mss:3 scale:4 sack:1 code:23

use crate::{
    kernel_api::{
        hash::SecretKey,
        time::jiffies64, //
    },
    synproxy::prelude::*, //
};

/// The MSS values of cookies, in bytes; the client's is rounded down to one of them. They are those
/// of `net/ipv4/syncookies.c` and `net/ipv6/syncookies.c`, and one for clients that take less.
const MSS_TABLE: [u16; 8] = [256, 536, 1220, 1300, 1420, 1440, 1460, 8940];

/// Instead of a window scale: the client does not scale windows.
pub(crate) const NO_SCALE: u8 = 15;

const MINUTE_SHIFT: u32 = 31;
const MSS_SHIFT: u32 = 28;
const SCALE_SHIFT: u32 = 24;
const SACK_SHIFT: u32 = 23;

/// What a cookie carries of the client's options besides the MSS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CookieOptions {
    /// Nothing: the timestamps carry them.
    Nothing,
    /// The window scale, or [`NO_SCALE`], and whether SACK is permitted.
    Options {
        /// Window scale.
        scale: u8,
        /// SACK is permitted.
        sack: bool,
    },
}

impl CookieOptions {
    const fn code_bits(self) -> u32 {
        match self {
            Self::Nothing => MSS_SHIFT,
            Self::Options { .. } => SACK_SHIFT,
        }
    }
}

/// The contents of a valid cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ValidCookie {
    /// The client's MSS, rounded down, in bytes.
    pub(crate) mss: u16,
    /// The client's options, unless the timestamps carry them.
    pub(crate) carried: CookieOptions,
    /// Whether the segment is a keep-alive, whose sequence number is one too low.
    pub(crate) is_keep_alive: bool,
}

/// Makes and checks cookies.
pub(crate) struct Cookies(SecretKey);

/// The entry of [`MSS_TABLE`] for a client's MSS.
#[inline]
fn mss_index(mss: u16) -> usize {
    let fitting = MSS_TABLE.iter().filter(|size| **size <= mss).count();
    fitting.saturating_sub(1)
}

impl Cookies {
    /// What a cookie makes of a client's MSS.
    pub(crate) fn mss(mss: u16) -> u16 {
        MSS_TABLE
            .get(mss_index(mss))
            .copied()
            .unwrap_or(MSS_TABLE[0])
    }

    /// With a new random key.
    pub(crate) fn new() -> Self {
        Self(SecretKey::random())
    }

    /// The cookie for a client's SYN with this sequence number and MSS.
    #[inline]
    pub(crate) fn make(
        &self,
        client: &Endpoints,
        sequence: u32,
        mss: u16,
        carried: CookieOptions,
    ) -> u32 {
        self.make_in(minute(), client, sequence, mss, carried)
    }

    /// As [`Cookies::make`], in the given minute.
    #[inline]
    pub(crate) fn make_in(
        &self,
        minute: u64,
        client: &Endpoints,
        sequence: u32,
        mss: u16,
        carried: CookieOptions,
    ) -> u32 {
        let index = mss_index(mss) as u32;
        let said = match carried {
            CookieOptions::Nothing => 0,
            CookieOptions::Options { scale, sack } => {
                u32::from(scale) << SCALE_SHIFT | u32::from(sack) << SACK_SHIFT
            }
        };
        let said = (minute as u32) << MINUTE_SHIFT | index << MSS_SHIFT | said;
        (said | self.code(minute, client, said, carried)).wrapping_add(sequence)
    }

    /// Checks the numbers of a segment that acknowledges a SYN-ACK. `has_timestamps` tells the kind
    /// of cookie.
    #[inline]
    pub(crate) fn check(
        &self,
        client: &Endpoints,
        sequence: u32,
        acknowledgement: u32,
        has_timestamps: bool,
    ) -> Option<ValidCookie> {
        self.check_in(minute(), client, sequence, acknowledgement, has_timestamps)
    }

    /// As [`Cookies::check`], in the given minute.
    #[inline]
    pub(crate) fn check_in(
        &self,
        minute: u64,
        client: &Endpoints,
        sequence: u32,
        acknowledgement: u32,
        has_timestamps: bool,
    ) -> Option<ValidCookie> {
        // Both numbers are one more than those of the SYN and the SYN-ACK.
        let cookie = acknowledgement.wrapping_sub(sequence);
        let carried = match has_timestamps {
            true => CookieOptions::Nothing,
            false => CookieOptions::Options {
                scale: (cookie >> SCALE_SHIFT & 0xf) as u8,
                sack: cookie >> SACK_SHIFT & 1 == 1,
            },
        };
        let code_mask = (1_u32 << carried.code_bits()).wrapping_sub(1);
        let (said, code) = (cookie & !code_mask, cookie & code_mask);
        let age = (minute as u32 ^ cookie >> MINUTE_SHIFT) & 1;
        let expected = self.code(minute.wrapping_sub(age.into()), client, said, carried);
        let is_keep_alive = code == expected.wrapping_add(1);
        if code != expected && !is_keep_alive {
            return None;
        }
        Some(ValidCookie {
            mss: MSS_TABLE
                .get((cookie >> MSS_SHIFT & 7) as usize)
                .copied()
                .unwrap_or(MSS_TABLE[0]),
            carried,
            is_keep_alive,
        })
    }

    #[inline]
    fn code(&self, minute: u64, client: &Endpoints, said: u32, carried: CookieOptions) -> u32 {
        let kind = u64::from(carried.code_bits()) << 56;
        let minute = minute & (1 << 56) - 1 | kind;
        let code = match client.family {
            Family::Ipv4 => {
                let ([source, ..], [destination, ..]) = client.addresses;
                let pair = |high: u32, low: u32| u64::from(high) << 32 | u64::from(low);
                let words = [
                    pair(source, destination),
                    pair(client.port_word(), said),
                    minute,
                ];
                self.0.code_of_three(words)
            }
            Family::Ipv6 => self.code_ipv6(minute, client, said),
        };
        code as u32 & (1_u32 << carried.code_bits()).wrapping_sub(1)
    }

    #[inline(never)]
    fn code_ipv6(&self, minute: u64, client: &Endpoints, said: u32) -> u64 {
        let ([a, b, c, d], [e, f, g, h]) = client.addresses;
        let (low, high) = (minute as u32, (minute >> 32) as u32);
        let ports = client.port_word();
        self.0
            .code(&[a, b, c, d, e, f, g, h, ports, said, low, high])
    }
}

/// Minutes of `jiffies_64`, which starts at `INITIAL_JIFFIES`.
#[inline]
fn minute() -> u64 {
    jiffies64() / (60 * u64::from(JIFFIES_PER_SECOND))
}
