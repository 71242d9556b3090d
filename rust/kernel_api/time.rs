// SPDX-License-Identifier: GPL-2.0

//! Jiffies, TCP's clock, and the time since boot.
//!
//! C headers: [`include/linux/jiffies.h`](srctree/include/linux/jiffies.h),
//! [`include/net/tcp.h`](srctree/include/net/tcp.h),
//! [`include/linux/timekeeping.h`](srctree/include/linux/timekeeping.h)

use super::bindings;

/// Jiffies per second.
pub(crate) const JIFFIES_PER_SECOND: u32 = bindings::PALISADE_HZ;

/// The low 32 bits of jiffies. They wrap five minutes after boot and then every 2^32 / HZ seconds.
#[inline]
pub(crate) fn jiffies32() -> u32 {
    // SAFETY: `jiffies` is an aligned machine word, which a volatile read loads at once.
    unsafe { (&raw const bindings::jiffies).read_volatile() as u32 }
}

/// Jiffies, which start at `INITIAL_JIFFIES`, five minutes before 2^32. They do not wrap.
#[inline]
pub(crate) fn jiffies64() -> u64 {
    // SAFETY: `palisade_jiffies64` has no requirements.
    unsafe { bindings::palisade_jiffies64() }
}

/// Whether jiffies that wrap have come to a moment (`time_after_eq`).
#[inline]
pub(crate) const fn time_after_eq(now: u32, moment: u32) -> bool {
    (now.wrapping_sub(moment) as i32) >= 0
}

/// The clock of TCP's timestamps, in milliseconds since the machine was started. It wraps.
#[inline]
pub(crate) fn tcp_milliseconds() -> u32 {
    // SAFETY: `palisade_tcp_clock` has no requirements.
    unsafe { bindings::palisade_tcp_clock() }
}

/// Milliseconds since boot, suspend included, as of the last tick. They do not wrap.
pub(crate) fn boottime_milliseconds() -> u64 {
    // SAFETY: `palisade_boottime_ms` is called by hooks and netlink operations, which run neither in
    // NMI context nor while the machine is suspended.
    unsafe { bindings::palisade_boottime_ms() }
}

/// Milliseconds since 1970, as the machine's clock says. It may be set back.
pub(crate) fn realtime_milliseconds() -> u64 {
    // SAFETY: `palisade_realtime_ms` is called by netlink operations and in the background, where the
    // machine is not suspended.
    unsafe { bindings::palisade_realtime_ms() }
}

/// Jiffies to milliseconds, rounded down.
pub(crate) fn milliseconds(jiffies: u32) -> u64 {
    u64::from(jiffies).wrapping_mul(1000) / u64::from(JIFFIES_PER_SECOND)
}

/// These jiffies as milliseconds. They wrap.
#[inline]
pub(crate) fn now_milliseconds() -> u32 {
    const HZ: u64 = JIFFIES_PER_SECOND as u64;
    (jiffies64().wrapping_mul(1000) / HZ) as u32
}
