// SPDX-License-Identifier: GPL-2.0

//! Generic netlink families and their operations.
//!
//! C header: [`include/net/genetlink.h`](srctree/include/net/genetlink.h)

use super::{
    extended_ack::{
        self,
        NetlinkResult, //
    },
    message::Message,
    multicast,
    Attributes,
    Policy, //
};
use crate::kernel_api::{
    bindings,
    net::netns::NetworkNamespace, //
};
use core::{
    marker::PhantomData,
    mem::ManuallyDrop,
    ptr::NonNull, //
};
use kernel::{
    error::to_result,
    fmt,
    prelude::*,
    str::CStr,
    sync::atomic::{
        Acquire,
        Atomic,
        Release, //
    },
    types::Opaque,
    ThisModule, //
};

/// The length of the netlink and generic netlink headers, in bytes.
const HEADERS: usize = 16 + 4;

/// A request that has passed the policy of its operation.
///
/// # Invariants
///
/// For `'a`, `info` is valid, and so are the message and the socket that it belongs to.
pub(crate) struct Request<'a> {
    info: NonNull<bindings::genl_info>,
    lifetime: PhantomData<&'a ()>,
}

impl<'a> Request<'a> {
    /// # Safety
    ///
    /// For `'a`, `info` has to be valid, with the message and the socket that it belongs to.
    unsafe fn from_raw(info: NonNull<bindings::genl_info>) -> Self {
        // INVARIANT: By the function's safety requirements.
        Self {
            info,
            lifetime: PhantomData,
        }
    }

    fn info(&self) -> &'a bindings::genl_info {
        // SAFETY: By the type invariant, `info` is valid for `'a`. Nobody writes to it; the
        // extended ack is another object.
        unsafe { self.info.as_ref() }
    }

    /// The attributes of the request.
    pub(crate) fn attributes(&self) -> Attributes<'a> {
        let header = self.info().nlhdr;
        // SAFETY: By the type invariant, the message is valid for `'a`, with the length in its
        // header, which generic netlink has checked.
        let message = unsafe {
            core::slice::from_raw_parts(header.cast::<u8>(), (*header).nlmsg_len as usize)
        };
        // The kernel has validated them.
        Attributes::new(message.get(HEADERS..).unwrap_or_default())
    }

    /// The network namespace of the socket that sent the request.
    pub(crate) fn namespace(&self) -> &'a NetworkNamespace {
        // SAFETY: By the type invariant, `info` and its socket are valid for `'a`. The socket holds
        // a reference to its namespace.
        unsafe { NetworkNamespace::from_raw(bindings::palisade_genl_info_net(self.info.as_ptr())) }
    }

    /// Adds a warning to a request that succeeds. It is cut off after 79 bytes.
    pub(crate) fn warn(&self, message: fmt::Arguments<'_>) {
        // SAFETY: By the type invariant, `info` is valid. Its extended ack is null or valid, and
        // used by this request only.
        unsafe { extended_ack::warn(self.info().extack, message) };
    }

    /// Allocates an answer, before anything happens that cannot be undone.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory.
    pub(crate) fn allocate_answer(&self) -> Result<Answer<'a>> {
        // SAFETY: `palisade_genlmsg_new` has no requirements but process context, in which
        // operations run.
        let skb = NonNull::new(unsafe { bindings::palisade_genlmsg_new(true) }).ok_or(ENOMEM)?;
        // INVARIANT: The buffer is new, and nobody else has it. By this type's invariant, `info` is
        // valid for `'a`.
        Ok(Answer {
            skb,
            info: self.info,
            lifetime: PhantomData,
        })
    }

    /// Replies with a message of the same command, which `fill` writes.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory, and those of [`Answer::send`].
    pub(crate) fn reply(&self, fill: impl FnOnce(&mut Message<'_>) -> Result) -> Result {
        self.allocate_answer()?.send(fill)
    }
}

/// An answer that can be sent without further memory.
///
/// # Invariants
///
/// The buffer is an empty message that is this object's alone. For `'a`, `info` is valid, and so are
/// the message and the socket that it belongs to.
pub(crate) struct Answer<'a> {
    skb: NonNull<bindings::sk_buff>,
    info: NonNull<bindings::genl_info>,
    lifetime: PhantomData<&'a ()>,
}

