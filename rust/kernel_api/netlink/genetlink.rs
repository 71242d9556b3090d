// SPDX-License-Identifier: GPL-2.0

//! Generic netlink families with operations.
//!
//! C header: [`include/net/genetlink.h`](srctree/include/net/genetlink.h)

use super::{
    extended_ack::{
        self,
        NetlinkResult, //
    },
    message::Message,
    Attributes,
    Policy, //
};
use crate::kernel_api::{
    bindings,
    net::netns::NetworkNamespace, //
};
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    error::to_result,
    fmt,
    prelude::*,
    str::CStr,
    types::Opaque,
    ThisModule, //
};

/// The netlink header and that of generic netlink, in bytes.
const HEADERS: usize = 16 + 4;

/// A request that passed the policy of its operation.
pub(crate) struct Request<'a> {
    info: NonNull<bindings::genl_info>,
    lifetime: PhantomData<&'a ()>,
}

impl<'a> Request<'a> {
    /// # Safety
    ///
    /// The information has to be valid for `'a`, with the message that it belongs to.
    unsafe fn from_raw(info: NonNull<bindings::genl_info>) -> Self {
        Self {
            info,
            lifetime: PhantomData,
        }
    }

    fn info(&self) -> &'a bindings::genl_info {
        // SAFETY: By the requirement of `from_raw`; nobody writes it but its `extack`'s pointee.
        unsafe { self.info.as_ref() }
    }

    /// The attributes.
    pub(crate) fn attributes(&self) -> Attributes<'a> {
        let header = self.info().nlhdr;
        // SAFETY: By the requirement of `from_raw` the message is there, in the length that it says,
        // which generic netlink checked to be at least that of the headers.
        let message = unsafe {
            core::slice::from_raw_parts(header.cast::<u8>(), (*header).nlmsg_len as usize)
        };
        Attributes::new(message.get(HEADERS..).unwrap_or_default())
    }

    /// The network namespace of the socket that sent the request.
    pub(crate) fn namespace(&self) -> &'a NetworkNamespace {
        // SAFETY: By the requirement of `from_raw`; the socket holds its namespace.
        unsafe { NetworkNamespace::from_raw(bindings::palisade_genl_info_net(self.info.as_ptr())) }
    }

    /// Tells the sender something about a request that is carried out all the same. What does not fit into
    /// 79 bytes is cut off.
    pub(crate) fn warn(&self, message: fmt::Arguments<'_>) {
        // SAFETY: By the requirement of `from_raw`, and generic netlink gives a place for it that is valid as
        // long as the request.
        unsafe { extended_ack::warn(self.info().extack, message) };
    }

    /// Answers with one message of the same command, filled by `fill`.
    ///
    /// # Errors
    ///
    /// What `fill` fails with, or `ENOMEM`, or that the sender cannot be reached.
    pub(crate) fn reply(&self, fill: impl FnOnce(&mut Message) -> Result) -> Result {
        // SAFETY: There are no requirements; this may sleep.
        let skb = NonNull::new(unsafe { bindings::palisade_genlmsg_new() }).ok_or(ENOMEM)?;
        let info = self.info();
        // SAFETY: The buffer is new and ours.
        let written =
            unsafe { write_message(skb, info, info.snd_portid, info.snd_seq, 0, None, fill) };
        if let Err(error) = written {
            // SAFETY: The buffer is ours, and not used any more.
            unsafe { bindings::palisade_nlmsg_free(skb.as_ptr()) };
            return Err(error);
        }
        // SAFETY: This gives the buffer away.
        to_result(unsafe { bindings::palisade_genlmsg_reply(skb.as_ptr(), self.info.as_ptr()) })
    }
}

/// # Safety
///
/// The buffer has to be valid and the caller's, and `callback` valid if there is one.
unsafe fn write_message(
    skb: NonNull<bindings::sk_buff>,
    info: &bindings::genl_info,
    port: u32,
    sequence: u32,
    flags: u32,
    callback: Option<NonNull<bindings::netlink_callback>>,
    fill: impl FnOnce(&mut Message) -> Result,
) -> Result {
    // SAFETY: The caller vouches for the buffer; header and family are those of the request.
    let header = unsafe {
        let command = (*info.genlhdr).cmd;
        bindings::genlmsg_put(
            skb.as_ptr(),
            port,
            sequence,
            info.family,
            flags as i32,
            command,
        )
    };
    if header.is_null() {
        return Err(EMSGSIZE);
    }
    if let Some(callback) = callback {
        // SAFETY: The caller vouches for the callback, and the header was just put.
        unsafe { bindings::palisade_genl_dump_check_consistent(callback.as_ptr(), header) };
    }
    // SAFETY: The caller vouches for the buffer.
    let filled = fill(&mut unsafe { Message::from_raw(skb) });
    // SAFETY: The header was put into this buffer.
    unsafe {
        match filled {
            Ok(()) => bindings::palisade_genlmsg_end(skb.as_ptr(), header),
            Err(_) => bindings::palisade_genlmsg_cancel(skb.as_ptr(), header),
        }
    }
    filled
}

