// SPDX-License-Identifier: GPL-2.0

//! Counting connections by key.
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

/// Words of a key.
const WORDS: usize = 4;

/// A key as the kernel has it, with one more word for the conntrack zone and the IP version.
type Key = [u32; WORDS + 1];

/// The number of connections for each of many keys.
///
/// A worker removes closed connections in the background, too, and uses the namespace for it
/// (`tree_gc_worker`).
///
/// # Invariants
///
/// The pointer came from `nf_conncount_init` for `namespace`, with keys as long as [`Key`], and was
/// not destroyed.
///
/// # Examples
///
/// ```ignore
/// let counts = ConnectionCounts::new(scope)?;
///
/// // A packet in a hook.
/// let is_over = counts.count(skb, context, key).is_some_and(|count| count > 10);
/// ```
pub(crate) struct ConnectionCounts {
    data: NonNull<bindings::nf_conncount_data>,
    namespace: NamespaceUse,
}

// SAFETY: The data belongs to no task and can be destroyed by any.
unsafe impl Send for ConnectionCounts {}
// SAFETY: `nf_conncount_count_skb` takes the locks that it needs.
unsafe impl Sync for ConnectionCounts {}

impl ConnectionCounts {
    /// Creates empty counts. May sleep.
    ///
    /// This memory, and that of each connection, is not charged to a memory cgroup: `nf_conncount`
    /// allocates it.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory, `ENODEV` when the namespace is ending.
    pub(crate) fn new(scope: &Arc<Scope>) -> Result<Self> {
        let namespace = scope.enter()?;
        let key_size = size_of::<Key>() as u32;
        // SAFETY: The namespace is in use, so it is valid. The key is of 1 to 5 words.
        let data = unsafe { bindings::nf_conncount_init(namespace.as_raw(), key_size) };
        let data = from_err_ptr(data)?;
        // INVARIANT: `data` was just created for this namespace and key length.
        Ok(Self {
            data: NonNull::new(data).ok_or(ENOMEM)?,
            namespace,
        })
    }

    /// Adds the packet's connection unless it was counted before, and returns the number of
    /// connections with `key`. None if there is no memory or the packet has no connection.
    #[inline]
    pub(crate) fn count(&self, skb: &Skb, context: &Context<'_>, key: [u32; WORDS]) -> Option<u32> {
        let family = context.as_raw().pf;
        let [a, b, c, d] = key;
        // The zone has 16 bits. The IP version beside it tells an IPv4 address from an IPv6 address
        // that begins with it.
        let last = u32::from(zone(skb)) | u32::from(family).wrapping_shl(16);
        let key: Key = [a, b, c, d, last];
        // SAFETY: By the type invariant, the data belongs to the namespace and expects keys of this
        // length. The namespace is in use, so it is valid. By the type invariants of `Skb` and
        // `Context`, the packet is valid and RCU is held.
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

/// The conntrack zone of a packet's connection, or 0.
#[inline]
fn zone(skb: &Skb) -> u16 {
    let mut info = 0;
    // SAFETY: By the type invariant of `Skb`, the packet is valid. `info` is valid for writes.
    let connection = unsafe { bindings::palisade_ct_get(skb.as_raw(), &mut info) };
    if connection.is_null() {
        return 0;
    }
    // SAFETY: The packet holds a reference to its connection.
    unsafe { bindings::palisade_ct_zone(connection) }
}

impl Drop for ConnectionCounts {
    fn drop(&mut self) {
        // SAFETY: By the type invariant, the data was created for this namespace, which is in use.
        // Counting borrows `self`, so no packet does. The worker is waited for
        // (`nf_conncount_destroy`).
        unsafe { bindings::nf_conncount_destroy(self.namespace.as_raw(), self.data.as_ptr()) };
    }
}