impl Answer<'_> {
    /// Sends a message of the request's command, which `fill` writes.
    ///
    /// # Errors
    ///
    /// What `fill` fails with, and `EAGAIN` when the socket has no room.
    pub(crate) fn send(self, fill: impl FnOnce(&mut Message<'_>) -> Result) -> Result {
        // SAFETY: By the type invariant, `info` is valid. Nobody writes to it.
        let info = unsafe { self.info.as_ref() };
        let (port, sequence) = (info.snd_portid, info.snd_seq);
        // SAFETY: By the type invariant, `info` is that of a request, which has a header.
        let header = unsafe { Header::of(info, port, sequence, 0) };
        // SAFETY: By the type invariant, the buffer is valid and ours.
        unsafe { write_message(self.skb, &header, None, fill) }?;
        let answer = ManuallyDrop::new(self);
        // SAFETY: The buffer is ours, and this gives it away. By the type invariant, `info` is
        // valid.
        to_result(unsafe {
            bindings::palisade_genlmsg_reply(answer.skb.as_ptr(), answer.info.as_ptr())
        })
    }
}

impl Drop for Answer<'_> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant, the buffer is ours, and it is not used any more.
        unsafe { bindings::palisade_nlmsg_free(self.skb.as_ptr()) };
    }
}

/// What the header of a message says.
///
/// # Invariants
///
/// The family is valid.
pub(super) struct Header {
    family: *const bindings::genl_family,
    command: u8,
    port: u32,
    sequence: u32,
    flags: u32,
}

impl Header {
    /// # Safety
    ///
    /// `info` has to be that of a request.
    unsafe fn of(info: &bindings::genl_info, port: u32, sequence: u32, flags: u32) -> Self {
        // SAFETY: By the function's safety requirements, `info` has a header.
        let command = unsafe { (*info.genlhdr).cmd };
        // INVARIANT: A request has a valid family.
        Self {
            family: info.family,
            command,
            port,
            sequence,
            flags,
        }
    }

    /// Of a message that nobody asked for.
    pub(super) fn of_notification(command: u8) -> Self {
        // INVARIANT: The family is static.
        Self {
            family: FAMILY.0.get(),
            command,
            port: 0,
            sequence: 0,
            flags: 0,
        }
    }

    /// The family.
    pub(super) fn family(&self) -> *const bindings::genl_family {
        self.family
    }
}

/// # Safety
///
/// The buffer has to be valid and the caller's, and `callback` valid if there is one.
pub(super) unsafe fn write_message(
    skb: NonNull<bindings::sk_buff>,
    header: &Header,
    callback: Option<NonNull<bindings::netlink_callback>>,
    fill: impl FnOnce(&mut Message<'_>) -> Result,
) -> Result {
    // SAFETY: By the function's safety requirements, the buffer is valid. By the type invariant, so is
    // the family.
    let header = unsafe {
        bindings::genlmsg_put(
            skb.as_ptr(),
            header.port,
            header.sequence,
            header.family,
            header.flags as i32,
            header.command,
        )
    };
    if header.is_null() {
        return Err(EMSGSIZE);
    }
    if let Some(callback) = callback {
        // SAFETY: By the function's safety requirements, the callback is valid. `header` was just
        // put into the message.
        unsafe { bindings::palisade_genl_dump_check_consistent(callback.as_ptr(), header) };
    }
    // SAFETY: By the function's safety requirements, the buffer is valid and the caller's. `fill`
    // accepts any lifetime.
    let filled = fill(&mut unsafe { Message::from_raw(skb) });
    // SAFETY: By the function's safety requirements, the buffer is valid. `genlmsg_put` has
    // returned `header` for it.
    unsafe {
        match filled {
            Ok(()) => bindings::palisade_genlmsg_end(skb.as_ptr(), header),
            Err(_) => bindings::palisade_genlmsg_cancel(skb.as_ptr(), header),
        }
    }
    filled
}

/// Where a dump continues; zero at its start.
#[derive(Clone, Copy, Default)]
pub(crate) struct Cursor {
    /// The outer index.
    pub(crate) outer: usize,
    /// The index within that.
    pub(crate) inner: usize,
}

/// The buffer that a dump writes to.
///
/// # Invariants
///
/// `skb` and `callback` are valid and belong to a running dump, whose request `info` is of.
pub(crate) struct Output<'a> {
    skb: NonNull<bindings::sk_buff>,
    callback: NonNull<bindings::netlink_callback>,
    info: &'a bindings::genl_info,
}

