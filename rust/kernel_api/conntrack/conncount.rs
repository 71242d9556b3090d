// SPDX-License-Identifier: GPL-2.0

//! Counting the connections that have something in common.
//!
//! C header: [`include/net/netfilter/nf_conntrack_count.h`](srctree/include/net/netfilter/nf_conntrack_count.h)

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
use core::{
    mem::size_of,
    ptr::NonNull, //
};
use kernel::{
    error::from_err_ptr,
    prelude::*,
    sync::Arc, //
};

/// What connections have in common, in words.
const WORDS: usize = 4;

/// The words of a key as the kernel has it: one more, for the conntrack zone and the IP version.
type Key = [u32; WORDS + 1];

/// How many connections there are for each of many keys.
///
/// Closed connections are taken out in the background, too, which uses the namespace (`tree_gc_worker`).
///
/// # Invariants
///
/// The pointer came from `nf_conncount_init` for that namespace, with keys as long as [`Key`].
pub(crate) struct ConnectionCounts {
    data: NonNull<bindings::nf_conncount_data>,
    namespace: NamespaceUse,
}

// SAFETY: The counts can be used and destroyed from any thread.
unsafe impl Send for ConnectionCounts {}
// SAFETY: Counting takes the locks that it needs.
unsafe impl Sync for ConnectionCounts {}

impl ConnectionCounts {
    /// No connections so far. May sleep.
    ///
    /// The kernel allocates them in its own name, and what it allocates for a connection, too: no memory
    /// cgroup is charged.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory, `ENODEV` when the namespace ends.
    pub(crate) fn new(scope: &Arc<Scope>) -> Result<Self> {
        let namespace = scope.enter()?;
        let key_size = size_of::<Key>() as u32;
        // SAFETY: The namespace is valid.
        let data = unsafe { bindings::nf_conncount_init(namespace.as_raw(), key_size) };
        let data = from_err_ptr(data)?;
        // INVARIANT: It was just made.
        Ok(Self {
            data: NonNull::new(data).ok_or(ENOMEM)?,
            namespace,
        })
    }

    /// Counts the packet's connection, if it was not counted yet, and returns how many there are with the
    /// key. None if there is no memory or the packet belongs to no connection.
    #[inline]
    pub(crate) fn count(&self, skb: &Skb, context: &Context<'_>, key: [u32; WORDS]) -> Option<u32> {
        let family = context.as_raw().pf;
        let [a, b, c, d] = key;
        // The zone has 16 bits. With the IP version beside it, an IPv4 address differs from the IPv6 address
        // that begins with it.
        let last = u32::from(zone(skb)) | u32::from(family).wrapping_shl(16);
        let key: Key = [a, b, c, d, last];
        // SAFETY: By the type invariant the data, the namespace and the key belong together, and there is a
        // use of the namespace. The packet is valid.
        let count = unsafe {
            bindings::nf_conncount_count_skb(
                self.namespace.as_raw(),
                skb.as_raw(),
                family.into(),
                self.data.as_ptr(),
                key.as_ptr(),
            )
        };
        (count > 0).then_some(count)
    }
}

/// The conntrack zone of a packet's connection.
#[inline]
fn zone(skb: &Skb) -> u16 {
    let mut info = 0;
    // SAFETY: The packet is valid, and so is the place for what is not of interest here.
    let connection = unsafe { bindings::palisade_ct_get(skb.as_raw(), &mut info) };
    if connection.is_null() {
        return 0;
    }
    // SAFETY: The packet holds a reference to its connection.
    unsafe { bindings::palisade_ct_zone(connection) }
}

impl Drop for ConnectionCounts {
    fn drop(&mut self) {
        // SAFETY: By the type invariant; packets use a reference, so there are none. What is done in the background
        // is waited for and does not begin again (`nf_conncount_destroy`).
        unsafe { bindings::nf_conncount_destroy(self.namespace.as_raw(), self.data.as_ptr()) };
    }
}
