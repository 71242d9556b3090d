// SPDX-License-Identifier: GPL-2.0

//! What a user's rules leave of the MSS that servers announce (TCPMSS), by egress device towards
//! the client.
//!
//! Such rules see the SYN-ACKs of servers but not SYNPROXY's, which are sent before any rule.
//! Clients must not be told more than the rules would let through: they exist because larger
//! segments get lost.

use crate::synproxy::prelude::*;

/// The number of slots; of two devices that share one, the latest is known.
const CAPACITY: usize = 64;

/// The largest MSS that rules let servers announce, by device.
pub(crate) struct Clamps([Atomic<i64>; CAPACITY]);

impl Clamps {
    /// Nothing known yet.
    pub(crate) const fn new() -> Self {
        Self([const { Atomic::new(0) }; CAPACITY])
    }

    #[inline]
    fn slot(&self, device: u32) -> Option<&Atomic<i64>> {
        self.0.get(device as usize % CAPACITY)
    }

    /// The device, which is never 0, in the upper half, and the MSS.
    fn pack(device: u32, mss: u16) -> i64 {
        (u64::from(device) << 32 | u64::from(mss)) as i64
    }

    /// The largest MSS that clients behind the device may be told.
    #[inline]
    pub(crate) fn limit(&self, device: u32) -> u16 {
        let word = self.slot(device).map_or(0, |slot| slot.load(Relaxed)) as u64;
        match (word >> 32) as u32 == device && device != 0 {
            true => word as u16,
            false => u16::MAX,
        }
    }

    /// A server's SYN-ACK left by the device with an MSS of `left`, where the server and the route
    /// to the client alone would have made it `expected`.
    pub(crate) fn learn(&self, device: u32, expected: u16, left: u16) {
        let Some(slot) = self.slot(device) else {
            return;
        };
        if left < expected {
            slot.store(Self::pack(device, left), Relaxed);
        } else if self.limit(device) < left {
            // The rule is gone.
            slot.store(0, Relaxed);
        }
    }
}