impl Output<'_> {
    /// Sets the generation of the dumped state. If it changes during a dump, the receiver is told.
    pub(crate) fn set_generation(&mut self, generation: u32) {
        // SAFETY: By the type invariant, the callback is valid. Zero would stand for no generation.
        unsafe { (*self.callback.as_ptr()).seq = generation.max(1) };
    }

    /// Writes a message about each thing from the cursor on, with what `fill` puts; `nth` finds the one
    /// at an index.
    ///
    /// # Errors
    ///
    /// Those of [`Output::message`].
    pub(crate) fn each<T>(
        &mut self,
        cursor: &mut Cursor,
        nth: impl Fn(usize) -> Option<T>,
        fill: impl Fn(&T, &mut Message<'_>) -> Result,
    ) -> Result {
        while let Some(one) = nth(cursor.outer) {
            self.message(|message| fill(&one, message))?;
            cursor.outer = cursor.outer.saturating_add(1);
        }
        Ok(())
    }

    /// Writes a message, with what `fill` puts.
    ///
    /// # Errors
    ///
    /// `EMSGSIZE` when the buffer is full: the dump has to return that, and is called again.
    pub(crate) fn message(&mut self, fill: impl FnOnce(&mut Message<'_>) -> Result) -> Result {
        // SAFETY: By the type invariant, the callback is valid, and so is the request that it
        // points to.
        let (port, sequence) = unsafe {
            let callback = self.callback.as_ref();
            (dump_port(callback), (*callback.nlh).nlmsg_seq)
        };
        // SAFETY: By the type invariant, `info` is that of the dump's request.
        let header = unsafe { Header::of(self.info, port, sequence, bindings::NLM_F_MULTI) };
        // SAFETY: By the type invariant, the buffer and the callback are valid and belong to the
        // dump.
        unsafe { write_message(self.skb, &header, Some(self.callback), fill) }
    }
}

/// # Safety
///
/// `callback` has to be that of a running dump.
unsafe fn dump_port(callback: &bindings::netlink_callback) -> u32 {
    // SAFETY: By the function's safety requirements, the callback has the buffer of the request, a
    // netlink message.
    unsafe { bindings::palisade_netlink_port(callback.skb) }
}

/// An operation that acts.
pub(crate) trait Doit {
    /// Handles a request, in process context.
    fn run<'a>(request: &Request<'a>) -> NetlinkResult<'a>;
}

/// An operation that lists objects.
pub(crate) trait Dumpit {
    /// The length of its longest message in bytes, if that is more than a page. A netlink message
    /// has at most 64 kB.
    const LONGEST_MESSAGE: u16 = 0;

    /// Writes messages from `cursor` on until everything is written or [`Output::message`] fails,
    /// and advances the cursor past what was written.
    fn run<'a>(
        request: &Request<'a>,
        cursor: &mut Cursor,
        output: &mut Output<'_>,
    ) -> NetlinkResult<'a>;
}

/// An operation of a family, which requires CAP_NET_ADMIN in the namespace's user namespace.
#[repr(transparent)]
pub(crate) struct Operation(bindings::genl_split_ops);

// SAFETY: An operation is only read once it is created, and it points to statics.
unsafe impl Send for Operation {}
// SAFETY: An operation is only read once it is created, and it points to statics.
unsafe impl Sync for Operation {}

impl Operation {
    fn new(command: u8, policy: &'static [Policy], capability: u32) -> Self {
        Self(bindings::genl_split_ops {
            cmd: command,
            policy: policy.as_ptr().cast(),
            maxattr: (policy.len() as u32).saturating_sub(1),
            flags: (bindings::GENL_UNS_ADMIN_PERM | capability) as u8,
            ..Default::default()
        })
    }

