// SPDX-License-Identifier: GPL-2.0

//! Telling senders that their packets are refused.
//!
//! C headers: [`include/net/netfilter/ipv4/nf_reject.h`](srctree/include/net/netfilter/ipv4/nf_reject.h),
//! [`include/net/netfilter/ipv6/nf_reject.h`](srctree/include/net/netfilter/ipv6/nf_reject.h)

use super::{
    Context,
    Family, //
};
use crate::kernel_api::{
    bindings,
    net::skb::Skb, //
};

/// Answers a TCP segment that is in a hook with one that has the flag RST; other packets, segments with RST
/// and those with a wrong checksum get none.
pub(crate) fn send_reset(skb: &Skb, context: &Context<'_>) {
    let state = context.as_raw();
    let hook = state.hook.into();
    // SAFETY: The state, its namespace and its socket are valid while the hook runs, and so is the packet,
    // whose IP header is linear there. The functions check what else they need.
    unsafe {
        match context.family() {
            Family::Ipv4 => bindings::nf_send_reset(state.net, state.sk, skb.as_raw(), hook),
            Family::Ipv6 => bindings::nf_send_reset6(state.net, state.sk, skb.as_raw(), hook),
        }
    }
}

/// Answers a packet that is in a hook with "destination unreachable" of that code, in the ICMP of its IP
/// version. Later fragments, packets with a wrong checksum and ICMP errors get none.
pub(crate) fn send_unreachable(skb: &Skb, context: &Context<'_>, code: u8) {
    let state = context.as_raw();
    // SAFETY: As above.
    unsafe {
        match context.family() {
            Family::Ipv4 => {
                bindings::nf_send_unreach(skb.as_raw(), code.into(), state.hook.into());
            }
            Family::Ipv6 => {
                bindings::nf_send_unreach6(state.net, skb.as_raw(), code, state.hook.into());
            }
        }
    }
}
