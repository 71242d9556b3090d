// SPDX-License-Identifier: GPL-2.0

//! Having the rules of address translation see a packet that has not come in, as if it had.
//!
//! C header: [`include/linux/netfilter.h`](srctree/include/linux/netfilter.h)

use crate::kernel_api::bindings;

/// Has the rules that translate destinations in PREROUTING, of whatever tool, see a packet of a client's that is made here.
/// No other rules see it. Whether it may go on.
///
/// # Safety
///
/// The packet has to be the caller's. Its data has to begin with an IP header of the state's family, and its transport
/// header and protocol have to be set; it has a connection. The state has to be that of a hook of a packet that has come in,
/// so that RCU is held and the device is there.
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
    // SAFETY: The caller says that the namespace is valid and RCU is held, under which the hooks and what was registered for
    // them stay (`nf_nat_unregister_fn`, and as `nfnetlink_hook` reads them). Places are below the count. The hook of address
    // translation demands what the caller says, and of a packet that has come in the device (`nf_nat_redirect_ipv4`).
    unsafe {
        let hooks = match u32::from(state.pf) {
            bindings::NFPROTO_IPV4 => bindings::palisade_pre_routing_ipv4(state.net),
            _ => bindings::palisade_pre_routing_ipv6(state.net),
        };
        if hooks.is_null() || state.in_.is_null() {
            return true;
        }
        bindings::palisade_skb_set_device(skb, state.in_);
        for place in 0..bindings::palisade_hook_count(hooks) {
            if bindings::palisade_hook_is_nat(hooks, place)
                && bindings::palisade_hook_run(hooks, place, skb, &state) != bindings::NF_ACCEPT
            {
                return false;
            }
        }
    }
    true
}