    /// Creates an operation that acts.
    pub(crate) fn action<T: Doit>(command: u8, policy: &'static [Policy]) -> Self {
        let mut operation = Self::new(command, policy, bindings::GENL_CMD_CAP_DO);
        operation.0.__bindgen_anon_1.__bindgen_anon_1.doit = Some(run_action::<T>);
        operation
    }

    /// Creates an operation that lists objects.
    pub(crate) fn dump<T: Dumpit>(command: u8, policy: &'static [Policy]) -> Self {
        let mut operation = Self::new(command, policy, bindings::GENL_CMD_CAP_DUMP);
        operation.0.__bindgen_anon_1.__bindgen_anon_2.start = Some(start_dump::<T>);
        operation.0.__bindgen_anon_1.__bindgen_anon_2.dumpit = Some(run_dump::<T>);
        operation
    }
}

/// # Safety
///
/// To be called by generic netlink, with a valid request that has passed the policy of the
/// operation.
unsafe extern "C" fn run_action<T: Doit>(
    _skb: *mut bindings::sk_buff,
    info: *mut bindings::genl_info,
) -> c_int {
    let Some(info) = NonNull::new(info) else {
        return EINVAL.to_errno();
    };
    // SAFETY: By the function's safety requirements, `info` and what it belongs to are valid during
    // this call.
    let request = unsafe { Request::from_raw(info) };
    match T::run(&request) {
        Ok(()) => 0,
        // SAFETY: By the function's safety requirements, the request is valid, whose extended ack
        // is null or valid. Attributes of a request are made here alone, and live as long as it.
        Err(refusal) => unsafe { refusal.report((*info.as_ptr()).extack) }.to_errno(),
    }
}

/// # Safety
///
/// To be called by generic netlink, with the valid callback of a dump that starts.
unsafe extern "C" fn start_dump<T: Dumpit>(callback: *mut bindings::netlink_callback) -> c_int {
    // SAFETY: By the function's safety requirements, the callback is valid.
    unsafe { (*callback).min_dump_alloc = T::LONGEST_MESSAGE.into() };
    0
}

/// # Safety
///
/// To be called by generic netlink, with a valid buffer and the valid callback of a dump whose
/// request has passed the policy.
unsafe extern "C" fn run_dump<T: Dumpit>(
    skb: *mut bindings::sk_buff,
    callback: *mut bindings::netlink_callback,
) -> c_int {
    // SAFETY: By the function's safety requirements, the callback is that of a generic netlink
    // dump, which has set it up for `genl_info_dump`.
    let info = unsafe { bindings::palisade_genl_info_dump(callback) };
    let (Some(skb), Some(callback), Some(info)) = (
        NonNull::new(skb),
        NonNull::new(callback),
        NonNull::new(info.cast_mut()),
    ) else {
        return EINVAL.to_errno();
    };
    // SAFETY: By the function's safety requirements, the dump runs, and netlink keeps its request
    // and socket until it is done.
    let request = unsafe { Request::from_raw(info) };
    // SAFETY: By the function's safety requirements, the callback is valid. The context is ours.
    let context = unsafe { &raw mut (*callback.as_ptr()).__bindgen_anon_1 }.cast::<Cursor>();
    // SAFETY: The context is large enough for a `Cursor`, of which any bits are valid. Netlink
    // zeroes it when the dump starts.
    let mut cursor = unsafe { context.read_unaligned() };
    // INVARIANT: The buffer and the callback are those of the running dump, and `info` is that of
    // its request.
    let mut output = Output {
        skb,
        callback,
        info: request.info(),
    };
    let result = T::run(&request, &mut cursor, &mut output);
    // SAFETY: The context is valid for writes, and large enough for a `Cursor`.
    unsafe { context.write_unaligned(cursor) };
    match result {
        Ok(()) => 0,
        // SAFETY: By the function's safety requirements, the callback is valid, whose extended ack
        // is null or valid. Attributes of a request are made here alone, and live as long as it.
        Err(refusal) => unsafe { refusal.report((*callback.as_ptr()).extack) }.to_errno(),
    }
}

