// SPDX-License-Identifier: GPL-2.0

//! What C functions demand where no type can say so: checked on kernels with Rust's debug assertions, which warn.
//! Nothing on others. `PRECONDITIONS.md` beside this file has what each function demands.

#[cfg(CONFIG_RUST_DEBUG_ASSERTIONS = "y")]
use super::bindings;
use super::skb::Skb;

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
