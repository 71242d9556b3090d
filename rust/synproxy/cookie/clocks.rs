// SPDX-License-Identifier: GPL-2.0

//! The clocks that clients see in timestamps.
//!
//! A clock that counts from boot gives the boot time away. So each pair of addresses gets its own
//! offset, as with the kernel's `secure_tcp_ts_off`: the clock continues from one connection to the
//! next, whatever the ports.

use crate::{
    kernel_api::hash::SecretKey,
    synproxy::prelude::*, //
};

/// The bits of a timestamp that do not tell the time: see [`super::announcement::Agreement`].
const NOT_TIME: u32 = 0x3ff;

/// Clock offsets, derived from a secret key.
pub(crate) struct Clocks(SecretKey);

impl Clocks {
    /// With a new random key.
    pub(crate) fn new() -> Self {
        Self(SecretKey::random())
    }

    /// How far the clock that a client sees is ahead of this machine's.
    #[inline]
    pub(crate) fn offset(&self, client: &Endpoints) -> u32 {
        let code = match client.family {
            Family::Ipv4 => {
                let ([source, ..], [destination, ..]) = client.addresses;
                self.0
                    .code_of_one(u64::from(source) << 32 | u64::from(destination))
            }
            Family::Ipv6 => self.code_ipv6(client),
        };
        code as u32 & !NOT_TIME
    }

    #[inline(never)]
    fn code_ipv6(&self, client: &Endpoints) -> u64 {
        let ([a, b, c, d], [e, f, g, h]) = client.addresses;
        self.0.code(&[a, b, c, d, e, f, g, h])
    }
}
