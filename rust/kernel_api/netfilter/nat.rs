// SPDX-License-Identifier: GPL-2.0

//! Network address translation of connections.
//!
//! C header: [`include/net/netfilter/nf_nat.h`](srctree/include/net/netfilter/nf_nat.h)

use super::{
    Context,
    Family,
    Verdict, //
};
use crate::kernel_api::{
    bindings,
    net::skb::HookSkb, //
};

/// Redirects connections to this host.
///
/// # Examples
///
/// ```ignore
/// let redirection = Redirection::new(Some((8080, 8080)), false);
/// let verdict = redirection.apply(skb, context);
/// ```
pub(crate) struct Redirection(bindings::nf_nat_range2);

impl Redirection {
    /// Redirects to a range of ports, both ends included, or to the original port. With `random`,
    /// the port is chosen at random.
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

    /// Redirects the connection of a packet that is in a NAT hook. The packet is dropped if that is
    /// impossible: outside of PREROUTING and OUTPUT, or if the ingress device has no address.
    #[inline]
    pub(crate) fn apply(&self, skb: &mut HookSkb, context: &Context<'_>) -> Verdict {
        let state = context.as_raw();
        let hook = u32::from(state.hook);
        match hook {
            bindings::nf_inet_hooks_NF_INET_PRE_ROUTING if !state.in_.is_null() => {}
            bindings::nf_inet_hooks_NF_INET_LOCAL_OUT => {}
            _ => return Verdict::Drop,
        }
        let mut info = 0;
        // SAFETY: By the type invariant of `HookSkb`, the packet is valid. `info` is valid for writes.
        let connection = unsafe { bindings::palisade_ct_get(skb.as_raw(), &mut info) };
        // As in the kernel, untracked packets are not translated.
        if connection.is_null() {
            return Verdict::Accept;
        }
        // SAFETY: The packet holds a reference to its connection.
        if unsafe { bindings::palisade_ct_destination_is_settled(connection) } {
            return Verdict::Accept;
        }
        // SAFETY: The packet is in one of the two hooks that these functions are for, under RCU,
        // and has a connection whose destination is not set up yet. In PREROUTING, it has an
        // ingress device.
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
