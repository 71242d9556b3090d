// SPDX-License-Identifier: GPL-2.0

//! The kernel's own SYNPROXY, which iptables and nftables use.
//!
//! C header: [`include/net/netfilter/nf_synproxy.h`](srctree/include/net/netfilter/nf_synproxy.h)

use crate::kernel_api::{
    bindings,
    net::netns::NetworkNamespace, //
};

/// Whether rules of iptables or nftables currently use the kernel's own SYNPROXY in a namespace.
pub(crate) fn is_in_use(namespace: &NetworkNamespace) -> bool {
    // SAFETY: While the symbol is held, its module stays loaded and has state in each namespace. By
    // the type invariant of `NetworkNamespace`, the namespace is valid. The symbol is released
    // once, after its last use.
    unsafe {
        let number = bindings::palisade_kernel_synproxy_get();
        if number.is_null() {
            return false;
        }
        let uses = bindings::palisade_kernel_synproxy_uses(namespace.as_raw(), number.read());
        bindings::palisade_kernel_synproxy_put();
        uses > 0
    }
}
