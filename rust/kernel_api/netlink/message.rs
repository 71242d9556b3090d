// SPDX-License-Identifier: GPL-2.0

//! Writing netlink messages.
//!
//! C header: [`include/net/netlink.h`](srctree/include/net/netlink.h)

use crate::kernel_api::bindings;
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    error::to_result,
    prelude::*, //
};

/// A message that is being written. Once something did not fit, what follows may be refused, too.
///
/// Whoever fills messages gets each with a lifetime of its own, so that no two can be swapped: a
/// nest ends in the message in which it started.
///
/// # Invariants
///
/// The pointer is to a valid buffer that nobody else uses. No other message has the same lifetime.
///
/// # Examples
///
/// ```ignore
/// request.reply(|message| {
///     message.put_u32(LIMIT, 100)?;
///     message.nest(RANGE, |message| {
///         message.put_u16(FIRST, 1024)?;
///         message.put_u16(LAST, 65535)
///     })
/// })
/// ```
pub(crate) struct Message<'a> {
    skb: NonNull<bindings::sk_buff>,
    // Neither longer nor shorter ones will do.
    lifetime: PhantomData<fn(&'a ()) -> &'a ()>,
}

impl Message<'_> {
    /// # Safety
    ///
    /// The buffer has to be valid, and nobody else may use it while this exists. Whoever gets this
    /// has to accept any lifetime.
    pub(in crate::kernel_api) unsafe fn from_raw(skb: NonNull<bindings::sk_buff>) -> Self {
        // INVARIANT: By the function's safety requirements.
        Self {
            skb,
            lifetime: PhantomData,
        }
    }

    pub(in crate::kernel_api) fn as_raw(&self) -> *mut bindings::sk_buff {
        self.skb.as_ptr()
    }

    /// Puts an attribute with bytes as its payload.
    ///
    /// # Errors
    ///
    /// `EMSGSIZE` when the message is full.
    pub(crate) fn put(&mut self, kind: u16, payload: &[u8]) -> Result {
        let length = i32::try_from(payload.len()).map_err(|_| EMSGSIZE)?;
        // SAFETY: By the type invariant, the buffer is valid and ours. The payload is valid for
        // reads of its length.
        to_result(unsafe {
            bindings::nla_put(self.as_raw(), kind.into(), length, payload.as_ptr().cast())
        })
    }

    /// Puts a string, with a NUL behind it.
    ///
    /// # Errors
    ///
    /// `EMSGSIZE` when the message is full.
    pub(crate) fn put_string(&mut self, kind: u16, string: &[u8]) -> Result {
        let length = i32::try_from(string.len().saturating_add(1)).map_err(|_| EMSGSIZE)?;
        // SAFETY: By the type invariant, the buffer is valid and ours. The length is not negative.
        let attribute = unsafe { bindings::nla_reserve(self.as_raw(), kind.into(), length) };
        let attribute = NonNull::new(attribute).ok_or(EMSGSIZE)?;
        // SAFETY: `nla_reserve` has made room for `length` bytes behind the attribute's header, in a
        // buffer that is ours, so that the string is not in it.
        unsafe {
            let room = attribute.add(1).cast::<u8>();
            room.copy_from_nonoverlapping(NonNull::from(string).cast(), string.len());
            room.add(string.len()).write(0);
        }
        Ok(())
    }

    /// Puts a string that ends where its padding of NULs begins.
    ///
    /// # Errors
    ///
    /// `EMSGSIZE` when the message is full.
    pub(crate) fn put_padded(&mut self, kind: u16, padded: &[u8]) -> Result {
        let string = padded.split(|&byte| byte == 0).next();
        self.put_string(kind, string.unwrap_or_default())
    }

    /// Puts a flag if it is set.
    pub(crate) fn put_flag(&mut self, kind: u16, set: bool) -> Result {
        if set {
            self.put(kind, &[])
        } else {
            Ok(())
        }
    }

    /// Puts a `u8`.
    pub(crate) fn put_u8(&mut self, kind: u16, number: u8) -> Result {
        self.put(kind, &number.to_ne_bytes())
    }

    /// Puts a `u16`.
    pub(crate) fn put_u16(&mut self, kind: u16, number: u16) -> Result {
        self.put(kind, &number.to_ne_bytes())
    }

    /// Puts a `u32`.
    pub(crate) fn put_u32(&mut self, kind: u16, number: u32) -> Result {
        self.put(kind, &number.to_ne_bytes())
    }

    /// Puts a `u64`.
    pub(crate) fn put_u64(&mut self, kind: u16, number: u64) -> Result {
        self.put(kind, &number.to_ne_bytes())
    }

    /// Puts an attribute with the attributes that `fill` puts. On failure, nothing of it remains.
    pub(crate) fn nest(&mut self, kind: u16, fill: impl FnOnce(&mut Self) -> Result) -> Result {
        // SAFETY: By the type invariant, the buffer is valid and ours.
        let start = unsafe { bindings::palisade_nla_nest_start(self.as_raw(), kind.into()) };
        if start.is_null() {
            return Err(EMSGSIZE);
        }
        let filled = fill(self).and_then(|()| {
            // SAFETY: By the type invariant, the buffer is valid and ours. `start` is where the
            // nest starts in it.
            match unsafe { bindings::palisade_nla_nest_end(self.as_raw(), start) } {
                error if error < 0 => to_result(error),
                _ => Ok(()),
            }
        });
        if filled.is_err() {
            // SAFETY: By the type invariant, the buffer is valid and ours. `start` is where the
            // nest starts in it.
            unsafe { bindings::palisade_nla_nest_cancel(self.as_raw(), start) };
        }
        filled
    }
}

/// Whether what `fill` writes fits into that many bytes. The message is written for this and thrown
/// away.
///
/// # Errors
///
/// `ENOMEM` when there is no memory, and what `fill` fails with other than `EMSGSIZE`.
pub(crate) fn fits(bytes: usize, fill: impl FnOnce(&mut Message<'_>) -> Result) -> Result<bool> {
    // SAFETY: `palisade_nlmsg_new` has no requirements but process context, in which requests are
    // handled.
    let skb = NonNull::new(unsafe { bindings::palisade_nlmsg_new(bytes) }).ok_or(ENOMEM)?;
    // SAFETY: The buffer is new, and nobody else has it. `fill` accepts any lifetime.
    let filled = fill(&mut unsafe { Message::from_raw(skb) });
    // SAFETY: The buffer is ours and valid. It may be longer than was asked for.
    let length = unsafe { skb.as_ref() }.len as usize;
    // SAFETY: The buffer is ours, and is not used any more.
    unsafe { bindings::palisade_nlmsg_free(skb.as_ptr()) };
    match filled {
        Ok(()) => Ok(length <= bytes),
        Err(EMSGSIZE) => Ok(false),
        Err(error) => Err(error),
    }
}