/// A registered family. Once this is dropped, no operation of it runs any more.
///
/// # Invariants
///
/// The family is registered, and its operations are `_operations`.
///
/// # Examples
///
/// ```ignore
/// struct Flush;
///
/// impl Doit for Flush {
///     fn run<'a>(request: &Request<'a>) -> NetlinkResult<'a> {
///         flush(request.namespace());
///         Ok(())
///     }
/// }
///
/// static POLICY: [Policy; 2] = [Policy::NONE, Policy::u32()];
///
/// let mut operations = KVec::new();
/// operations.push(Operation::action::<Flush>(FLUSH, &POLICY), GFP_KERNEL)?;
/// let family = Family::register(c"example", 1, operations, &[c"events", c"trace"], module)?;
/// ```
pub(crate) struct Family {
    _operations: KVec<Operation>,
    _groups: KVec<bindings::genl_multicast_group>,
}

/// The family. It is static, so that messages can be written without a request.
static FAMILY: FamilyCell = FamilyCell(Opaque::zeroed());

/// Whether the family is in use.
static IS_TAKEN: Atomic<bool> = Atomic::new(false);

struct FamilyCell(Opaque<bindings::genl_family>);

// SAFETY: A family is written before it is registered, and then by generic netlink alone.
unsafe impl Sync for FamilyCell {}

// SAFETY: The family is used to unregister it only, which any task may do.
unsafe impl Send for Family {}
// SAFETY: `&Family` gives access to nothing.
unsafe impl Sync for Family {}

impl Family {
    /// Registers a family whose operations work in all network namespaces, and in parallel. They
    /// have to be sorted by command, the action before the dump. It has multicast groups, which take
    /// CAP_NET_ADMIN to join: see [`multicast`].
    ///
    /// # Errors
    ///
    /// `EINVAL` when a name is too long, `EEXIST` when there is such a family or another one of this
    /// module, `ENOMEM` when there is no memory.
    pub(crate) fn register(
        name: &CStr,
        version: u8,
        operations: KVec<Operation>,
        groups: &[&CStr; multicast::GROUPS],
        module: &'static ThisModule,
    ) -> Result<Self> {
        let mut named = KVec::new();
        for name in groups {
            let mut group = bindings::genl_multicast_group {
                flags: bindings::PALISADE_MCAST_CAP_NET_ADMIN,
                ..Default::default()
            };
            copy_name(&mut group.name, name)?;
            named.push(group, GFP_KERNEL)?;
        }
        let mut family = bindings::genl_family {
            version: version.into(),
            n_split_ops: u8::try_from(operations.len()).map_err(|_| EINVAL)?,
            split_ops: operations.as_ptr().cast(),
            module: module.as_ptr().cast(),
            mcgrps: named.as_ptr(),
            n_mcgrps: u8::try_from(named.len()).map_err(|_| EINVAL)?,
            bind: Some(multicast::bind),
            ..Default::default()
        };
        family.set_netnsok(1);
        family.set_parallel_ops(1);
        copy_name(&mut family.name, name)?;
        if IS_TAKEN.xchg(true, Acquire) {
            return Err(EEXIST);
        }
        // SAFETY: Nobody else uses the family, as it was not taken.
        unsafe { FAMILY.0.get().write(family) };
        // SAFETY: The family is static. Its operations and its groups are in their vectors, where they
        // stay until it is unregistered.
        let registered = to_result(unsafe { bindings::genl_register_family(FAMILY.0.get()) });
        if registered.is_err() {
            IS_TAKEN.store(false, Release);
        }
        registered?;
        // SAFETY: The family was just registered, after which nobody writes its groups' numbers.
        multicast::set_first(unsafe { (*FAMILY.0.get()).mcgrp_offset });
        // INVARIANT: The family was just registered, with these operations and groups.
        Ok(Self {
            _operations: operations,
            _groups: named,
        })
    }
}

/// Copies a name into a field of C's.
fn copy_name(field: &mut [u8], name: &CStr) -> Result {
    let bytes = name.to_bytes_with_nul();
    let room = field.get_mut(..bytes.len()).ok_or(EINVAL)?;
    for (to, from) in room.iter_mut().zip(bytes) {
        *to = *from;
    }
    Ok(())
}

impl Drop for Family {
    fn drop(&mut self) {
        multicast::set_first(0);
        // SAFETY: By the type invariant, the family is registered. This waits for running
        // operations.
        unsafe { bindings::genl_unregister_family(FAMILY.0.get()) };
        IS_TAKEN.store(false, Release);
    }
}
