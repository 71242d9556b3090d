// SPDX-License-Identifier: GPL-2.0

//! What a user's rules leave of the maximum segment size that servers announce (TCPMSS), by the devices that clients are
//! reached by.
//!
//! Such rules see the SYN-ACKs of servers, but none of SYNPROXY's, which are sent before any rule. Clients must not be
//! told more than the rules would have let through: somebody has put them there since larger segments are lost.

use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};

/// Devices that are known at a time; of two that share a slot, the last is.
const CAPACITY: usize = 64;

/// The largest segment that rules let servers announce by a device.
pub(in crate::synproxy) struct Clamps([Atomic<i64>; CAPACITY]);

impl Clamps {
    /// None so far.
    pub(in crate::synproxy) const fn new() -> Self {
        Self([const { Atomic::new(0) }; CAPACITY])
    }

    #[inline]
    fn slot(&self, device: u32) -> Option<&Atomic<i64>> {
        self.0.get(device as usize % CAPACITY)
    }

    /// The device in the upper half, which is never zero, and the size.
    fn pack(device: u32, mss: u16) -> i64 {
        (u64::from(device) << 32 | u64::from(mss)) as i64
    }

    /// The most that clients by that device may be told.
    #[inline]
    pub(in crate::synproxy) fn limit(&self, device: u32) -> u16 {
        let word = self.slot(device).map_or(0, |slot| slot.load(Relaxed)) as u64;
        match (word >> 32) as u32 == device && device != 0 {
            true => word as u16,
            false => u16::MAX,
        }
    }

    /// A server's SYN-ACK went out by that device with `left`, where the server and the way to the client would have had
    /// it be `expected`.
    pub(in crate::synproxy) fn learn(&self, device: u32, expected: u16, left: u16) {
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