/// Where a dump is to go on; zero at its start.
#[derive(Clone, Copy, Default)]
pub(crate) struct Cursor {
    /// The coarse place.
    pub(crate) outer: usize,
    /// The place within it.
    pub(crate) inner: usize,
}

/// What a dump writes to.
pub(crate) struct Output<'a> {
    skb: NonNull<bindings::sk_buff>,
    callback: NonNull<bindings::netlink_callback>,
    info: &'a bindings::genl_info,
}

impl Output<'_> {
    /// Says which state is being dumped: where it changes in the course of a dump, the receiver is told.
    pub(crate) fn set_generation(&mut self, generation: u32) {
        // SAFETY: The callback is valid while the dump runs. Zero would mean that nothing was said.
        unsafe { (*self.callback.as_ptr()).seq = generation.max(1) };
    }

    /// Writes one message, filled by `fill`.
    ///
    /// # Errors
    ///
    /// `EMSGSIZE` when the buffer is full: the dump has to return that, and is called again.
    pub(crate) fn message(&mut self, fill: impl FnOnce(&mut Message) -> Result) -> Result {
        // SAFETY: The callback is valid while the dump runs, and so is the request that it points to.
        let (port, sequence) = unsafe {
            let callback = self.callback.as_ref();
            (dump_port(callback), (*callback.nlh).nlmsg_seq)
        };
        // SAFETY: The buffer and the callback belong to the dump.
        unsafe {
            write_message(
                self.skb,
                self.info,
                port,
                sequence,
                bindings::NLM_F_MULTI,
                Some(self.callback),
                fill,
            )
        }
    }
}

/// # Safety
///
/// The callback has to be that of a running dump.
unsafe fn dump_port(callback: &bindings::netlink_callback) -> u32 {
    // SAFETY: The caller says so.
    unsafe { bindings::palisade_netlink_port(callback.skb) }
}

/// An operation that does something.
pub(crate) trait Doit {
    /// Does it, in process context.
    fn run<'a>(request: &Request<'a>) -> NetlinkResult<'a>;
}

/// An operation that lists something.
pub(crate) trait Dumpit {
    /// What its longest message takes up, in bytes, if that is more than a page; it cannot be more than
    /// a netlink message, which is 64 kB.
    const LONGEST_MESSAGE: u16 = 0;

    /// Writes messages from `cursor` on until all is written or [`Output::message`] fails, and moves the
    /// cursor past what was written.
    fn run<'a>(
        request: &Request<'a>,
        cursor: &mut Cursor,
        output: &mut Output<'_>,
    ) -> NetlinkResult<'a>;
}

/// An operation of a family, which needs CAP_NET_ADMIN over the network namespace.
#[repr(transparent)]
pub(crate) struct Operation(bindings::genl_split_ops);

// SAFETY: It is never written once it was made, and it points at statics.
unsafe impl Send for Operation {}
// SAFETY: As above.
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

    /// An operation that does something.
    pub(crate) fn action<T: Doit>(command: u8, policy: &'static [Policy]) -> Self {
        let mut operation = Self::new(command, policy, bindings::GENL_CMD_CAP_DO);
        operation.0.__bindgen_anon_1.__bindgen_anon_1.doit = Some(run_action::<T>);
        operation
    }

    /// An operation that lists something.
    pub(crate) fn dump<T: Dumpit>(command: u8, policy: &'static [Policy]) -> Self {
        let mut operation = Self::new(command, policy, bindings::GENL_CMD_CAP_DUMP);
        operation.0.__bindgen_anon_1.__bindgen_anon_2.start = Some(start_dump::<T>);
        operation.0.__bindgen_anon_1.__bindgen_anon_2.dumpit = Some(run_dump::<T>);
        operation
    }
}

