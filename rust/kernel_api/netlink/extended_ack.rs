// SPDX-License-Identifier: GPL-2.0

//! Extended acks: telling the sender of a netlink request what is wrong with it.
//!
//! C header: [`include/linux/netlink.h`](srctree/include/linux/netlink.h)

use super::Attribute;
use crate::kernel_api::bindings;
use kernel::{
    fmt,
    prelude::*,
    str::CStr, //
};

/// Why a request failed: an error number, a message, and the offending attribute.
///
/// # Examples
///
/// ```ignore
/// let port = attributes.get(PORT).ok_or(ExtAckError::new(EINVAL, c"a port is required"))?;
/// if port.u16() == Some(0) {
///     return Err(ExtAckError::new(EINVAL, c"the port must not be zero").at(port));
/// }
/// ```
#[derive(Clone, Copy)]
pub(crate) struct ExtAckError<'a> {
    error: Error,
    message: Option<&'static CStr>,
    attribute: Option<Attribute<'a>>,
}

impl<'a> ExtAckError<'a> {
    /// Creates an error with a message.
    pub(crate) fn new(error: Error, message: &'static CStr) -> Self {
        Self {
            error,
            message: Some(message),
            attribute: None,
        }
    }

    /// Sets the offending attribute, unless one was set before.
    pub(crate) fn at(mut self, attribute: Attribute<'a>) -> Self {
        self.attribute.get_or_insert(attribute);
        self
    }

    /// Reports the error to the sender, and returns the error number.
    ///
    /// # Safety
    ///
    /// The pointer has to be null or valid, and the attribute has to lie in the request that it is
    /// for.
    pub(in crate::kernel_api) unsafe fn report(
        self,
        extended_ack: *mut bindings::netlink_ext_ack,
    ) -> Error {
        if !extended_ack.is_null() {
            // SAFETY: By the function's safety requirements, the pointer is valid, and the
            // attribute lives as long as the request. The message is static.
            unsafe {
                if let Some(message) = self.message {
                    (*extended_ack)._msg = message.as_char_ptr().cast();
                }
                if let Some(attribute) = self.attribute {
                    (*extended_ack).bad_attr = attribute.as_raw();
                }
            }
        }
        self.error
    }
}

/// Adds a warning to a request that succeeds.
///
/// # Safety
///
/// The pointer has to be null or valid, and nobody else may use what it points to.
pub(in crate::kernel_api) unsafe fn warn(
    extended_ack: *mut bindings::netlink_ext_ack,
    message: fmt::Arguments<'_>,
) {
    if extended_ack.is_null() {
        return;
    }
    // SAFETY: By the function's safety requirements, the pointer is valid, and this is the only
    // reference to the buffer.
    let buffer = unsafe { &mut (*extended_ack)._msg_buf };
    let mut text = Text {
        rest: buffer.as_mut_slice(),
    };
    // This fails only for what does not fit, which is cut off.
    let _ = fmt::Write::write_fmt(&mut text, message);
    // SAFETY: By the function's safety requirements, the pointer is valid. The message is in the
    // same object, and NUL-terminated.
    unsafe { (*extended_ack)._msg = (&raw const (*extended_ack)._msg_buf).cast() };
}

/// The rest of a buffer for a string, which is always NUL-terminated.
struct Text<'a> {
    rest: &'a mut [c_char],
}

impl fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            let rest = core::mem::take(&mut self.rest);
            let [room, end, ..] = rest else {
                self.rest = rest;
                return Err(fmt::Error);
            };
            *room = byte as c_char;
            *end = 0;
            self.rest = rest.get_mut(1..).unwrap_or_default();
        }
        Ok(())
    }
}

impl From<Error> for ExtAckError<'_> {
    fn from(error: Error) -> Self {
        Self {
            error,
            message: None,
            attribute: None,
        }
    }
}

impl From<kernel::alloc::AllocError> for ExtAckError<'_> {
    fn from(error: kernel::alloc::AllocError) -> Self {
        Error::from(error).into()
    }
}

/// The result of handling a part of a request.
pub(crate) type NetlinkResult<'a, T = ()> = core::result::Result<T, ExtAckError<'a>>;
