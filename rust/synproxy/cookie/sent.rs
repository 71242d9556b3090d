// SPDX-License-Identifier: GPL-2.0

//! When cookies were sent.
//!
//! A connection does not need to know that. But from it, the socket that takes the connection over
//! learns how far away the client is, as any other does from its handshake. So the latest cookies
//! are remembered for a second, each in a slot that the next one there takes. In a flood most are
//! gone when they come back, and their sockets learn it from the first data.

use crate::synproxy::prelude::*;

/// The number of slots, as a power of two. A fuzzer creates the table for each run.
const SLOTS_SHIFT: u32 = if cfg!(fuzzing) { 4 } else { 12 };

/// TCP would have sent its SYN-ACK again after so many milliseconds (`TCP_TIMEOUT_INIT`), and takes
/// no time of what was sent twice.
const VALID: u32 = 1000;

/// Instead of the time: the cookie was sent more than once.
const AGAIN: u32 = 0;

/// The latest cookies, and when they were sent.
pub(crate) struct SentCookies(KVVec<Atomic<u64>>);

impl SentCookies {
    /// None yet.
    pub(crate) fn new() -> Result<Self> {
        let count = 1 << SLOTS_SHIFT;
        let mut slots = KVVec::with_capacity(count, GFP_KERNEL_ACCOUNT)?;
        for _ in 0..count {
            slots.push(Atomic::new(0), GFP_KERNEL_ACCOUNT)?;
        }
        Ok(Self(slots))
    }

    /// Nobody can choose the low bits of another's cookie.
    #[inline]
    fn slot(&self, cookie: u32) -> Option<&Atomic<u64>> {
        self.0.get(cookie as usize & ((1 << SLOTS_SHIFT) - 1))
    }

    #[inline]
    fn read(slot: &Atomic<u64>) -> (u32, u32) {
        let both = slot.load(Relaxed);
        ((both >> 32) as u32, both as u32)
    }

    /// The cookie is sent now, in milliseconds of TCP's clock.
    #[inline]
    pub(crate) fn note(&self, cookie: u32, now: u32) {
        let Some(slot) = self.slot(cookie) else {
            return;
        };
        let (last, _) = Self::read(slot);
        let time = if last == cookie { AGAIN } else { now };
        slot.store(u64::from(cookie) << 32 | u64::from(time), Relaxed);
    }

    /// Forgets when the cookie was sent: what comes of it will not come at once.
    #[cold]
    pub(crate) fn forget(&self, cookie: u32) {
        if let Some(slot) = self
            .slot(cookie)
            .filter(|slot| Self::read(slot).0 == cookie)
        {
            slot.store(u64::from(cookie) << 32 | u64::from(AGAIN), Relaxed);
        }
    }

    /// When the cookie was sent, if it was sent once, and lately.
    pub(crate) fn time(&self, cookie: u32, now: u32) -> Option<u32> {
        let (last, time) = Self::read(self.slot(cookie)?);
        let is_valid = last == cookie && time != AGAIN && now.wrapping_sub(time) < VALID;
        is_valid.then_some(time)
    }
}