/// # Safety
///
/// To be called by generic netlink, with a request that passed the policy of the operation.
unsafe extern "C" fn run_action<T: Doit>(
    _skb: *mut bindings::sk_buff,
    info: *mut bindings::genl_info,
) -> c_int {
    let Some(info) = NonNull::new(info) else {
        return EINVAL.to_errno();
    };
    // SAFETY: Generic netlink gives a valid request.
    let request = unsafe { Request::from_raw(info) };
    match T::run(&request) {
        Ok(()) => 0,
        // SAFETY: Generic netlink gives a valid place for the reason, and the request is still there.
        Err(refusal) => unsafe { refusal.report((*info.as_ptr()).extack) }.to_errno(),
    }
}

/// # Safety
///
/// To be called by generic netlink, with the callback of a dump that begins.
unsafe extern "C" fn start_dump<T: Dumpit>(callback: *mut bindings::netlink_callback) -> c_int {
    // SAFETY: Generic netlink gives a valid callback.
    unsafe { (*callback).min_dump_alloc = T::LONGEST_MESSAGE.into() };
    0
}

/// # Safety
///
/// To be called by generic netlink, with the callback of a dump whose request passed the policy.
unsafe extern "C" fn run_dump<T: Dumpit>(
    skb: *mut bindings::sk_buff,
    callback: *mut bindings::netlink_callback,
) -> c_int {
    // SAFETY: Generic netlink gives a valid callback, which it prepared for `genl_info_dump`.
    let info = unsafe { bindings::palisade_genl_info_dump(callback) };
    let (Some(skb), Some(callback), Some(info)) = (
        NonNull::new(skb),
        NonNull::new(callback),
        NonNull::new(info.cast_mut()),
    ) else {
        return EINVAL.to_errno();
    };
    // SAFETY: As above; the request stays until the dump is over.
    let request = unsafe { Request::from_raw(info) };
    // SAFETY: The callback's context is ours, and netlink zeroes it at the start.
    let context = unsafe { &raw mut (*callback.as_ptr()).__bindgen_anon_1 }.cast::<Cursor>();
    // SAFETY: As above; a `Cursor` fits in, and any bits make one.
    let mut cursor = unsafe { context.read_unaligned() };
    let mut output = Output {
        skb,
        callback,
        info: request.info(),
    };
    let result = T::run(&request, &mut cursor, &mut output);
    // SAFETY: As above.
    unsafe { context.write_unaligned(cursor) };
    match result {
        Ok(()) => 0,
        // SAFETY: The callback's place for the reason is valid while the dump runs.
        Err(refusal) => unsafe { refusal.report((*callback.as_ptr()).extack) }.to_errno(),
    }
}

/// A registered family, until it is dropped: then no operation of it runs any more.
pub(crate) struct Family {
    family: KBox<Opaque<bindings::genl_family>>,
    _operations: KVec<Operation>,
}

// SAFETY: The family is not used but to unregister it.
unsafe impl Send for Family {}
// SAFETY: As above.
unsafe impl Sync for Family {}

impl Family {
    /// Registers a family whose operations work in every network namespace and at the same time. They have
    /// to be in the order of their commands, and for each the action comes before the dump.
    ///
    /// # Errors
    ///
    /// `EINVAL` when the name is too long, `EEXIST` when there is such a family, `ENOMEM`.
    pub(crate) fn register(
        name: &CStr,
        version: u8,
        operations: KVec<Operation>,
        module: &'static ThisModule,
    ) -> Result<Self> {
        let mut family = bindings::genl_family {
            version: version.into(),
            n_split_ops: u8::try_from(operations.len()).map_err(|_| EINVAL)?,
            split_ops: operations.as_ptr().cast(),
            module: module.as_ptr().cast(),
            ..Default::default()
        };
        family.set_netnsok(1);
        family.set_parallel_ops(1);
        let bytes = name.to_bytes_with_nul();
        let place = family.name.get_mut(..bytes.len()).ok_or(EINVAL)?;
        for (to, from) in place.iter_mut().zip(bytes) {
            *to = *from;
        }
        let family = KBox::new(Opaque::new(family), GFP_KERNEL)?;
        // SAFETY: The family and its operations stay where they are until it is unregistered.
        to_result(unsafe { bindings::genl_register_family(family.get()) })?;
        Ok(Self {
            family,
            _operations: operations,
        })
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        // SAFETY: It was registered by `register`. This waits for operations that run.
        unsafe { bindings::genl_unregister_family(self.family.get()) };
    }
}
