// SPDX-License-Identifier: GPL-2.0

//! Rejecting packets.
//!
//! C headers: [`include/net/netfilter/ipv4/nf_reject.h`](srctree/include/net/netfilter/ipv4/nf_reject.h),
//! [`include/net/netfilter/ipv6/nf_reject.h`](srctree/include/net/netfilter/ipv6/nf_reject.h)

use super::{
    Context,
    Family, //
};
use crate::kernel_api::{
    bindings,
    net::skb::HookSkb, //
};

/// Answers a TCP segment that is in a hook with an RST. Other packets, RSTs and segments with a
/// wrong checksum get no answer.
pub(crate) fn send_reset(skb: &mut HookSkb, context: &Context<'_>) {
    let state = context.as_raw();
    let hook = state.hook.into();
    // SAFETY: By the type invariant of `Context`, the state and what it names are valid, under RCU;
    // by that of `HookSkb`, the packet is, and its IP header is linear in the hooks of IP. The functions
    // check the rest.
    unsafe {
        match context.family() {
            Family::Ipv4 => bindings::nf_send_reset(state.net, state.sk, skb.as_raw(), hook),
            Family::Ipv6 => bindings::nf_send_reset6(state.net, state.sk, skb.as_raw(), hook),
        }
    }
}

/// Answers a packet that is in a hook with an ICMP or ICMPv6 "destination unreachable" with a code.
/// Later fragments, packets with a wrong checksum and ICMP errors get no answer.
pub(crate) fn send_unreachable(skb: &mut HookSkb, context: &Context<'_>, code: u8) {
    let state = context.as_raw();
    // SAFETY: By the type invariant of `Context`, the state and its namespace are valid, under RCU;
    // by that of `HookSkb`, the packet is, and its IP header is linear in the hooks of IP. The
    // functions check the rest.
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
