// SPDX-License-Identifier: GPL-2.0

//! Removing SYNPROXY connections from connection tracking.
//!
//! C header: [`include/net/netfilter/nf_conntrack.h`](srctree/include/net/netfilter/nf_conntrack.h)

use super::connections::{
    proxy_words,
    Direction,
    Endpoints, //
};
use crate::kernel_api::{
    bindings,
    net::netns::NetworkNamespace,
    sync::words::Word, //
};
use core::{
    ffi::c_void,
    mem::MaybeUninit, //
};
use kernel::prelude::*;

/// The state of a connection when it was removed.
#[derive(Clone, Copy)]
pub(crate) struct EndedConnection {
    /// The addresses and ports of each direction, as its sender has them.
    pub(crate) endpoints: [Endpoints; 2],
    /// The next sequence number of each direction, as its sender has it.
    pub(crate) next: [u32; 2],
    /// The offset of the reply's sequence numbers.
    pub(crate) shift: u32,
    /// The words that SYNPROXY kept with the connection.
    pub(crate) words: [u32; 3],
}

/// The number of tracked connections of a namespace.
pub(crate) fn count_connections(namespace: &NetworkNamespace) -> usize {
    // SAFETY: By the type invariant, the namespace is valid.
    unsafe { bindings::nf_conntrack_count(namespace.as_raw()) as usize }
}

/// Removed connections, and room for more.
struct Ended<'a> {
    room: &'a mut [MaybeUninit<EndedConnection>],
    count: usize,
}

/// Removes the SYNPROXY connections of a namespace, at most as many as there is room for, and
/// returns them. May sleep: it walks the whole conntrack table once.
pub(crate) fn end_connections<'a>(
    namespace: &NetworkNamespace,
    room: &'a mut [MaybeUninit<EndedConnection>],
) -> &'a [EndedConnection] {
    let mut ended = Ended { room, count: 0 };
    let data = bindings::nf_ct_iter_data {
        net: namespace.as_raw(),
        data: (&raw mut ended).cast(),
        ..Default::default()
    };
    // SAFETY: By the type invariant, the namespace is valid. `data` holds an `Ended`, as `collect`
    // requires, which nobody else uses meanwhile.
    unsafe { bindings::nf_ct_iterate_cleanup_net(Some(collect), &data) };
    let Ended { room, count } = ended;
    let filled = room.get(..count).unwrap_or_default();
    // SAFETY: `collect` has written the first `count` elements.
    unsafe { core::slice::from_raw_parts(filled.as_ptr().cast(), filled.len()) }
}

/// # Safety
///
/// `connection` has to be valid, and `data` has to point to an [`Ended`] that nobody else uses. A
/// spinlock is held and softirqs are off (`get_next_corpse`).
unsafe extern "C" fn collect(connection: *mut bindings::nf_conn, data: *mut c_void) -> c_int {
    // SAFETY: By the function's safety requirements, `data` points to an `Ended` that nobody else
    // uses.
    let ended = unsafe { &mut *data.cast::<Ended<'_>>() };
    let Some(slot) = ended.room.get_mut(ended.count) else {
        return 0;
    };
    // SAFETY: By the function's safety requirements, the connection is valid, and confirmed, as it
    // is in the table. Those with proxy words are TCP connections.
    let one = unsafe {
        let Some(words) = proxy_words(connection) else {
            return 0;
        };
        let words = words.each_ref().map(Word::load);
        let (original, reply) = (Direction::Original, Direction::Reply);
        let next = |direction: Direction| {
            bindings::palisade_ct_sequence_end(connection, direction.number())
        };
        EndedConnection {
            endpoints: [
                Endpoints::of(connection, original),
                Endpoints::of(connection, reply),
            ],
            next: [next(original), next(reply)],
            shift: bindings::nf_ct_seq_offset(connection, reply.number(), next(reply)) as u32,
            words,
        }
    };
    slot.write(one);
    ended.count = ended.count.wrapping_add(1);
    1
}

/// Whether a namespace has any SYNPROXY connections. May sleep.
pub(crate) fn has_connections(namespace: &NetworkNamespace) -> bool {
    has_any(namespace, notice_own)
}

/// Whether a namespace has any connections whose addresses or ports are translated, by whomever.
/// May sleep.
pub(crate) fn has_translated_connections(namespace: &NetworkNamespace) -> bool {
    has_any(namespace, notice_translated)
}

/// A callback that looks for one connection: `connection` has to be valid, and `data` has to point
/// to a `bool` that nobody else uses.
type Notice = unsafe extern "C" fn(connection: *mut bindings::nf_conn, data: *mut c_void) -> c_int;

fn has_any(namespace: &NetworkNamespace, notice: Notice) -> bool {
    let mut is_any = false;
    let data = bindings::nf_ct_iter_data {
        net: namespace.as_raw(),
        data: (&raw mut is_any).cast(),
        ..Default::default()
    };
    // SAFETY: By the type invariant, the namespace is valid. `data` holds a `bool`, as `notice`
    // requires, which nobody else uses meanwhile.
    unsafe { bindings::nf_ct_iterate_cleanup_net(Some(notice), &data) };
    is_any
}

/// # Safety
///
/// See [`Notice`].
unsafe extern "C" fn notice_own(connection: *mut bindings::nf_conn, data: *mut c_void) -> c_int {
    // SAFETY: By the function's safety requirements, the connection is valid, and `data` points to
    // a `bool` that nobody else uses.
    unsafe {
        if bindings::palisade_ct_is_own(connection) {
            *data.cast::<bool>() = true;
        }
    }
    0
}

/// # Safety
///
/// See [`Notice`].
unsafe extern "C" fn notice_translated(
    connection: *mut bindings::nf_conn,
    data: *mut c_void,
) -> c_int {
    const TRANSLATED: c_ulong = bindings::ip_conntrack_status_IPS_NAT_MASK as c_ulong;
    // SAFETY: By the function's safety requirements, the connection is valid, and `data` points to
    // a `bool` that nobody else uses.
    unsafe {
        if bindings::palisade_ct_status(connection) & TRANSLATED != 0 {
            *data.cast::<bool>() = true;
        }
    }
    0
}
