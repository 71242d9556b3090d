// SPDX-License-Identifier: GPL-2.0

//! What C functions demand where no type can say so: checked on kernels with Rust's debug assertions, which warn.
//! Nothing on others. `PRECONDITIONS.md` beside this file has what each function demands.

use super::{
    bindings,
    net::skb::Skb, //
};
use core::ptr::NonNull;

#[cfg(CONFIG_RUST_DEBUG_ASSERTIONS = "y")]
fn demand(is_so: bool) {
    // SAFETY: There are no requirements.
    unsafe { bindings::palisade_warn_unless(is_so) };
}

/// Nobody else refers to the packet: what gives it another memory may not be done to one that is shared
/// (`pskb_expand_head`).
#[inline(always)]
pub(super) fn unshared(_skb: &Skb) {
    #[cfg(CONFIG_RUST_DEBUG_ASSERTIONS = "y")]
    // SAFETY: By the type, the packet is valid.
    demand(!unsafe { bindings::palisade_skb_is_shared(_skb.as_raw()) });
}

/// The packet's memory is no clone's, so that nobody sees what is written there.
#[inline(always)]
pub(super) fn writable(_skb: &Skb) {
    #[cfg(CONFIG_RUST_DEBUG_ASSERTIONS = "y")]
    // SAFETY: By the type, the packet is valid.
    demand(!unsafe { bindings::palisade_skb_is_cloned(_skb.as_raw()) });
}

/// The connection is one of TCP: what is kept of other protocols lies in the same memory (`union nf_conntrack_proto`).
///
/// # Safety
///
/// The connection has to be valid.
#[inline(always)]
pub(super) unsafe fn of_tcp(_connection: NonNull<bindings::nf_conn>) {
    #[cfg(CONFIG_RUST_DEBUG_ASSERTIONS = "y")]
    // SAFETY: The caller says that the connection is valid.
    demand(unsafe { bindings::palisade_ct_is_tcp(_connection.as_ptr()) });
}

/// The connection has room for what its sequence numbers are shifted by: without, `nf_ct_seqadj_init` does nothing and
/// says nothing.
///
/// # Safety
///
/// The connection has to be valid.
#[inline(always)]
pub(super) unsafe fn adjustable(_connection: NonNull<bindings::nf_conn>) {
    #[cfg(CONFIG_RUST_DEBUG_ASSERTIONS = "y")]
    // SAFETY: The caller says that the connection is valid.
    demand(unsafe { bindings::palisade_ct_has_sequence_adjustment(_connection.as_ptr()) });
}

/// Softirqs are off, so that none of this CPU waits for what this task holds.
#[inline(always)]
pub(super) fn softirqs_off() {
    #[cfg(CONFIG_RUST_DEBUG_ASSERTIONS = "y")]
    // SAFETY: There are no requirements.
    demand(unsafe { bindings::palisade_softirqs_are_off() });
}

/// The short way of an answer is that which routing finds.
#[inline(always)]
pub(super) fn as_by_routing(_is_so: impl FnOnce() -> bool) {
    #[cfg(CONFIG_RUST_DEBUG_ASSERTIONS = "y")]
    demand(_is_so());
}
