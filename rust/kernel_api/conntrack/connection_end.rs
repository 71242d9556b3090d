// SPDX-License-Identifier: GPL-2.0

//! Having connection tracking forget SYNPROXY's connections.
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

/// What a connection was like when it was forgotten.
#[derive(Clone, Copy)]
pub(crate) struct EndedConnection {
    /// Whom the packets of each direction are from and for, as who sends them has it.
    pub(crate) endpoints: [Endpoints; 2],
    /// The sequence number that comes next in each direction, as who sends it has it.
    pub(crate) next: [u32; 2],
    /// By how much the sequence numbers of the reply are shifted.
    pub(crate) shift: u32,
    /// What SYNPROXY has kept with it.
    pub(crate) words: [u32; 3],
}

/// How many connections of a namespace connection tracking knows.
pub(crate) fn count_connections(namespace: &NetworkNamespace) -> usize {
    // SAFETY: The namespace is valid.
    unsafe { bindings::nf_conntrack_count(namespace.as_raw()) as usize }
}

/// Ended connections, and room for more.
struct Ended<'a> {
    room: &'a mut [MaybeUninit<EndedConnection>],
    count: usize,
}

/// Has connection tracking forget SYNPROXY's connections of a namespace, as many as there is room for, and
/// returns them. May sleep: it walks all of connection tracking once.
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
    // SAFETY: The namespace is valid, and the data is what the function wants, which nobody else uses
    // meanwhile.
    unsafe { bindings::nf_ct_iterate_cleanup_net(Some(collect), &data) };
    let Ended { room, count } = ended;
    let filled = room.get(..count).unwrap_or_default();
    // SAFETY: `collect` has counted those that it wrote, from the first on.
    unsafe { core::slice::from_raw_parts(filled.as_ptr().cast(), filled.len()) }
}

/// # Safety
///
/// The connection has to be valid, and the data has to be an [`Ended`] that nobody else uses. A spinlock is held, and
/// softirqs are off (`get_next_corpse`).
unsafe extern "C" fn collect(connection: *mut bindings::nf_conn, data: *mut c_void) -> c_int {
    // SAFETY: The caller says so.
    let ended = unsafe { &mut *data.cast::<Ended<'_>>() };
    let Some(place) = ended.room.get_mut(ended.count) else {
        return 0;
    };
    // SAFETY: The caller says that the connection is valid, and it is in the table; those that are ours are of TCP.
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
    place.write(one);
    ended.count = ended.count.wrapping_add(1);
    1
}

/// Whether connection tracking has any of SYNPROXY's connections of a namespace. May sleep.
pub(crate) fn has_connections(namespace: &NetworkNamespace) -> bool {
    let mut is_any = false;
    let data = bindings::nf_ct_iter_data {
        net: namespace.as_raw(),
        data: (&raw mut is_any).cast(),
        ..Default::default()
    };
    // SAFETY: The namespace is valid, and the data is what the function wants, which nobody else uses
    // meanwhile. In process context, as `nf_ct_iterate_cleanup` demands.
    unsafe { bindings::nf_ct_iterate_cleanup_net(Some(notice), &data) };
    is_any
}

/// # Safety
///
/// The connection has to be valid, and the data has to be a `bool` that nobody else uses.
unsafe extern "C" fn notice(connection: *mut bindings::nf_conn, data: *mut c_void) -> c_int {
    // SAFETY: The caller says so.
    unsafe {
        if bindings::palisade_ct_is_own(connection) {
            *data.cast::<bool>() = true;
        }
    }
    0
}
