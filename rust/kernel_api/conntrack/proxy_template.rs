// SPDX-License-Identifier: GPL-2.0

//! Opening SYNPROXY's connections.
//!
//! C headers: [`include/net/netfilter/nf_conntrack_core.h`](srctree/include/net/netfilter/nf_conntrack_core.h),
//! [`include/net/netfilter/nf_conntrack_synproxy.h`](srctree/include/net/netfilter/nf_conntrack_synproxy.h)

use super::connections::{
    Connection,
    ProxyWords, //
};
use crate::kernel_api::{
    bindings,
    net::{
        netns::{
            NamespaceUse,
            Scope, //
        },
        skb::Skb, //
    },
    netfilter::Context, //
};
use core::ptr::NonNull;
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// What tells connection tracking that the connection which a packet opens is one of SYNPROXY's.
///
/// # Invariants
///
/// It holds a reference to the template.
pub(crate) struct ProxyTemplate {
    raw: NonNull<bindings::nf_conn>,
    /// It holds the address of the namespace.
    _namespace: NamespaceUse,
}

// SAFETY: A template can be referred to and dropped from any thread.
unsafe impl Send for ProxyTemplate {}
// SAFETY: It is not changed but for its count of references.
unsafe impl Sync for ProxyTemplate {}

/// Why no connection of SYNPROXY's was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotOpened {
    /// Connection tracking has no room for it.
    NoRoom,
    /// There is one between the same that is none of SYNPROXY's.
    Taken,
    /// Rules of address translation have dropped what opens it.
    Refused,
}

impl ProxyTemplate {
    /// Makes one. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory, `ENODEV` when the namespace ends.
    pub(crate) fn new(scope: &Arc<Scope>) -> Result<Self> {
        let namespace = scope.enter()?;
        // SAFETY: The namespace is valid.
        let raw = unsafe { bindings::palisade_ct_template_alloc(namespace.as_raw()) };
        let raw = NonNull::new(raw).ok_or(ENOMEM)?;
        // SAFETY: Nobody else knows the template yet.
        unsafe {
            if !bindings::palisade_ct_add_synproxy(raw.as_ptr()) {
                bindings::nf_ct_tmpl_free(raw.as_ptr());
                return Err(ENOMEM);
            }
            // As `synproxy_net_init` does, so that dropping it looks for it in no list.
            bindings::palisade_ct_set_confirmed(raw.as_ptr());
        }
        // INVARIANT: It was just made, with one reference.
        Ok(Self {
            raw,
            _namespace: namespace,
        })
    }

    /// Has connection tracking see a SYN, which is in the hook of the context or else about to go out, now instead of in
    /// its own hook, and makes the connection one of Palisade's own. Nobody else can have seen it yet: that hook ignores
    /// what has a connection. Returns that, and what is kept with it.
    ///
    /// The packet has to be a whole IP packet of the context's namespace and family with a TCP header. If it fails, it has
    /// no connection, and has to go no further.
    ///
    /// # Errors
    ///
    /// Why there is no connection.
    pub(in crate::kernel_api) fn see<'a>(
        &self,
        skb: &'a Skb,
        state: &bindings::nf_hook_state,
    ) -> Result<(Connection<'a>, &'a ProxyWords), NotOpened> {
        if skb.tracked().is_some() {
            return Err(NotOpened::Taken);
        }
        // SAFETY: By the type, the packet is valid, and by the type invariant the template is. The packet has
        // no connection that somebody might have borrowed. `nf_conntrack_in` takes the reference to the template; it
        // demands RCU, as in all hooks, and the network header where the data begins, as for all that `Skb` is made
        // of.
        let verdict = unsafe {
            bindings::palisade_ct_forget(skb.as_raw());
            bindings::palisade_ct_hold(self.raw.as_ptr());
            bindings::palisade_ct_set(
                skb.as_raw(),
                self.raw.as_ptr(),
                bindings::ip_conntrack_info_IP_CT_NEW,
            );
            bindings::nf_conntrack_in(skb.as_raw(), state)
        };
        if verdict != bindings::NF_ACCEPT {
            return Err(NotOpened::NoRoom);
        }
        let connection = skb.tracked().ok_or(NotOpened::Taken)?;
        let words = connection.become_own().ok_or(NotOpened::Taken)?;
        Ok((connection, words))
    }

    /// As above, for a packet that is in the hook of the context.
    pub(crate) fn open<'a>(
        &self,
        skb: &'a Skb,
        context: &Context<'_>,
    ) -> Result<(Connection<'a>, &'a ProxyWords), NotOpened> {
        self.see(skb, context.as_raw())
    }
}

impl Drop for ProxyTemplate {
    fn drop(&mut self) {
        // SAFETY: By the type invariant.
        unsafe { bindings::palisade_ct_put(self.raw.as_ptr()) };
    }
}
