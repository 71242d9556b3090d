// SPDX-License-Identifier: GPL-2.0

//! The kernel's own SYNPROXY, which iptables and nftables use.
//!
//! C header: [`include/net/netfilter/nf_synproxy.h`](srctree/include/net/netfilter/nf_synproxy.h)

use crate::kernel_api::{
    bindings,
    net::netns::NetworkNamespace, //
};

/// Whether rules of iptables or nftables use the kernel's own SYNPROXY in a namespace now.
pub(crate) fn is_in_use(namespace: &NetworkNamespace) -> bool {
    // SAFETY: There are no requirements. While the symbol is held its module stays, and has a state in each
    // namespace.
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
