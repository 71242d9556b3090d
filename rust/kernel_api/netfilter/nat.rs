// SPDX-License-Identifier: GPL-2.0

//! Translating the addresses of connections.
//!
//! C header: [`include/net/netfilter/nf_nat.h`](srctree/include/net/netfilter/nf_nat.h)

use super::{
    Context,
    Family,
    Verdict, //
};
use crate::kernel_api::{
    bindings,
    net::skb::Skb, //
};

/// Where connections are sent instead of to where they were meant to go: to this machine.
pub(crate) struct Redirection(bindings::nf_nat_range2);

impl Redirection {
    /// To one of the ports from the first to the last, chosen at random if that is wanted; or to the port that they were meant for.
    pub(crate) fn new(ports: Option<(u16, u16)>, random: bool) -> Self {
        let mut range = bindings::nf_nat_range2::default();
        if let Some((first, last)) = ports {
            range.flags |= bindings::NF_NAT_RANGE_PROTO_SPECIFIED;
            range.min_proto.all = first.to_be();
            range.max_proto.all = last.to_be();
        }
        if random {
            range.flags |= bindings::NF_NAT_RANGE_PROTO_RANDOM;
        }
        Self(range)
    }

    /// Redirects the connection of a packet that is in a hook of address translation. It is dropped if it
    /// cannot be done: where packets neither come in nor are made here, or the interface has no address.
    #[inline]
    pub(crate) fn apply(&self, skb: &Skb, context: &Context<'_>) -> Verdict {
        let state = context.as_raw();
        let hook = u32::from(state.hook);
        match hook {
            bindings::nf_inet_hooks_NF_INET_PRE_ROUTING if !state.in_.is_null() => {}
            bindings::nf_inet_hooks_NF_INET_LOCAL_OUT => {}
            _ => return Verdict::Drop,
        }
        let mut info = 0;
        // SAFETY: The packet is valid, and so is the place for what is not of interest here.
        let connection = unsafe { bindings::palisade_ct_get(skb.as_raw(), &mut info) };
        // As the kernel has it, what is not tracked is not translated.
        if connection.is_null() {
            return Verdict::Accept;
        }
        // SAFETY: The packet holds a reference to its connection.
        if unsafe { bindings::palisade_ct_destination_is_settled(connection) } {
            return Verdict::Accept;
        }
        // SAFETY: The packet has a connection whose destination is not settled, and it is in one of the two
        // hooks that the functions are for; before routing it has the device that it came in by.
        let verdict = unsafe {
            match context.family() {
                Family::Ipv4 => bindings::nf_nat_redirect_ipv4(skb.as_raw(), &self.0, hook),
                Family::Ipv6 => bindings::nf_nat_redirect_ipv6(skb.as_raw(), &self.0, hook),
            }
        };
        if verdict == bindings::NF_ACCEPT {
            Verdict::Accept
        } else {
            Verdict::Drop
        }
    }
}
