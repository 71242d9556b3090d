// SPDX-License-Identifier: GPL-2.0

//! The kernel's clock tick.
//!
//! C header: [`include/linux/jiffies.h`](srctree/include/linux/jiffies.h)

use super::bindings;

/// Jiffies a second.
pub(crate) const JIFFIES_PER_SECOND: u32 = bindings::PALISADE_HZ;

/// The low 32 bits of jiffies, which wrap five minutes after each boot and every 2^32 / HZ seconds.
#[inline]
pub(crate) fn jiffies32() -> u32 {
    // SAFETY: `jiffies` is a machine word that changes under us, which is what volatile is for.
    unsafe { (&raw const bindings::jiffies).read_volatile() as u32 }
}

/// Jiffies since shortly before the boot, which never wrap.
#[inline]
pub(crate) fn jiffies64() -> u64 {
    // SAFETY: There are no requirements.
    unsafe { bindings::palisade_jiffies64() }
}

/// Milliseconds since shortly before the boot, as far as the clock tick tells them; they wrap.
#[inline]
pub(crate) fn milliseconds_since_boot() -> u32 {
    const HZ: u64 = JIFFIES_PER_SECOND as u64;
    (jiffies64().wrapping_mul(1000) / HZ) as u32
}
