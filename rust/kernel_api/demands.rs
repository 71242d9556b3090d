// SPDX-License-Identifier: GPL-2.0

//! Requirements of C functions that no type can express. Kernels with Rust's debug assertions check
//! them and warn; others compile them out. `PRECONDITIONS.md` beside this file lists the
//! requirements of each function.

use super::{
    bindings,
    net::skb::Skb, //
};
use core::ptr::NonNull;

/// Warns, on all kernels. What `kernel::warn_on!` expands to includes a file of the folder that the
/// kernel was built in, which a distribution's header package may lack.
pub(super) fn warn_unless(is_so: bool) {
    // SAFETY: `palisade_warn_unless` has no requirements.
    unsafe { bindings::palisade_warn_unless(is_so) };
}

/// Nobody else refers to the packet. `pskb_expand_head`, which replaces a packet's buffer, requires
/// this.
#[inline]
pub(super) fn unshared(_skb: &Skb) {
    #[cfg(CONFIG_RUST_DEBUG_ASSERTIONS = "y")]
    // SAFETY: By the type invariant of `Skb`, the packet is valid.
    warn_unless(!unsafe { bindings::palisade_skb_is_shared(_skb.as_raw()) });
}

/// The packet's data is not shared with a clone, so nobody else sees what is written to it.
#[inline]
pub(super) fn writable(_skb: &Skb) {
    #[cfg(CONFIG_RUST_DEBUG_ASSERTIONS = "y")]
    // SAFETY: By the type invariant of `Skb`, the packet is valid.
    warn_unless(!unsafe { bindings::palisade_skb_is_cloned(_skb.as_raw()) });
}

/// The connection is a TCP one. Other protocols keep their state in the same memory (`union
/// nf_conntrack_proto`).
///
/// # Safety
///
/// The connection has to be valid.
#[inline]
pub(super) unsafe fn of_tcp(_connection: NonNull<bindings::nf_conn>) {
    #[cfg(CONFIG_RUST_DEBUG_ASSERTIONS = "y")]
    // SAFETY: By the function's safety requirements, the connection is valid.
    warn_unless(unsafe { bindings::palisade_ct_is_tcp(_connection.as_ptr()) });
}

/// The connection has the sequence adjustment extension. Without it, `nf_ct_seqadj_init` silently
/// does nothing.
///
/// # Safety
///
/// The connection has to be valid.
#[inline]
pub(super) unsafe fn adjustable(_connection: NonNull<bindings::nf_conn>) {
    #[cfg(CONFIG_RUST_DEBUG_ASSERTIONS = "y")]
    // SAFETY: By the function's safety requirements, the connection is valid.
    warn_unless(unsafe { bindings::palisade_ct_has_sequence_adjustment(_connection.as_ptr()) });
}

/// Softirqs are off, so none on this CPU can wait for what this task holds.
#[inline]
pub(super) fn softirqs_off() {
    #[cfg(CONFIG_RUST_DEBUG_ASSERTIONS = "y")]
    // SAFETY: `palisade_softirqs_are_off` has no requirements.
    warn_unless(unsafe { bindings::palisade_softirqs_are_off() });
}

/// The RCU read lock is held.
#[inline]
pub(super) fn rcu_held() {
    #[cfg(CONFIG_RUST_DEBUG_ASSERTIONS = "y")]
    // SAFETY: `palisade_rcu_is_held` has no requirements.
    warn_unless(unsafe { bindings::palisade_rcu_is_held() });
}

/// The fast path for an answer found the route that a full route lookup finds.
#[inline]
pub(super) fn as_by_routing(_is_so: impl FnOnce() -> bool) {
    #[cfg(CONFIG_RUST_DEBUG_ASSERTIONS = "y")]
    warn_unless(_is_so());
}
