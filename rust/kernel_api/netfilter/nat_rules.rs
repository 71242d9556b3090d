// SPDX-License-Identifier: GPL-2.0

//! Running the DNAT rules of PREROUTING for a packet that did not come in.
//!
//! C header: [`include/linux/netfilter.h`](srctree/include/linux/netfilter.h)

use crate::kernel_api::bindings;

/// Runs the PREROUTING hooks of NAT, of whatever tool, and no others for a packet that this host
/// makes on behalf of a client. Returns whether the packet may go on.
///
/// # Safety
///
/// The packet has to be the caller's and have a connection. Its data has to begin with an IP header
/// of the state's family, and its transport header and protocol have to be set. The state has to be
/// that of the hook of a received packet, so that RCU is held and the device is valid.
pub(in crate::kernel_api) unsafe fn translate_as_received(
    skb: *mut bindings::sk_buff,
    seen: &bindings::nf_hook_state,
) -> bool {
    let state = bindings::nf_hook_state {
        hook: bindings::nf_inet_hooks_NF_INET_PRE_ROUTING as u8,
        pf: seen.pf,
        in_: seen.in_,
        net: seen.net,
        ..Default::default()
    };
    // SAFETY: By the function's safety requirements, the namespace is valid and RCU is held, which
    // keeps the hook entries and their operations (`nf_nat_unregister_fn`; `nfnetlink_hook` reads
    // them in the same way). Each index is below the count. The NAT hook needs what the function's
    // safety requirements say of the packet, and the device of a received packet
    // (`nf_nat_redirect_ipv4`), which is set here.
    unsafe {
        let hooks = match u32::from(state.pf) {
            bindings::NFPROTO_IPV4 => bindings::palisade_pre_routing_ipv4(state.net),
            _ => bindings::palisade_pre_routing_ipv6(state.net),
        };
        if hooks.is_null() || state.in_.is_null() {
            return true;
        }
        bindings::palisade_skb_set_device(skb, state.in_);
        for index in 0..bindings::palisade_hook_count(hooks) {
            if bindings::palisade_hook_is_nat(hooks, index)
                && bindings::palisade_hook_run(hooks, index, skb, &state) != bindings::NF_ACCEPT
            {
                return false;
            }
        }
    }
    true
}
