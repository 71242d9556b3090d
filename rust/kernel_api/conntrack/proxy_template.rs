// SPDX-License-Identifier: GPL-2.0

//! Opening SYNPROXY connections.
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
        skb::HookSkb, //
    },
    netfilter::Context, //
};
use core::ptr::NonNull;
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// A conntrack template that makes the connection which a packet opens a SYNPROXY one.
///
/// # Invariants
///
/// This holds a reference to the template.
pub(crate) struct ProxyTemplate {
    raw: NonNull<bindings::nf_conn>,
    /// The template has the address of the namespace.
    _namespace: NamespaceUse,
}

// SAFETY: A template's reference count is atomic, and any task may drop the last reference.
unsafe impl Send for ProxyTemplate {}
// SAFETY: Nothing of a template changes but its reference count, which is atomic.
unsafe impl Sync for ProxyTemplate {}

/// Why no SYNPROXY connection was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotOpened {
    /// Connection tracking has no room for it, or refused the packet.
    NoRoom,
    /// There is another connection with these endpoints.
    Taken,
    /// NAT rules dropped the packet.
    Refused,
}

impl ProxyTemplate {
    /// Creates a template. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory, `ENODEV` when the namespace is ending.
    pub(crate) fn new(scope: &Arc<Scope>) -> Result<Self> {
        let namespace = scope.enter()?;
        // SAFETY: The namespace is in use, so it is valid.
        let raw = unsafe { bindings::palisade_ct_template_alloc(namespace.as_raw()) };
        let raw = NonNull::new(raw).ok_or(ENOMEM)?;
        // SAFETY: The template is new, and nobody else knows it.
        unsafe {
            if !bindings::palisade_ct_add_synproxy(raw.as_ptr()) {
                bindings::nf_ct_tmpl_free(raw.as_ptr());
                return Err(ENOMEM);
            }
            // As `synproxy_net_init` does, so that the last `put` does not look for it in any list.
            bindings::palisade_ct_set_confirmed(raw.as_ptr());
        }
        // INVARIANT: The template is new, and its one reference is this one.
        Ok(Self {
            raw,
            _namespace: namespace,
        })
    }

    /// Runs connection tracking on a SYN now, instead of in its own hook, and makes the connection
    /// one of Palisade's own. The SYN is in a hook of `state`, or is about to be sent. Nobody else
    /// can know the connection yet: that hook skips packets that have one. Returns the connection
    /// and its words.
    ///
    /// On failure the packet must not go on.
    ///
    /// # Errors
    ///
    /// Why there is no connection.
    ///
    /// # Safety
    ///
    /// The packet has to be a whole IP packet with a TCP header, of the namespace and the family of
    /// `state`, which have to be valid, and RCU has to be held.
    pub(in crate::kernel_api) unsafe fn see<'a>(
        &self,
        skb: &'a mut HookSkb,
        state: &bindings::nf_hook_state,
    ) -> Result<(Connection<'a>, &'a ProxyWords), NotOpened> {
        if skb.tracked().is_some() {
            return Err(NotOpened::Taken);
        }
        // SAFETY: By the type invariant of `HookSkb`, the packet is valid, and by that of `self`, so is
        // the template. The packet has no connection, so it loses none. It takes
        // over the reference to the template, and `nf_conntrack_in` drops that. By the function's
        // safety requirements, RCU is held, the namespace is valid, and the packet's data begins
        // with its IP header.
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

    /// As [`Self::see`], for a packet that is in the hook of the context.
    pub(crate) fn open<'a>(
        &self,
        skb: &'a mut HookSkb,
        context: &Context<'_>,
    ) -> Result<(Connection<'a>, &'a ProxyWords), NotOpened> {
        // SAFETY: The packet is in the hook of the context, whose rules are for TCP alone: by the
        // type invariant of `Context`, its namespace is valid and RCU is held.
        unsafe { self.see(skb, context.as_raw()) }
    }
}

impl Drop for ProxyTemplate {
    fn drop(&mut self) {
        // SAFETY: By the type invariant, this holds a reference, which is released here.
        unsafe { bindings::palisade_ct_put(self.raw.as_ptr()) };
    }
}
