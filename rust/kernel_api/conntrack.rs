// SPDX-License-Identifier: GPL-2.0

//! Connection tracking.
//!
//! C header: [`include/net/netfilter/nf_conntrack.h`](srctree/include/net/netfilter/nf_conntrack.h)

use super::{
    bindings,
    netns::NetworkNamespace, //
};
use kernel::prelude::*;

/// Has connection tracking see the packets of a namespace, until it is dropped, which has to be before the
/// namespace is gone.
pub(crate) struct ConntrackUse(*mut bindings::net);

// SAFETY: The use can be ended from any thread.
unsafe impl Send for ConntrackUse {}
// SAFETY: Nothing can be done with a reference.
unsafe impl Sync for ConntrackUse {}

impl ConntrackUse {
    /// For IPv4 and IPv6. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory.
    pub(crate) fn new(namespace: &NetworkNamespace) -> Result<Self> {
        let net = namespace.as_raw();
        // SAFETY: The namespace is valid; it is given back by `drop`.
        kernel::error::to_result(unsafe {
            bindings::nf_ct_netns_get(net, bindings::NFPROTO_INET as u8)
        })?;
        Ok(Self(net))
    }
}

impl Drop for ConntrackUse {
    fn drop(&mut self) {
        // SAFETY: `new` has got it, in a namespace that is still there.
        unsafe { bindings::nf_ct_netns_put(self.0, bindings::NFPROTO_INET as u8) };
    }
}
