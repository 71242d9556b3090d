// SPDX-License-Identifier: GPL-2.0

//! The multicast group of a generic netlink family: messages for whoever listens.
//!
//! C header: [`include/net/genetlink.h`](srctree/include/net/genetlink.h)

use super::{
    genetlink::{
        write_message,
        Header, //
    },
    message::Message, //
};
use crate::kernel_api::{
    bindings,
    net::netns::NetworkNamespace,
    sync::words::Word,
    time::{
        jiffies32,
        JIFFIES_PER_SECOND, //
    },
};
use core::ptr::NonNull;
use kernel::{
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Relaxed,
        Release, //
    },
};

/// The bytes of a process's name (`TASK_COMM_LEN`).
const NAME_LENGTH: usize = 16;

/// Jiffies that joining a group takes at most: a socket is bound shortly before it is heard of.
const JOINING: u32 = 10 * JIFFIES_PER_SECOND;

/// The number of the group; 0 as long as it is not registered.
static GROUP: Atomic<u32> = Atomic::new(0);

/// How often a socket has joined the group, in any namespace. Packets read it, and nobody else's words
/// are written beside it.
static BINDS: Binds = Binds {
    count: Atomic::new(0),
    last: Atomic::new(0),
};

#[repr(align(64))]
struct Binds {
    count: Atomic<u32>,
    /// Jiffies of the last one.
    last: Atomic<u32>,
}

pub(super) fn set_group(group: u32) {
    GROUP.store(group, Release);
}

/// Called by generic netlink when a socket is about to join the group.
pub(super) extern "C" fn bind(_group: c_int) -> c_int {
    BINDS.last.store(jiffies32(), Relaxed);
    BINDS.count.fetch_add(1, Release);
    0
}

/// Whether somebody may listen in a network namespace, for those who cannot spend time on the question.
pub(crate) struct Listeners {
    /// How often sockets had joined when there was nobody.
    nobody_at: Word,
}

impl Listeners {
    /// Nobody listens as long as nobody has joined.
    pub(crate) const fn new() -> Self {
        Self {
            nobody_at: Word::new(0),
        }
    }

    /// `false` if nobody listens, by two loads and a comparison.
    #[inline]
    pub(crate) fn may_be_there(&self) -> bool {
        self.nobody_at.load() != BINDS.count.load(Relaxed)
    }

    /// Whether somebody listens. If nobody does, [`Listeners::may_be_there`] is `false` until the next
    /// socket joins.
    pub(crate) fn are_there(&self, namespace: &NetworkNamespace) -> bool {
        let count = BINDS.count.load(Acquire);
        let since = jiffies32().wrapping_sub(BINDS.last.load(Relaxed));
        if has_listeners(namespace) {
            return true;
        }
        if since > JOINING {
            self.nobody_at.store(count);
        }
        false
    }
}

/// Whether somebody listens in the namespace.
pub(crate) fn has_listeners(namespace: &NetworkNamespace) -> bool {
    let group = GROUP.load(Acquire);
    // SAFETY: The namespace is valid, and has a generic netlink socket: that goes after all state of
    // modules does, as generic netlink was there before them.
    group != 0 && unsafe { bindings::palisade_has_listeners(namespace.as_raw(), group) }
}

/// Sends a message that `fill` writes to whoever listens in the namespace. May sleep.
///
/// # Errors
///
/// `ENOMEM` when there is no memory, and those of `fill`. A listener without room is told by its
/// socket.
pub(crate) fn send(
    namespace: &NetworkNamespace,
    command: u8,
    fill: impl FnOnce(&mut Message<'_>) -> Result,
) -> Result {
    if !has_listeners(namespace) {
        return Ok(());
    }
    // SAFETY: `palisade_genlmsg_new` has no requirements but process context, as the caller of this.
    let skb = NonNull::new(unsafe { bindings::palisade_genlmsg_new() }).ok_or(ENOMEM)?;
    let header = Header::of_notification(command);
    // SAFETY: The buffer is new, and nobody else has it.
    if let Err(error) = unsafe { write_message(skb, &header, None, fill) } {
        // SAFETY: The buffer is ours, and is not used any more.
        unsafe { bindings::palisade_nlmsg_free(skb.as_ptr()) };
        return Err(error);
    }
    // SAFETY: The family is static and was registered, as somebody listens to it. The namespace is
    // valid, with its socket, see `has_listeners`. This gives the buffer away. If the family is
    // unregistered meanwhile, its group has no members.
    unsafe {
        bindings::palisade_genlmsg_multicast(header.family(), namespace.as_raw(), skb.as_ptr())
    };
    Ok(())
}

/// The id of the process that runs, in the initial PID namespace, and its name with NULs behind it.
pub(crate) fn current_process() -> (u32, [u8; NAME_LENGTH]) {
    let mut name = [0; NAME_LENGTH];
    // SAFETY: Requests are handled by a task, and the name has room for `TASK_COMM_LEN` bytes.
    unsafe {
        bindings::palisade_current_comm(name.as_mut_ptr());
        (bindings::palisade_current_tgid(), name)
    }
}
