// SPDX-License-Identifier: GPL-2.0

//! The multicast groups of a generic netlink family: messages for whoever listens.
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
    netfilter::Context,
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

/// How many groups the family has.
pub(crate) const GROUPS: usize = 2;

/// The number of the first group; 0 as long as the family is not registered.
static FIRST: Atomic<u32> = Atomic::new(0);

/// When sockets join each group, in any namespace.
static BINDS: [Binds; GROUPS] = [const {
    Binds {
        tickets: Atomic::new(0),
        latest: Word::new(0),
        time: Word::new(0),
    }
}; GROUPS];

/// Packets read it, and nobody else's words are written beside it.
#[repr(align(64))]
struct Binds {
    /// How many have joined: each gets a number of its own.
    tickets: Atomic<u32>,
    /// The number of one of the latest, where packets look, since loading an `Atomic` is a call.
    latest: Word,
    /// Jiffies when one of the latest joined.
    time: Word,
}

pub(super) fn set_first(first: u32) {
    FIRST.store(first, Release);
}

/// Called by generic netlink when a socket is about to join a group of the family.
pub(super) extern "C" fn bind(group: c_int) -> c_int {
    let group = usize::try_from(group).ok();
    if let Some(binds) = group.and_then(|group| BINDS.get(group)) {
        binds.time.store(jiffies32());
        let ticket = binds.tickets.fetch_add(1, Relaxed).wrapping_add(1);
        binds.latest.store_release(ticket);
    }
    0
}

/// Whether somebody may listen to the group of that number in a network namespace, for those who cannot
/// spend time on the question.
pub(crate) struct Listeners<const GROUP: usize> {
    /// The latest that had joined when there was nobody.
    nobody_at: Word,
}

impl<const GROUP: usize> Listeners<GROUP> {
    #[inline(always)]
    fn binds() -> &'static Binds {
        const { assert!(GROUP < GROUPS) };
        &BINDS[GROUP]
    }

    /// Nobody listens as long as nobody has joined.
    pub(crate) const fn new() -> Self {
        Self {
            nobody_at: Word::new(0),
        }
    }

    /// `false` if nobody listens, by two loads and a comparison.
    #[inline]
    pub(crate) fn may_be_there(&self) -> bool {
        self.nobody_at.load() != Self::binds().latest.load()
    }

    /// Whether somebody listens. If nobody does, [`Listeners::may_be_there`] is `false` until the next
    /// socket joins.
    pub(crate) fn are_there(&self, namespace: &NetworkNamespace) -> bool {
        let latest = Self::binds().latest.load_acquire();
        let since = jiffies32().wrapping_sub(Self::binds().time.load());
        if has_listeners(namespace, GROUP) {
            return true;
        }
        if since > JOINING {
            self.nobody_at.store(latest);
        }
        false
    }
}

/// Whether somebody listens to the group. It may be in another namespace, since the kernel remembers it for
/// all of them together (`netlink_has_listeners`); who is in the namespace gets the messages.
pub(crate) fn has_listeners(namespace: &NetworkNamespace, group: usize) -> bool {
    let first = FIRST.load(Acquire);
    let number = first.wrapping_add(group as u32);
    // SAFETY: The namespace is valid, and has a generic netlink socket: that goes after all state of
    // modules does, as generic netlink was there before them.
    first != 0 && unsafe { bindings::palisade_has_listeners(namespace.as_raw(), number) }
}

/// Sends a message that `fill` writes to whoever listens to the group in the namespace. May sleep.
///
/// # Errors
///
/// `ENOMEM` when there is no memory, and those of `fill`. A listener without room is told by its
/// socket.
pub(crate) fn send(
    namespace: &NetworkNamespace,
    group: usize,
    command: u8,
    fill: impl FnOnce(&mut Message<'_>) -> Result,
) -> Result {
    send_with(namespace, group, command, true, fill)
}

/// As [`send`], from a hook and in its namespace. Does not sleep, and neither may `fill`.
///
/// # Errors
///
/// Those of [`send`].
pub(crate) fn send_from_hook(
    context: &Context<'_>,
    group: usize,
    command: u8,
    fill: impl FnOnce(&mut Message<'_>) -> Result,
) -> Result {
    send_with(context.namespace(), group, command, false, fill)
}

fn send_with(
    namespace: &NetworkNamespace,
    group: usize,
    command: u8,
    may_sleep: bool,
    fill: impl FnOnce(&mut Message<'_>) -> Result,
) -> Result {
    if group >= GROUPS || !has_listeners(namespace, group) {
        return Ok(());
    }
    // SAFETY: `palisade_genlmsg_new` has no requirements but a caller that may sleep if it is told so.
    let new = unsafe { bindings::palisade_genlmsg_new(may_sleep) };
    let skb = NonNull::new(new).ok_or(ENOMEM)?;
    let header = Header::of_notification(command);
    // SAFETY: The buffer is new, and nobody else has it.
    if let Err(error) = unsafe { write_message(skb, &header, None, fill) } {
        // SAFETY: The buffer is ours, and is not used any more.
        unsafe { bindings::palisade_nlmsg_free(skb.as_ptr()) };
        return Err(error);
    }
    // SAFETY: The family is static and was registered with all groups, as somebody listens to one. The
    // namespace is valid, with its socket, see `has_listeners`. This gives the buffer away. If the
    // family is unregistered meanwhile, its groups have no members.
    unsafe {
        bindings::palisade_genlmsg_multicast(
            header.family(),
            namespace.as_raw(),
            skb.as_ptr(),
            group as u32,
            may_sleep,
        )
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
